/* One evaluation of a Wengert list, instruction by instruction: in value.py's order, and so with its numbers to the bit. */
#include "tape.h"
#include "kernels.h"

/* ---- Memory, kept by the program for its next replay */

static Scalars *new_scalars(const Program *program)
{
    size_t constants = (size_t)program->constants, variables = (size_t)program->variables;
    size_t numbers = 2 * (constants + variables) + (size_t)program->import_count + (size_t)program->scratch;
    Scalars *scalars = PyMem_RawCalloc(1, sizeof *scalars + numbers * sizeof(double) + variables + 1);
    if (scalars == NULL) return NULL;
    double *memory = (double *)(scalars + 1);
    scalars->numbers = memory + constants;
    scalars->adjoints = scalars->numbers + variables + constants;
    scalars->imports = scalars->adjoints + variables;
    scalars->scratch = scalars->imports + program->import_count;
    scalars->needed = (bool *)(scalars->scratch + program->scratch);
    for (int32_t k = 0; k < program->constants; k++) scalars->numbers[-1 - k] = program->constant_numbers[k];
    return scalars;
}

Scalars *take_scalars(Program *program)
{
    Scalars *scalars = program->kept_scalars;
    program->kept_scalars = NULL;
    return scalars != NULL ? scalars : new_scalars(program);
}

void give_back_scalars(Program *program, Scalars *scalars)
{
    if (program->kept_scalars == NULL) program->kept_scalars = scalars;
    else PyMem_RawFree(scalars);
}

/* ---- Forward */

static void gather_operands(const Instruction *instruction, const double *numbers, double *gathered)
{
    const int32_t *operands = operands_of(instruction);
    for (int32_t i = 0; i < instruction->count; i++) gathered[i] = numbers[operands[i]];
}

static double evaluate_other(const Instruction *instruction, const double *numbers, double *scratch)
{
    gather_operands(instruction, numbers, scratch);
    return ROWS[instruction->row].value(length_of_sequences(instruction), scratch);
}

ALWAYS_INLINE double evaluate_binary(const Instruction *instruction, const double *numbers, Evaluation value)
{
    const double both[] = {numbers[instruction->few[0]], numbers[instruction->few[1]]};
    return value(1, both);
}

/* Products and sums are most of a list that is written out in scalars. They are asked for first: where they take turns, a
   processor foresees the answer better than where one jump for all rows goes. */
ALWAYS_INLINE double evaluate(const Instruction *instruction, const Scalars *scalars)
{
    const double *numbers = scalars->numbers;
    if (instruction->row == ROW_multiply) return evaluate_binary(instruction, numbers, multiply_value);
    if (instruction->row == ROW_add) return evaluate_binary(instruction, numbers, add_value);
    switch (instruction->row) {
#define UNARY(index, name)                                                                                            \
    case index: return name##_value(1, &numbers[instruction->few[0]]);
#define BINARY(index, name)                                                                                           \
    case index: return evaluate_binary(instruction, numbers, name##_value);
        UNARY_ROWS(UNARY)
        BINARY_ROWS(BINARY)
        default: return evaluate_other(instruction, numbers, scalars->scratch);
    }
#undef UNARY
#undef BINARY
}

void evaluate_list(const Program *program, const int32_t *some, int32_t count, Scalars *scalars)
{
    double *results = scalars->numbers + first_result(program);
    for (int32_t i = 0; i < count; i++) {
        int32_t k = some == NULL ? i : some[i];
        results[k] = evaluate(&program->list[k], scalars);
    }
}

/* ---- Backward */

/* Where an adjoint goes on to: the instruction's result and its adjoint, and which variables' adjoints are wanted. */
typedef struct {
    const int32_t *operands;
    double result, adjoint;
    const uint8_t *traits;
    uint8_t wanted;
} Flow;

ALWAYS_INLINE void push(const Flow *flow, int operand, const double *operands, Partial partial, Scalars *scalars)
{
    int32_t variable = flow->operands[operand];
    if (!(flow->traits[variable] & flow->wanted)) return;
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

static void differentiate_other(const Instruction *instruction, const Flow *flow, Scalars *scalars)
{
    const Row *row = &ROWS[instruction->row];
    const int32_t *operands = flow->operands;
    int32_t length_of_each = length_of_sequences(instruction);
    double *derivatives = scalars->scratch + instruction->count;
    gather_operands(instruction, scalars->numbers, scalars->scratch);
    for (int operand = 0; operand < row->operands; operand++) {
        int32_t length = operand < row->sequences ? length_of_each : 1;
        bool is_wanted = false;
        for (int32_t i = 0; i < length; i++) is_wanted |= (flow->traits[operands[i]] & flow->wanted) != 0;
        if (is_wanted) {
            row->partials[operand](flow->result, length_of_each, scalars->scratch, derivatives);
            for (int32_t i = 0; i < length; i++)
                if (flow->traits[operands[i]] & flow->wanted)
                    scalars->adjoints[operands[i]] += derivatives[i] * flow->adjoint;
        }
        operands += length;
    }
}

ALWAYS_INLINE void differentiate(const Instruction *instruction, const Flow *flow, Scalars *scalars)
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
        default: differentiate_other(instruction, flow, scalars);
    }
#undef UNARY
#undef BINARY
}

void differentiate_list(const Program *program, const int32_t *some, int32_t count, uint8_t wanted, const bool *needed,
                        Scalars *scalars)
{
    int32_t first = first_result(program);
    const uint8_t *traits = program->traits;
    for (int32_t i = count; i-- > 0;) {
        int32_t k = some == NULL ? i : some[i], variable = first + k;
        if (!(traits[variable] & wanted) || (needed != NULL && !needed[variable])) continue;
        const Instruction *instruction = &program->list[k];
        const Flow flow = {operands_of(instruction), scalars->numbers[variable], scalars->adjoints[variable], traits, wanted};
        differentiate(instruction, &flow, scalars);
    }
}
