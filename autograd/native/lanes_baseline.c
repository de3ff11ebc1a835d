/* Blocks of examples, for what every processor of this kind can do. */
#define KERNEL
#define MOST_TILE_ROWS 3
#define VECTOR_DOUBLES 2
enum { TILE_ROWS = MOST_TILE_ROWS, TILE_LANES = 8, WEIGHT_ROWS = 1, WEIGHT_COLUMNS = 3, DOT_LANES = 8 };
#include "lane_kernels.h"
#include "product_kernels.h"

const InstructionSet BASELINE = {INSTRUCTION_SET("baseline")};
