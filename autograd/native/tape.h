/* The tape's executor: what its files share.

   record.c          a graph of Values, written down as a Wengert list
   program.c         the type Program: a Wengert list made ready, and who depends on what in it
   scalars.c         one evaluation, instruction by instruction: for a single example, and for what no input is part of
   lanes.h           a block of examples at a time: each instruction over all of them ("lanes")
   lanes_*.c         the same for each instruction set
   replay.c          a batch: its blocks, its threads, and the sums over its examples

   A variable is an input, a parameter or the result of an instruction, numbered in this order; -1 - k is the constant k. */
#ifndef AUTOGRAD_TAPE_H
#define AUTOGRAD_TAPE_H

#include "native.h"

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
    const Row *row = &ROWS[instruction->row];
    return row->sequences ? (instruction->count - row->operands + row->sequences) / row->sequences : 1;
}

/* What a variable depends on. */
enum { ON_INPUTS = 1, ON_PARAMETERS = 2 };

/* An instruction that depends on the inputs. Its operands are slots, each a row of numbers, one for each example. A `dot`
   whose weights and bias depend on no input has in their place the numbers of imports. */
typedef struct Step Step;
typedef struct Block Block;
typedef void (*Lanes)(const Step *step, Block *block);

struct Step {
    Lanes forward, backward;
    Evaluation value;
    const Partial *partials;
    int32_t length, count, sequences, result, variable; /* the result's slot, and which variable it is */
    const int32_t *operands;
};

/* The examples that are evaluated side by side. */
struct Block {
    Py_ssize_t count;           /* how many they are */
    Py_ssize_t stride;          /* the room that each slot has for them: a multiple of EIGHT */
    double *values, *adjoints;  /* of each slot */
    const uint8_t *is_active;   /* whether the adjoint of a slot is asked for */
    const double *imports;      /* numbers that no input is part of */
    const uint8_t *is_learned;  /* whether the adjoint of an import is asked for */
    double *sums;               /* the adjoints of the imports, as EIGHT sums over every eighth example */
    double *scratch;            /* room for an instruction's operands and their derivatives */
};

enum { EIGHT = 8 };

static inline double *sums_of(const Block *block, int32_t import) { return block->sums + (Py_ssize_t)EIGHT * import; }

/* One for each row, and for a dot of imported weights with inputs of the block. */
typedef struct {
    const char *name;
    Lanes *forward, *backward;
    Lanes imported_dot_forward, imported_dot_backward;
} InstructionSet;

extern const InstructionSet BASELINE;
#if defined(__GNUC__) && defined(__x86_64__)
#define HAS_AVX2_KERNELS
extern const InstructionSet AVX2;
#endif

/* The memory of one evaluation. A variable is an index of `numbers` and `adjoints`: the constants lie before. */
typedef struct {
    double *numbers, *adjoints, *imports, *scratch;
    bool *needed;
} Scalars;

/* The memory of one thread, for its blocks. */
typedef struct Workspace Workspace;
struct Workspace {
    Workspace *next;
    Py_ssize_t stride;
    double *values, *adjoints, *sums, *total, *scratch;
};

typedef struct {
    PyObject_HEAD
    int32_t inputs, parameters, constants, instructions, outputs;
    int32_t variables;          /* inputs + parameters + instructions */
    double *constant_numbers;
    int32_t *all_operands;
    Instruction *list;
    int32_t *output_variables;
    uint8_t *memory_of_traits, *traits; /* of each variable; those of the constants before */
    int32_t scratch;            /* how many numbers the largest instruction needs */

    int32_t *uniform, uniform_count;    /* the instructions that depend on no input */
    Step *steps;                        /* all others */
    int32_t step_count, step_operand_count, *step_operands;
    int32_t slots;
    int32_t *slot_of;                   /* of each variable that depends on the inputs; else -1 */
    int32_t *imports, import_count;     /* for each use by a step of a variable that depends on no input, that variable */
    int32_t (*broadcasts)[2], broadcast_count; /* imports with a slot, and these slots */
    uint8_t *is_active[2];              /* of each slot: for the parameters alone, and for the inputs too */
    uint8_t *is_learned;                /* of each import */
    const InstructionSet *instruction_set;
    Scalars *kept_scalars;              /* memory that waits for the next replay */
    Workspace *kept;
} Program;

static inline int32_t first_result(const Program *program) { return program->inputs + program->parameters; }

extern PyType_Spec program_spec;

PyObject *record(PyObject *module, PyObject *arguments);
PyObject *replay(PyObject *self, PyObject *arguments);
void free_workspace(Workspace *workspace);
Py_ssize_t lanes_of(const Program *program); /* how many examples a block has at most */

Scalars *take_scalars(Program *program);
void give_back_scalars(Program *program, Scalars *scalars);

/* Some instructions of the program, or with NULL so many from the first on: their results; and from the last to the first,
   what they add to the adjoints of what is wanted. Left out is what no needed result is computed from; NULL needs all. */
void evaluate_list(const Program *program, const int32_t *some, int32_t count, Scalars *scalars);
void differentiate_list(const Program *program, const int32_t *some, int32_t count, uint8_t wanted, const bool *needed,
                        Scalars *scalars);

#endif
