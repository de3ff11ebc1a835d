/* Blocks of examples, for what every processor of this kind can do. */
#define KERNEL
#include "lane_kernels.h"

const InstructionSet BASELINE = {"baseline", forward_kernels, backward_kernels, imported_dot_forward, imported_dot_backward};
