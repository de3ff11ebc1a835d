/* A Wengert list: as Python has it, in arrays, and as the engine keeps it, in instructions. The twin of tape/wengert.py. */
#ifndef AUTOGRAD_WENGERT_H
#define AUTOGRAD_WENGERT_H

#include "operations.h"

/* The most variables, constants among them, and the most operands of all instructions. */
enum { MOST = INT32_MAX / 2 };

/* ---- In Python's memory */

/* The counts of a WengertList, and its arrays in their order there. */
typedef struct {
    Py_ssize_t inputs, parameters, constants, instructions, operands, outputs;
    Py_buffer constant_numbers, rows, lengths, all_operands, output_variables;
} WengertArrays;

static inline Py_ssize_t variables_of(const WengertArrays *arrays)
{
    return arrays->inputs + arrays->parameters + arrays->instructions;
}

/* Reads a tuple (inputs, parameters, constants, rows, lengths, operands, outputs). On an error, -1 with an exception, and
   there is nothing to be released. What stands in the arrays is checked when they are walked. */
int read_arrays(PyObject *parts, WengertArrays *arrays);
void release_arrays(WengertArrays *arrays);

PyObject *dependences(PyObject *module, PyObject *arguments);

/* ---- In the engine's */

/* An instruction's operands: its sequences, one after the other, and then the scalars. */
typedef struct {
    int32_t row;   /* into ROWS */
    int32_t count; /* of the operands */
    union {
        int32_t few[2];
        const int32_t *many; /* where there are more */
    };
} Instruction;

static inline const int32_t *operands_of(const Instruction *instruction)
{
    return instruction->count <= 2 ? instruction->few : instruction->many;
}

static inline int32_t length_of_sequences(const Instruction *instruction)
{
    return (int32_t)sequence_length(&ROWS[instruction->row], instruction->count);
}

/* What a variable depends on. */
enum { ON_INPUTS = 1, ON_PARAMETERS = 2 };

/* A variable is an input, a parameter or the result of an instruction, numbered in this order; -1 - k is the constant k. */
typedef struct {
    int32_t inputs, parameters, constants, count, outputs; /* constants: with those that are added; count: of instructions */
    int32_t variables;                                     /* inputs + parameters + count */
    int32_t scratch;                                       /* how many numbers the largest instruction needs */
    double *constant_numbers;
    int32_t *operands; /* of all instructions */
    Instruction *instructions;
    int32_t *output_variables;
    uint8_t *memory_of_dependences, *dependences; /* of each variable; those of the constants before */
} WengertList;

/* The constants that are added behind the list's own, for chains.c: -0.0, 0.0 and 1.0. */
enum { NOTHING, ZERO, ONE, ADDED };

static inline int32_t added_constant(const WengertList *list, int which) { return -1 - (list->constants - ADDED) - which; }

static inline int32_t first_result(const WengertList *list) { return list->inputs + list->parameters; }

static inline bool depends_on_inputs(const WengertList *list, int32_t variable)
{
    return list->dependences[variable] & ON_INPUTS;
}

/* The arrays' list, and what its variables depend on. All of it is checked, so that what stands in the list can be used as
   an index. On an error, -1 with an exception; in either case the list is to be freed. */
int copy_list(const WengertArrays *arrays, WengertList *list);
void free_list(WengertList *list);

#endif
