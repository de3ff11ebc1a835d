/* The weights of products, packed for the kernels: once for each replay, and once for all products that share them. */
#ifndef AUTOGRAD_PRODUCTS_H
#define AUTOGRAD_PRODUCTS_H

#include "program.h"

/* Packs them from the variables' numbers, for a sweep forward, and transposed for one backward, to the inputs or not. */
void pack_weights(const Program *program, bool is_forward, bool is_backward, bool for_inputs, const Uniform *numbers,
                  double *packed);

#endif
