/* The instructions over a block of examples.

   Included once for each instruction set, with KERNEL, the attribute of a function that is compiled for it, and
   VECTOR_DOUBLES, how many numbers its instructions take at once. Nothing is
   fused or re-associated: an example's numbers are those of scalars.c, whatever the instruction set. */
#include "lanes.h"

/* What is inlined is compiled for the instruction set too, or its vectors would be taken apart before. */
#define LANES_INLINE KERNEL ALWAYS_INLINE

/* Some numbers that the processor takes at once. */
#if defined(__GNUC__)
typedef double Vector __attribute__((vector_size(VECTOR_DOUBLES * sizeof(double)), aligned(sizeof(double)), may_alias));
#else
typedef double Vector;
#endif

enum { WIDTH = sizeof(Vector) / sizeof(double), VECTORS_OF_EIGHT = EIGHT / WIDTH };

/* Before a loop whose count is a constant, so that an array which it goes through can be in registers. */
#if defined(__clang__)
#define UNROLLED _Pragma("unroll")
#elif defined(__GNUC__)
#define UNROLLED _Pragma("GCC unroll 8")
#else
#define UNROLLED
#endif

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

/* ---- Calls of the C library */

enum { KEYS = 32, TURNS = 2, PLACES = TURNS * KEYS, FEWEST_SORTED = 24 };

/* By its sign, and by its exponent and the first bit of its mantissa from 1/8 on. */
LANES_INLINE int64_t key_of(double number)
{
    int64_t bits, sign;
    memcpy(&bits, &number, sizeof bits);
    sign = (int64_t)((uint64_t)bits >> 63);
    int64_t size = ((bits & INT64_MAX) >> 51) - 2 * (1023 - 3), most = KEYS / 2 - 1;
    size = size < 0 ? 0 : size;
    size = size > most ? most : size;
    return 2 * size + sign;
}

/* A function that branches by its operand is called for operands of one size after another, in a counting sort's order: a
   processor foresees the branches then, and takes 0.6 of the time. Lanes that follow each other count in turns in different
   places, so that none waits for the one before. */
LANES_INLINE void call_sorted(double (*function)(double), const double *operand, double *restrict result, Py_ssize_t lanes)
{
    int64_t keys[FOLD];
    uint8_t order[FOLD], next[PLACES] = {0};
    if (lanes < FEWEST_SORTED) {
        for (Py_ssize_t l = 0; l < lanes; l++) result[l] = function(operand[l]);
        return;
    }
    for (Py_ssize_t l = 0; l < lanes; l++) keys[l] = TURNS * key_of(operand[l]) + l % TURNS;
    for (Py_ssize_t l = 0; l < lanes; l++) next[keys[l]]++;
    for (int key = 0, sum = 0, count; key < PLACES; key++, sum += count) count = next[key], next[key] = (uint8_t)sum;
    for (Py_ssize_t l = 0; l < lanes; l++) order[next[keys[l]]++] = (uint8_t)l;
    for (Py_ssize_t l = 0; l < lanes; l++) result[order[l]] = function(operand[order[l]]);
}

/* ---- Rows */

LANES_INLINE bool some(double *const *pushed, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        if (pushed[i] != NULL) return true;
    return false;
}

#define FAST_INLINE LANES_INLINE
#include "fast_math.h"
#include "lane_rows.h" /* written by lane_rows.py: what each row computes over lanes, and what it pushes */

typedef void (*Values)(Py_ssize_t lanes, Py_ssize_t n, const double *const *operands, double *restrict result);
typedef void (*Push)(Py_ssize_t lanes, Py_ssize_t n, const double *const *operands, const double *r, const double *adjoint,
                     double *const *pushed, double *kept);
typedef void (*Exponentials)(Py_ssize_t lanes, Py_ssize_t n, const double *const *operands, double *const *results);

LANES_INLINE void find_operands(const Step *step, const Block *block, int32_t first, int32_t end, const double **operands)
{
    for (int32_t k = first; k < end; k++) operands[k] = slot_of(block->values, step->operands[k], block);
}

LANES_INLINE void forward(const Step *step, Block *block, int32_t count, const double **operands, Values values)
{
    find_operands(step, block, 0, count, operands);
    values(block->count, step->length, operands, slot_of(block->values, step->result, block));
}

LANES_INLINE void backward(const Step *step, Block *block, int32_t count, const double **operands, double **pushed, Push push)
{
    for (int32_t k = 0; k < count; k++) {
        int32_t slot = step->operands[k];
        operands[k] = slot_of(block->values, slot, block);
        pushed[k] = block->is_active[slot] ? slot_of(block->adjoints, slot, block) : NULL;
    }
    push(block->count, step->length, operands, slot_of(block->values, step->result, block),
         slot_of(block->adjoints, step->result, block), pushed, block->kept);
}

LANES_INLINE void exponentials(const Step *step, Block *block, Exponentials of_operands)
{
    find_operands(step, block, 0, step->count, block->operands);
    for (int32_t k = 0; k < step->count; k++)
        block->pushed[k] = slot_of(block->values, step->operands[step->count + k], block);
    of_operands(block->count, step->length, block->operands, block->pushed);
}

#define FEW(index, name, COUNT)                                                                                       \
    KERNEL static void name##_forward(const Step *step, Block *block)                                                  \
    {                                                                                                                  \
        const double *operands[COUNT];                                                                                 \
        forward(step, block, COUNT, operands, name##_values);                                                          \
    }                                                                                                                  \
    KERNEL static void name##_backward(const Step *step, Block *block)                                                 \
    {                                                                                                                  \
        const double *operands[COUNT];                                                                                 \
        double *pushed[COUNT];                                                                                         \
        backward(step, block, COUNT, operands, pushed, name##_push);                                                   \
    }
#define UNARY(index, name) FEW(index, name, 1)
#define BINARY(index, name) FEW(index, name, 2)
#define OTHER(index, name)                                                                                            \
    KERNEL static void name##_forward(const Step *step, Block *block)                                                  \
    {                                                                                                                  \
        forward(step, block, count_with_exponentials(step), block->operands, name##_values);                           \
    }                                                                                                                  \
    KERNEL static void name##_backward(const Step *step, Block *block)                                                 \
    {                                                                                                                  \
        find_operands(step, block, step->count, count_with_exponentials(step), block->operands);                       \
        backward(step, block, step->count, block->operands, block->pushed, name##_push);                               \
    }
#define EXPONENTIALS(index, name)                                                                                      \
    KERNEL static void name##_exponentials_of_step(const Step *step, Block *block)                                     \
    {                                                                                                                  \
        exponentials(step, block, name##_exponentials);                                                                \
    }                                                                                                                  \
    KERNEL static void name##_exponentials_fast_of_step(const Step *step, Block *block)                                \
    {                                                                                                                  \
        exponentials(step, block, name##_exponentials_fast);                                                           \
    }

UNARY_ROWS(UNARY)
BINARY_ROWS(BINARY)
OTHER_ROWS(OTHER)
FAST_UNARY_ROWS(UNARY)
FAST_BINARY_ROWS(BINARY)
FAST_OTHER_ROWS(OTHER)
EXPONENTIAL_ROWS(EXPONENTIALS)

/* ---- Sums and dots of slots: the table's rules, from left to right, for some vectors of examples whose sums stay in registers */

enum { SUM_LANES = 4 * WIDTH < (int)EIGHT ? (int)EIGHT : 4 * WIDTH };

LANES_INLINE void sum_up_vectors(const Step *step, const Block *block, Py_ssize_t lane, const int vectors, const bool is_dot)
{
    const int32_t *x = step->operands, *y = x + step->length;
    Vector sums[SUM_LANES / WIDTH];
    for (int v = 0; v < vectors; v++) {
        if (is_dot) sums[v] = vector_at(slot_of(block->values, y[step->length], block) + lane)[v];
        else fill(&sums[v], 0.0);
    }
    for (int32_t k = 0; k < step->length; k++) {
        const Vector *left = vector_at(slot_of(block->values, x[k], block) + lane);
        const Vector *right = is_dot ? vector_at(slot_of(block->values, y[k], block) + lane) : NULL;
        for (int v = 0; v < vectors; v++) {
            if (is_dot) sums[v] += left[v] * right[v];
            else sums[v] += left[v];
        }
    }
    for (int v = 0; v < vectors; v++) vector_at(slot_of(block->values, step->result, block) + lane)[v] = sums[v];
}

LANES_INLINE void sum_up(const Step *step, const Block *block, const bool is_dot)
{
    Py_ssize_t lane = 0, end = filled_up(block->count);
    for (; lane + SUM_LANES <= end; lane += SUM_LANES)
        sum_up_vectors(step, block, lane, SUM_LANES / WIDTH, is_dot);
    for (; lane < end; lane += EIGHT) sum_up_vectors(step, block, lane, VECTORS_OF_EIGHT, is_dot);
}

KERNEL static void sum_up_slots(const Step *step, Block *block) { sum_up(step, block, false); }

KERNEL static void dot_slots(const Step *step, Block *block) { sum_up(step, block, true); }

/* ---- Lookups: each example's own element, and no other, however many there are */

KERNEL static void lookup_forward(const Step *step, Block *block)
{
    const double *index = slot_of(block->values, step->operands[step->length], block);
    double *result = slot_of(block->values, step->result, block);
    for (Py_ssize_t i = 0; i < block->count; i++) {
        int32_t chosen = is_place(index[i], step->length) ? step->operands[(int32_t)index[i]] : INT32_MIN;
        if (chosen >= 0) result[i] = slot_of(block->values, chosen, block)[i];
        else result[i] = chosen == INT32_MIN ? NAN : *of_variable(&block->numbers, variable_without_slot(chosen));
    }
}

KERNEL static void lookup_backward(const Step *step, Block *block)
{
    const double *index = slot_of(block->values, step->operands[step->length], block);
    const double *adjoint = slot_of(block->adjoints, step->result, block);
    for (Py_ssize_t i = 0; i < block->count; i++) {
        if (!is_place(index[i], step->length)) continue;
        int32_t chosen = step->operands[(int32_t)index[i]];
        if (chosen < 0) *of_variable(&block->total, variable_without_slot(chosen)) += adjoint[i];
        else if (block->is_active[chosen]) slot_of(block->adjoints, chosen, block)[i] += adjoint[i];
    }
}

/* ---- The table of this instruction set */

#define FORWARD(index, name) [index] = name##_forward,
#define BACKWARD(index, name) [index] = name##_backward,
#define OF_OPERANDS(index, name) [index] = name##_exponentials_of_step,
#define FAST_OF_OPERANDS(index, name) [index] = name##_exponentials_fast_of_step,

static Lanes forward_kernels[] = {UNARY_ROWS(FORWARD) BINARY_ROWS(FORWARD) OTHER_ROWS(FORWARD)};
static Lanes backward_kernels[] = {UNARY_ROWS(BACKWARD) BINARY_ROWS(BACKWARD) OTHER_ROWS(BACKWARD)};

/* With fast mathematics; NULL for the rows that have no use for it. */
static Lanes fast_forward_kernels[ROW_COUNT] = {FAST_UNARY_ROWS(FORWARD) FAST_BINARY_ROWS(FORWARD) FAST_OTHER_ROWS(FORWARD)};
static Lanes fast_backward_kernels[ROW_COUNT] = {
    FAST_UNARY_ROWS(BACKWARD) FAST_BINARY_ROWS(BACKWARD) FAST_OTHER_ROWS(BACKWARD)
};

/* The exponentials of operands; NULL for the rows that have no use for them. */
static Lanes exponential_kernels[ROW_COUNT] = {EXPONENTIAL_ROWS(OF_OPERANDS)};
static Lanes fast_exponential_kernels[ROW_COUNT] = {EXPONENTIAL_ROWS(FAST_OF_OPERANDS)};
