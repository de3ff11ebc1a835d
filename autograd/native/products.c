/* The weights of products, packed. A tile of rows has, for each term, the weights of its rows beside each other: forward the
   rows are neurons and the terms inputs; transposed the rows are inputs, and the terms neurons from the last to the first,
   which is the order in which a sweep backward adds up. */
#include "products.h"

static void pack_forward(const Product *product, int32_t most, const Uniform *numbers, double *packed)
{
    int32_t tiles = count_tiles(product->neurons, most), length = product->length;
    for (int32_t tile = 0; tile < tiles; tile++) {
        int32_t first = start_of_tile(product->neurons, tiles, tile), end = start_of_tile(product->neurons, tiles, tile + 1);
        for (int32_t j = first; j < end; j++) {
            const int32_t *weights = product->weights + (Py_ssize_t)j * length;
            double *next = packed + (Py_ssize_t)first * length + (j - first);
            for (int32_t k = 0; k < length; k++, next += end - first) *next = *of_variable(numbers, weights[k]);
        }
    }
}

static void pack_transposed(const Product *product, int32_t most, const Uniform *numbers, double *packed)
{
    int32_t tiles = count_tiles(product->length, most), neurons = product->neurons;
    for (int32_t tile = 0; tile < tiles; tile++) {
        int32_t first = start_of_tile(product->length, tiles, tile), end = start_of_tile(product->length, tiles, tile + 1);
        double *next = packed + (Py_ssize_t)first * neurons;
        for (int32_t j = neurons; j-- > 0;) {
            const int32_t *weights = product->weights + (Py_ssize_t)j * product->length;
            for (int32_t k = first; k < end; k++) *next++ = *of_variable(numbers, weights[k]);
        }
    }
}

void pack_weights(const Program *program, bool is_forward, bool is_backward, bool for_inputs, const Uniform *numbers,
                  double *packed)
{
    const InstructionSet *set = program->instruction_set;
    for (const Product *product = program->products; product < program->products + program->product_count; product++) {
        if (product->has_rows || product->shares_weights) continue;
        if (is_forward) pack_forward(product, set->tile_rows, numbers, packed + product->packed);
        if (is_backward && product->is_transposed[for_inputs])
            pack_transposed(product, set->tile_rows, numbers, packed + product->transposed);
    }
}
