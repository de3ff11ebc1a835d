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

ALWAYS_INLINE double evaluate(const Instruction *instruction, const Scalars *scalars)
{
    const double *numbers = scalars->numbers;
    switch (instruction->row) {
#define UNARY(index, name)                                                                                            \
    case index: return name##_value(1, &numbers[instruction->few[0]]);
#define BINARY(index, name)                                                                                           \
    case index: {                                                                                                      \
        const double both[] = {numbers[instruction->few[0]], numbers[instruction->few[1]]};                            \
        return name##_value(1, both);                                                                                  \
    }
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

ALWAYS_INLINE void push(Partial partial, double result, const double *operands, double *adjoint_of_operand, double adjoint)
{
    double derivative;
    partial(result, 1, operands, &derivative);
    *adjoint_of_operand += derivative * adjoint;
}

static void differentiate_other(const Instruction *instruction, double result, double adjoint, const uint8_t *traits,
                                uint8_t wanted, Scalars *scalars)
{
    const Row *row = &ROWS[instruction->row];
    const int32_t *operands = operands_of(instruction);
    int32_t length_of_each = length_of_sequences(instruction);
    double *derivatives = scalars->scratch + instruction->count;
    gather_operands(instruction, scalars->numbers, scalars->scratch);
    for (int operand = 0; operand < row->operands; operand++) {
        int32_t length = operand < row->sequences ? length_of_each : 1;
        bool is_wanted = false;
        for (int32_t i = 0; i < length; i++) is_wanted |= (traits[operands[i]] & wanted) != 0;
        if (is_wanted) {
            row->partials[operand](result, length_of_each, scalars->scratch, derivatives);
            for (int32_t i = 0; i < length; i++)
                if (traits[operands[i]] & wanted) scalars->adjoints[operands[i]] += derivatives[i] * adjoint;
        }
        operands += length;
    }
}

ALWAYS_INLINE void differentiate(const Instruction *instruction, double result, double adjoint, const uint8_t *traits,
                                 uint8_t wanted, Scalars *scalars)
{
    const double *numbers = scalars->numbers;
    double *adjoints = scalars->adjoints;
    const int32_t *operands = instruction->few;
    switch (instruction->row) {
#define UNARY(index, name)                                                                                            \
    case index: {                                                                                                      \
        if (traits[operands[0]] & wanted)                                                                              \
            push(name##_partial_0, result, &numbers[operands[0]], &adjoints[operands[0]], adjoint);                    \
        break;                                                                                                         \
    }
#define BINARY(index, name)                                                                                           \
    case index: {                                                                                                      \
        const double both[] = {numbers[operands[0]], numbers[operands[1]]};                                            \
        if (traits[operands[0]] & wanted) push(name##_partial_0, result, both, &adjoints[operands[0]], adjoint);       \
        if (traits[operands[1]] & wanted) push(name##_partial_1, result, both, &adjoints[operands[1]], adjoint);       \
        break;                                                                                                         \
    }
        UNARY_ROWS(UNARY)
        BINARY_ROWS(BINARY)
        default: differentiate_other(instruction, result, adjoint, traits, wanted, scalars);
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
        differentiate(&program->list[k], scalars->numbers[variable], scalars->adjoints[variable], traits, wanted, scalars);
    }
}
