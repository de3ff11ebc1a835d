/* A block of examples, each instruction over all of them: a lane is one example's place in a slot.

   lane_kernels.h    the code
   lanes_*.c         the same, compiled for each instruction set */
#ifndef AUTOGRAD_LANES_H
#define AUTOGRAD_LANES_H

#include "operations.h"

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

/* The examples that are computed side by side. */
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

#endif
