/* The weights of products, packed for the kernels: once for each replay, and once for all products that share them. */
#ifndef AUTOGRAD_PRODUCTS_H
#define AUTOGRAD_PRODUCTS_H

#include "program.h"

/* Packs them row by row, a neuron's beside each other. */
void pack_weights(const Program *program, const Uniform *numbers, double *packed);

#endif
