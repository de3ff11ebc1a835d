/* The instructions over a block of examples.

   Included once for each instruction set, with KERNEL, the attribute of a function that is compiled for it. Nothing is
   fused or re-associated: an example's numbers are those of scalars.c, whatever the instruction set. Sums over examples
   are taken as EIGHT, over every eighth example each, so that they do not depend on how a batch is cut into blocks, as
   long as those are multiples of EIGHT. */
#include "lanes.h"
#include "kernels.h"

/* What is inlined is compiled for the instruction set too, or its vectors would be taken apart before. */
#define LANES_INLINE KERNEL ALWAYS_INLINE

/* Some numbers that the processor takes at once. */
#if defined(__GNUC__)
typedef double Vector __attribute__((vector_size(4 * sizeof(double)), aligned(sizeof(double)), may_alias));
#else
typedef double Vector;
#endif

enum { WIDTH = sizeof(Vector) / sizeof(double), VECTORS_OF_EIGHT = EIGHT / WIDTH, TILE = 32, PRODUCTS = 2 };

LANES_INLINE double *slot_of(double *numbers, int32_t slot, const Block *block) { return numbers + slot * block->stride; }

LANES_INLINE void fill(Vector *vector, double number)
{
#if defined(__GNUC__)
    *vector = (Vector){number, number, number, number};
#else
    *vector = number;
#endif
}

LANES_INLINE Vector *vector_at(const double *number) { return (Vector *)number; }

/* The examples, and after them what fills up the last eight: computed along, and never used. */
LANES_INLINE Py_ssize_t filled_up(Py_ssize_t count) { return (count + EIGHT - 1) & -(Py_ssize_t)EIGHT; }

/* ---- Rows of one or two scalars */

LANES_INLINE void forward_unary(const Step *step, Block *block, Evaluation value)
{
    const double *x = slot_of(block->values, step->operands[0], block);
    double *restrict result = slot_of(block->values, step->result, block);
    for (Py_ssize_t i = 0; i < block->count; i++) result[i] = value(1, &x[i]);
}

LANES_INLINE void forward_binary(const Step *step, Block *block, Evaluation value)
{
    const double *x = slot_of(block->values, step->operands[0], block);
    const double *y = slot_of(block->values, step->operands[1], block);
    double *restrict result = slot_of(block->values, step->result, block);
    for (Py_ssize_t i = 0; i < block->count; i++) {
        const double both[] = {x[i], y[i]};
        result[i] = value(1, both);
    }
}

LANES_INLINE void backward_unary(const Step *step, Block *block, Partial partial)
{
    if (!block->is_active[step->operands[0]]) return;
    const double *x = slot_of(block->values, step->operands[0], block);
    const double *result = slot_of(block->values, step->result, block);
    const double *adjoint = slot_of(block->adjoints, step->result, block);
    double *restrict pushed = slot_of(block->adjoints, step->operands[0], block);
    for (Py_ssize_t i = 0; i < block->count; i++) {
        double derivative;
        partial(result[i], 1, &x[i], &derivative);
        pushed[i] += derivative * adjoint[i];
    }
}

LANES_INLINE void backward_binary(const Step *step, Block *block, Partial partial, int operand)
{
    if (!block->is_active[step->operands[operand]]) return;
    const double *x = slot_of(block->values, step->operands[0], block);
    const double *y = slot_of(block->values, step->operands[1], block);
    const double *result = slot_of(block->values, step->result, block);
    const double *adjoint = slot_of(block->adjoints, step->result, block);
    double *restrict pushed = slot_of(block->adjoints, step->operands[operand], block);
    for (Py_ssize_t i = 0; i < block->count; i++) {
        const double both[] = {x[i], y[i]};
        double derivative;
        partial(result[i], 1, both, &derivative);
        pushed[i] += derivative * adjoint[i];
    }
}

#define UNARY(index, name)                                                                                            \
    KERNEL static void name##_forward(const Step *step, Block *block) { forward_unary(step, block, name##_value); }    \
    KERNEL static void name##_backward(const Step *step, Block *block)                                                 \
    {                                                                                                                  \
        backward_unary(step, block, name##_partial_0);                                                                 \
    }

#define BINARY(index, name)                                                                                           \
    KERNEL static void name##_forward(const Step *step, Block *block) { forward_binary(step, block, name##_value); }   \
    KERNEL static void name##_backward(const Step *step, Block *block)                                                 \
    {                                                                                                                  \
        backward_binary(step, block, name##_partial_0, 0);                                                             \
        backward_binary(step, block, name##_partial_1, 1);                                                             \
    }

UNARY_ROWS(UNARY)
BINARY_ROWS(BINARY)

/* ---- All other rows, example by example */

LANES_INLINE void gather_lane(const Step *step, const Block *block, Py_ssize_t lane)
{
    for (int32_t k = 0; k < step->count; k++)
        block->scratch[k] = block->values[step->operands[k] * block->stride + lane];
}

KERNEL static void other_forward(const Step *step, Block *block)
{
    double *result = slot_of(block->values, step->result, block);
    for (Py_ssize_t lane = 0; lane < block->count; lane++) {
        gather_lane(step, block, lane);
        result[lane] = step->value(step->length, block->scratch);
    }
}

KERNEL static void other_backward(const Step *step, Block *block)
{
    const double *result = slot_of(block->values, step->result, block);
    const double *adjoint = slot_of(block->adjoints, step->result, block);
    double *derivatives = block->scratch + step->count;
    for (Py_ssize_t lane = 0; lane < block->count; lane++) {
        gather_lane(step, block, lane);
        const int32_t *operands = step->operands;
        for (int operand = 0; operands < step->operands + step->count; operand++) {
            int32_t length = operand < step->sequences ? step->length : 1;
            step->partials[operand](result[lane], step->length, block->scratch, derivatives);
            for (int32_t k = 0; k < length; k++)
                if (block->is_active[operands[k]])
                    block->adjoints[operands[k] * block->stride + lane] += derivatives[k] * adjoint[lane];
            operands += length;
        }
    }
}

/* ---- dot with weights and bias that are the same for all examples: a neuron. The table's rule, w * x added from the bias
   on, for many examples at once: the sums stay in registers. */

LANES_INLINE void dot_tile(const Step *step, const Block *block, Py_ssize_t lane, const int vectors)
{
    const int32_t *weights = step->operands, *inputs = weights + step->length;
    double bias = block->imports[inputs[step->length]];
    Vector sums[TILE / WIDTH];
    for (int v = 0; v < vectors; v++) fill(&sums[v], bias);
    for (int32_t k = 0; k < step->length; k++) {
        double weight = block->imports[weights[k]];
        const Vector *x = vector_at(block->values + inputs[k] * block->stride + lane);
        for (int v = 0; v < vectors; v++) sums[v] += weight * x[v];
    }
    Vector *result = vector_at(block->values + step->result * block->stride + lane);
    for (int v = 0; v < vectors; v++) result[v] = sums[v];
}

KERNEL static void imported_dot_forward(const Step *step, Block *block)
{
    Py_ssize_t lane = 0, end = filled_up(block->count);
    for (; lane + TILE <= end; lane += TILE) dot_tile(step, block, lane, TILE / WIDTH);
    for (; lane < end; lane += EIGHT) dot_tile(step, block, lane, VECTORS_OF_EIGHT);
}

/* What a dot's adjoint does to some of its products w * x, in one pass over it: the weights' sums take x * adjoint, as eight
   sums over every eighth example, and the adjoint of x takes w * adjoint. */
LANES_INLINE void push_to_products(const Block *block, const double *adjoint, const int32_t *weights, const int32_t *inputs,
                                   const int products, const bool is_learned, const bool is_active)
{
    const double *x[PRODUCTS];
    double *pushed[PRODUCTS], weight[PRODUCTS];
    Vector sums[PRODUCTS][VECTORS_OF_EIGHT];
    for (int k = 0; k < products; k++) {
        x[k] = slot_of(block->values, inputs[k], block);
        pushed[k] = slot_of(block->adjoints, inputs[k], block);
        weight[k] = block->imports[weights[k]];
        for (int v = 0; v < VECTORS_OF_EIGHT; v++) sums[k][v] = vector_at(sums_of(block, weights[k]))[v];
    }
    Py_ssize_t whole = block->count & -(Py_ssize_t)EIGHT;
    for (Py_ssize_t i = 0; i < whole; i += EIGHT)
        for (int v = 0; v < VECTORS_OF_EIGHT; v++) {
            Vector given = vector_at(adjoint + i)[v];
            for (int k = 0; k < products; k++) {
                if (is_learned) sums[k][v] += vector_at(x[k] + i)[v] * given;
                if (is_active) vector_at(pushed[k] + i)[v] += weight[k] * given;
            }
        }
    Py_ssize_t rest = whole; /* of the last eight, as many as there are */
    for (int v = 0; v < VECTORS_OF_EIGHT; v++) {
        if (rest + WIDTH > block->count) break;
        for (int k = 0; k < products; k++) {
            if (is_learned) sums[k][v] += *vector_at(x[k] + rest) * *vector_at(adjoint + rest);
            if (is_active) *vector_at(pushed[k] + rest) += weight[k] * *vector_at(adjoint + rest);
        }
        rest += WIDTH;
    }
    for (int k = 0; k < products; k++) {
        double *eight = sums_of(block, weights[k]);
        for (int v = 0; is_learned && v < VECTORS_OF_EIGHT; v++) vector_at(eight)[v] = sums[k][v];
        for (Py_ssize_t i = rest; i < block->count; i++) {
            if (is_learned) eight[i - whole] += x[k][i] * adjoint[i];
            if (is_active) pushed[k][i] += weight[k] * adjoint[i];
        }
    }
}

LANES_INLINE void add_up(double *eight, const double *adjoint, Py_ssize_t count)
{
    Py_ssize_t whole = count & -(Py_ssize_t)EIGHT;
    Vector sums[VECTORS_OF_EIGHT];
    for (int v = 0; v < VECTORS_OF_EIGHT; v++) sums[v] = vector_at(eight)[v];
    for (Py_ssize_t i = 0; i < whole; i += EIGHT)
        for (int v = 0; v < VECTORS_OF_EIGHT; v++) sums[v] += vector_at(adjoint + i)[v];
    for (int v = 0; v < VECTORS_OF_EIGHT; v++) vector_at(eight)[v] = sums[v];
    for (Py_ssize_t i = whole; i < count; i++) eight[i - whole] += adjoint[i];
}

KERNEL static void imported_dot_backward(const Step *step, Block *block)
{
    const int32_t *weights = step->operands, *inputs = weights + step->length;
    int32_t bias = inputs[step->length];
    const double *adjoint = slot_of(block->adjoints, step->result, block);
    int32_t k = 0;
    for (int products; k < step->length; k += products) {
        bool is_learned = block->is_learned[weights[k]], is_active = block->is_active[inputs[k]];
        products = PRODUCTS;
        for (int j = 0; j < PRODUCTS; j++)
            if (k + j >= step->length || block->is_learned[weights[k + j]] != is_learned ||
                block->is_active[inputs[k + j]] != is_active)
                products = 1;
        if (products == 1) push_to_products(block, adjoint, weights + k, inputs + k, 1, is_learned, is_active);
        else if (is_learned && is_active) push_to_products(block, adjoint, weights + k, inputs + k, PRODUCTS, true, true);
        else if (is_learned) push_to_products(block, adjoint, weights + k, inputs + k, PRODUCTS, true, false);
        else if (is_active) push_to_products(block, adjoint, weights + k, inputs + k, PRODUCTS, false, true);
    }
    if (block->is_learned[bias]) add_up(sums_of(block, bias), adjoint, block->count);
}

/* ---- The table of this instruction set */

#define FORWARD(index, name) [index] = name##_forward,
#define BACKWARD(index, name) [index] = name##_backward,
#define OTHER_FORWARD(index, name) [index] = other_forward,
#define OTHER_BACKWARD(index, name) [index] = other_backward,

static Lanes forward_kernels[] = {UNARY_ROWS(FORWARD) BINARY_ROWS(FORWARD) OTHER_ROWS(OTHER_FORWARD)};
static Lanes backward_kernels[] = {UNARY_ROWS(BACKWARD) BINARY_ROWS(BACKWARD) OTHER_ROWS(OTHER_BACKWARD)};
