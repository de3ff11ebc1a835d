/* A Wengert list on single numbers, instruction by instruction: in value.py's order, and so with its numbers to the bit. */
#include "scalars.h"
#include "kernels.h"

Scalars *new_scalars(const WengertList *list, Py_ssize_t packed)
{
    size_t constants = (size_t)list->constants, variables = (size_t)list->variables;
    size_t numbers = 2 * (constants + variables) + (size_t)packed + (size_t)list->scratch;
    Scalars *scalars = PyMem_RawCalloc(1, sizeof *scalars + numbers * sizeof(double) + variables + 1);
    if (scalars == NULL) return NULL;
    double *memory = (double *)(scalars + 1);
    scalars->numbers = memory + constants;
    scalars->adjoints = scalars->numbers + variables + constants;
    scalars->packed = scalars->adjoints + variables;
    scalars->scratch = scalars->packed + packed;
    scalars->needed = (bool *)(scalars->scratch + list->scratch);
    for (int32_t k = 0; k < list->constants; k++) scalars->numbers[-1 - k] = list->constant_numbers[k];
    return scalars;
}

/* ---- Forward */

static void gather_operands(const Instruction *instruction, const double *numbers, double *gathered)
{
    const int32_t *operands = operands_of(instruction);
    for (int32_t i = 0; i < instruction->count; i++) gathered[i] = numbers[operands[i]];
}

static double compute_other(const Instruction *instruction, const double *numbers, double *scratch)
{
    gather_operands(instruction, numbers, scratch);
    return ROWS[instruction->row].value(length_of_sequences(instruction), scratch);
}

/* The table's rule, without a copy of the operands: dots are most of a network. */
static double compute_dot(const Instruction *instruction, const double *numbers)
{
    int32_t n = length_of_sequences(instruction);
    const int32_t *x = operands_of(instruction), *y = x + n;
    double sum = numbers[y[n]];
    for (int32_t k = 0; k < n; k++) sum += numbers[x[k]] * numbers[y[k]];
    return sum;
}

/* Nor is the sequence of a lookup copied, which may be long. */
static double compute_take(const Instruction *instruction, const double *numbers)
{
    int32_t n = length_of_sequences(instruction);
    const int32_t *x = operands_of(instruction);
    double index = numbers[x[n]];
    return is_place(index, n) ? numbers[x[(int32_t)index]] : NAN;
}

ALWAYS_INLINE double compute_binary(const Instruction *instruction, const double *numbers, Evaluation value)
{
    const double both[] = {numbers[instruction->few[0]], numbers[instruction->few[1]]};
    return value(1, both);
}

/* Products and sums are most of a list that is written out in scalars. They are asked for first: where they take turns, a
   processor foresees the answer better than where one jump for all rows goes. */
ALWAYS_INLINE double compute(const Instruction *instruction, const Scalars *scalars)
{
    const double *numbers = scalars->numbers;
    if (instruction->row == ROW_multiply) return compute_binary(instruction, numbers, multiply_value);
    if (instruction->row == ROW_add) return compute_binary(instruction, numbers, add_value);
    switch (instruction->row) {
#define UNARY(index, name)                                                                                            \
    case index: return name##_value(1, &numbers[instruction->few[0]]);
#define BINARY(index, name)                                                                                           \
    case index: return compute_binary(instruction, numbers, name##_value);
        UNARY_ROWS(UNARY)
        BINARY_ROWS(BINARY)
        case ROW_dot: return compute_dot(instruction, numbers);
        case ROW_take: return compute_take(instruction, numbers);
        default: return compute_other(instruction, numbers, scalars->scratch);
    }
#undef UNARY
#undef BINARY
}

void sweep_forward(const WengertList *list, const int32_t *some, int32_t count, Scalars *scalars)
{
    double *results = scalars->numbers + first_result(list);
    for (int32_t i = 0; i < count; i++) {
        int32_t k = some == NULL ? i : some[i];
        results[k] = compute(&list->instructions[k], scalars);
    }
}

/* ---- Backward */

/* Where an adjoint goes on to: the instruction's result and its adjoint, and which variables' adjoints are wanted. */
typedef struct {
    const int32_t *operands;
    double result, adjoint;
    const uint8_t *dependences;
    uint8_t wanted;
} Flow;

ALWAYS_INLINE void push(const Flow *flow, int operand, const double *operands, Partial partial, Scalars *scalars)
{
    int32_t variable = flow->operands[operand];
    if (!(flow->dependences[variable] & flow->wanted)) return;
    double derivative;
    partial(flow->result, 1, operands, &derivative);
    scalars->adjoints[variable] += derivative * flow->adjoint;
}

ALWAYS_INLINE void push_to_both(const Flow *flow, Partial first, Partial second, Scalars *scalars)
{
    const double both[] = {scalars->numbers[flow->operands[0]], scalars->numbers[flow->operands[1]]};
    push(flow, 0, both, first, scalars);
    push(flow, 1, both, second, scalars);
}

static void push_other(const Instruction *instruction, const Flow *flow, Scalars *scalars)
{
    const Row *row = &ROWS[instruction->row];
    const int32_t *operands = flow->operands;
    int32_t length_of_each = length_of_sequences(instruction);
    double *derivatives = scalars->scratch + instruction->count;
    gather_operands(instruction, scalars->numbers, scalars->scratch);
    for (int operand = 0; operand < row->operands; operand++) {
        int32_t length = operand < row->sequences ? length_of_each : 1;
        bool is_wanted = false;
        for (int32_t i = 0; i < length; i++) is_wanted |= (flow->dependences[operands[i]] & flow->wanted) != 0;
        if (is_wanted) {
            row->partials[operand](flow->result, length_of_each, scalars->scratch, derivatives);
            for (int32_t i = 0; i < length; i++)
                if (flow->dependences[operands[i]] & flow->wanted)
                    scalars->adjoints[operands[i]] += derivatives[i] * flow->adjoint;
        }
        operands += length;
    }
}

static void push_factors(const Flow *flow, const int32_t *to, const int32_t *factors, int32_t n, Scalars *scalars)
{
    for (int32_t k = 0; k < n; k++)
        if (flow->dependences[to[k]] & flow->wanted) scalars->adjoints[to[k]] += scalars->numbers[factors[k]] * flow->adjoint;
}

/* First to all factors on one side, as the table has them, then to those on the other. */
static void push_dot(const Instruction *instruction, const Flow *flow, Scalars *scalars)
{
    int32_t n = length_of_sequences(instruction);
    const int32_t *x = flow->operands, *y = x + n;
    push_factors(flow, x, y, n, scalars);
    push_factors(flow, y, x, n, scalars);
    if (flow->dependences[y[n]] & flow->wanted) scalars->adjoints[y[n]] += flow->adjoint;
}

/* To the chosen element alone: the table's rule has 0 for all others. */
static void push_take(const Instruction *instruction, const Flow *flow, Scalars *scalars)
{
    int32_t n = length_of_sequences(instruction);
    const int32_t *x = flow->operands;
    double index = scalars->numbers[x[n]];
    if (is_place(index, n)) scalars->adjoints[x[(int32_t)index]] += flow->adjoint;
}

ALWAYS_INLINE void push_on(const Instruction *instruction, const Flow *flow, Scalars *scalars)
{
    if (instruction->row == ROW_multiply) {
        push_to_both(flow, multiply_partial_0, multiply_partial_1, scalars);
        return;
    }
    if (instruction->row == ROW_add) {
        push_to_both(flow, add_partial_0, add_partial_1, scalars);
        return;
    }
    switch (instruction->row) {
#define UNARY(index, name)                                                                                            \
    case index: push(flow, 0, &scalars->numbers[flow->operands[0]], name##_partial_0, scalars); break;
#define BINARY(index, name)                                                                                           \
    case index: push_to_both(flow, name##_partial_0, name##_partial_1, scalars); break;
        UNARY_ROWS(UNARY)
        BINARY_ROWS(BINARY)
        case ROW_dot: push_dot(instruction, flow, scalars); break;
        case ROW_take: push_take(instruction, flow, scalars); break;
        default: push_other(instruction, flow, scalars);
    }
#undef UNARY
#undef BINARY
}

void sweep_backward(const WengertList *list, const int32_t *some, int32_t count, uint8_t wanted, const bool *needed,
                    Scalars *scalars)
{
    int32_t first = first_result(list);
    const uint8_t *dependences = list->dependences;
    for (int32_t i = count; i-- > 0;) {
        int32_t k = some == NULL ? i : some[i], variable = first + k;
        if (!(dependences[variable] & wanted) || (needed != NULL && !needed[variable])) continue;
        const Instruction *instruction = &list->instructions[k];
        const Flow flow = {
            operands_of(instruction), scalars->numbers[variable], scalars->adjoints[variable], dependences, wanted,
        };
        push_on(instruction, &flow, scalars);
    }
}
