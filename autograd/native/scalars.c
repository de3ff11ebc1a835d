/* One evaluation of a Wengert list, instruction by instruction: in value.py's order, and so with its numbers to the bit. */
#include "tape.h"
#include "kernels.h"

double *new_numbers(const Program *program)
{
    double *memory = PyMem_RawCalloc((size_t)program->constants + (size_t)program->variables + 1, sizeof(double));
    if (memory == NULL) return NULL;
    for (int32_t k = 0; k < program->constants; k++)
        memory[program->constants - 1 - k] = program->constant_numbers[k];
    return memory + program->constants;
}

void free_numbers(const Program *program, double *numbers)
{
    if (numbers != NULL) PyMem_RawFree(numbers - program->constants);
}

static void gather_operands(const Instruction *instruction, const double *numbers, double *gathered)
{
    for (int32_t i = 0; i < instruction->count; i++) gathered[i] = numbers[instruction->operands[i]];
}

static double evaluate_other(const Instruction *instruction, const double *numbers, double *scratch)
{
    gather_operands(instruction, numbers, scratch);
    return ROWS[instruction->row].value(instruction->length, scratch);
}

void evaluate_instruction(const Instruction *instruction, double *numbers, double *scratch)
{
    const int32_t *operands = instruction->operands;
    double *result = &numbers[instruction->result];
    switch (instruction->row) {
#define UNARY(index, name)                                                                                            \
    case index: {                                                                                                      \
        *result = name##_value(1, &numbers[operands[0]]);                                                              \
        break;                                                                                                         \
    }
#define BINARY(index, name)                                                                                           \
    case index: {                                                                                                      \
        const double both[] = {numbers[operands[0]], numbers[operands[1]]};                                            \
        *result = name##_value(1, both);                                                                               \
        break;                                                                                                         \
    }
        UNARY_ROWS(UNARY)
        BINARY_ROWS(BINARY)
        default: *result = evaluate_other(instruction, numbers, scratch);
    }
#undef UNARY
#undef BINARY
}

static void differentiate_other(const Instruction *instruction, const double *numbers, double *adjoints,
                                const uint8_t *traits, uint8_t wanted, double *scratch)
{
    const Row *row = &ROWS[instruction->row];
    const int32_t *operands = instruction->operands;
    double adjoint = adjoints[instruction->result], *derivatives = scratch + instruction->count;
    gather_operands(instruction, numbers, scratch);
    for (int operand = 0; operand < row->operands; operand++) {
        int32_t length = operand < row->sequences ? instruction->length : 1;
        bool is_wanted = false;
        for (int32_t i = 0; i < length; i++) is_wanted |= (traits[operands[i]] & wanted) != 0;
        if (is_wanted) {
            row->partials[operand](numbers[instruction->result], instruction->length, scratch, derivatives);
            for (int32_t i = 0; i < length; i++)
                if (traits[operands[i]] & wanted) adjoints[operands[i]] += derivatives[i] * adjoint;
        }
        operands += length;
    }
}

ALWAYS_INLINE void push(Partial partial, double result, const double *operands, double *adjoint_of_operand, double adjoint)
{
    double derivative;
    partial(result, 1, operands, &derivative);
    *adjoint_of_operand += derivative * adjoint;
}

void differentiate_instruction(const Instruction *instruction, const double *numbers, double *adjoints,
                               const uint8_t *traits, uint8_t wanted, double *scratch)
{
    const int32_t *operands = instruction->operands;
    double result = numbers[instruction->result], adjoint = adjoints[instruction->result];
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
        default: differentiate_other(instruction, numbers, adjoints, traits, wanted, scratch);
    }
#undef UNARY
#undef BINARY
}
