/* Blocks of examples, for processors of the x86-64 kind that take four numbers at once. */
#include "lanes.h"

#ifdef HAS_AVX2_KERNELS
#define KERNEL __attribute__((target("avx2")))
#include "lane_kernels.h"

const InstructionSet AVX2 = {"avx2", forward_kernels, backward_kernels, imported_dot_forward, imported_dot_backward};
#endif
