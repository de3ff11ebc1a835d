/* The weights of products that do not lie in rows as they are given: computed ones, constants, or those in another order. */
#include "products.h"

void pack_weights(const Program *program, const Uniform *numbers, double *packed)
{
    for (const Product *product = program->products; product < program->products + program->product_count; product++) {
        if (product->has_rows || product->shares_weights) continue;
        double *next = packed + product->starts[0];
        for (Py_ssize_t i = 0; i < (Py_ssize_t)product->neurons * product->length; i++)
            *next++ = *of_variable(numbers, product->weights[i]);
    }
}
