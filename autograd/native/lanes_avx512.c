/* Blocks of examples, for processors of the x86-64 kind that take eight numbers at once. */
#include "lanes.h"

#ifdef HAS_X86_KERNELS
#define KERNEL __attribute__((target("avx512f,avx512vl,avx512dq")))
#define MOST_TILE_ROWS 8
#define VECTOR_DOUBLES 8
enum { TILE_ROWS = MOST_TILE_ROWS, TILE_LANES = 24, WEIGHT_ROWS = 5, WEIGHT_COLUMNS = 4, DOT_LANES = 32 };
#include "lane_kernels.h"
#include "product_kernels.h"

const InstructionSet AVX512 = {INSTRUCTION_SET("avx512")};
#endif
