/* The instructions over a block of examples.

   Included once for each instruction set, with KERNEL, the attribute of a function that is compiled for it, and
   VECTOR_DOUBLES, how many numbers its instructions take at once. Nothing is
   fused or re-associated: an example's numbers are those of scalars.c, whatever the instruction set. */
#include "lanes.h"
#include "kernels.h"

/* What is inlined is compiled for the instruction set too, or its vectors would be taken apart before. */
#define LANES_INLINE KERNEL ALWAYS_INLINE

/* Some numbers that the processor takes at once. */
#if defined(__GNUC__)
typedef double Vector __attribute__((vector_size(VECTOR_DOUBLES * sizeof(double)), aligned(sizeof(double)), may_alias));
#else
typedef double Vector;
#endif

enum { WIDTH = sizeof(Vector) / sizeof(double), VECTORS_OF_EIGHT = EIGHT / WIDTH };

LANES_INLINE double *slot_of(double *numbers, int32_t slot, const Block *block) { return numbers + slot * block->stride; }

LANES_INLINE void fill(Vector *vector, double number)
{
#if defined(__GNUC__)
    *vector = number - (Vector){0.0}; /* so that -0.0 stays */
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

/* ---- Sums and dots of slots: the table's rules, from left to right, for many examples at once */

enum { TILE = 32 };

LANES_INLINE void sum_up(const Step *step, Block *block, bool is_dot)
{
    const int32_t *x = step->operands, *y = x + step->length;
    double *result = slot_of(block->values, step->result, block);
    for (Py_ssize_t lane = 0, end = filled_up(block->count), width; lane < end; lane += width) {
        double sums[TILE];
        width = end - lane < TILE ? EIGHT : TILE;
        const double *start = is_dot ? slot_of(block->values, y[step->length], block) + lane : NULL;
        for (Py_ssize_t i = 0; i < width; i++) sums[i] = is_dot ? start[i] : 0.0;
        for (int32_t k = 0; k < step->length; k++) {
            const double *left = slot_of(block->values, x[k], block) + lane;
            const double *right = is_dot ? slot_of(block->values, y[k], block) + lane : NULL;
            for (Py_ssize_t i = 0; i < width; i++) sums[i] += is_dot ? left[i] * right[i] : left[i];
        }
        memcpy(result + lane, sums, (size_t)width * sizeof(double));
    }
}

/* Adds a factor's numbers times the step's adjoint, or without a factor the adjoint, to that of a slot. */
LANES_INLINE void push_factor(const Step *step, Block *block, const double *factor, int32_t slot)
{
    if (!block->is_active[slot]) return;
    const double *adjoint = slot_of(block->adjoints, step->result, block);
    double *restrict pushed = slot_of(block->adjoints, slot, block);
    for (Py_ssize_t i = 0; i < block->count; i++) pushed[i] += factor != NULL ? factor[i] * adjoint[i] : adjoint[i];
}

KERNEL static void sum_forward(const Step *step, Block *block) { sum_up(step, block, false); }

KERNEL static void dot_forward(const Step *step, Block *block) { sum_up(step, block, true); }

KERNEL static void sum_backward(const Step *step, Block *block)
{
    for (int32_t k = 0; k < step->length; k++) push_factor(step, block, NULL, step->operands[k]);
}

KERNEL static void dot_backward(const Step *step, Block *block)
{
    const int32_t *x = step->operands, *y = x + step->length;
    for (int32_t k = 0; k < step->length; k++) push_factor(step, block, slot_of(block->values, y[k], block), x[k]);
    for (int32_t k = 0; k < step->length; k++) push_factor(step, block, slot_of(block->values, x[k], block), y[k]);
    push_factor(step, block, NULL, y[step->length]);
}

/* ---- Lookups: each example's own element, and no other, however many there are */

KERNEL static void lookup_forward(const Step *step, Block *block)
{
    const double *index = slot_of(block->values, step->operands[step->length], block);
    double *result = slot_of(block->values, step->result, block);
    for (Py_ssize_t i = 0; i < block->count; i++) {
        int32_t chosen = is_place(index[i], step->length) ? step->operands[(int32_t)index[i]] : INT32_MIN;
        if (chosen >= 0) result[i] = slot_of(block->values, chosen, block)[i];
        else result[i] = chosen == INT32_MIN ? NAN : block->numbers[variable_without_slot(chosen)];
    }
}

KERNEL static void lookup_backward(const Step *step, Block *block)
{
    const double *index = slot_of(block->values, step->operands[step->length], block);
    const double *adjoint = slot_of(block->adjoints, step->result, block);
    for (Py_ssize_t i = 0; i < block->count; i++) {
        if (!is_place(index[i], step->length)) continue;
        int32_t chosen = step->operands[(int32_t)index[i]];
        if (chosen < 0) block->total[variable_without_slot(chosen)] += adjoint[i];
        else if (block->is_active[chosen]) slot_of(block->adjoints, chosen, block)[i] += adjoint[i];
    }
}

/* ---- The table of this instruction set */

#define FORWARD(index, name) [index] = name##_forward,
#define BACKWARD(index, name) [index] = name##_backward,
#define OTHER_FORWARD(index, name) [index] = other_forward,
#define OTHER_BACKWARD(index, name) [index] = other_backward,

static Lanes forward_kernels[] = {UNARY_ROWS(FORWARD) BINARY_ROWS(FORWARD) OTHER_ROWS(OTHER_FORWARD)};
static Lanes backward_kernels[] = {UNARY_ROWS(BACKWARD) BINARY_ROWS(BACKWARD) OTHER_ROWS(OTHER_BACKWARD)};
