/* Blocks of examples, for processors of the x86-64 kind that take four numbers at once. */
#include "lanes.h"

#ifdef HAS_X86_KERNELS
#define KERNEL __attribute__((target("avx2")))
#define MOST_TILE_ROWS 6
#define VECTOR_DOUBLES 4
enum { TILE_ROWS = MOST_TILE_ROWS, TILE_LANES = 8, WEIGHT_ROWS = 2, WEIGHT_COLUMNS = 3, DOT_LANES = 8 };
#include "lane_kernels.h"
#include "product_kernels.h"

const InstructionSet AVX2 = {INSTRUCTION_SET("avx2")};
#endif
