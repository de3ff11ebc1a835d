/* A program: a Wengert list laid out for replays. What depends on the inputs is replayed for blocks of examples, as steps
   over slots; what does not is computed once for all of them. */
#ifndef AUTOGRAD_PROGRAM_H
#define AUTOGRAD_PROGRAM_H

#include "lanes.h"
#include "scalars.h"

/* The memory of one thread, for its blocks. */
typedef struct Workspace Workspace;
struct Workspace {
    Workspace *next;
    Py_ssize_t stride;
    double *values, *adjoints, *sums, *total, *scratch;
};

typedef struct {
    WengertList list;
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

/* Makes a program, whose memory is 0, of a list, for an instruction set, or with NULL for the best there is. On an error, -1
   with an exception; in either case the program is to be freed. */
int make_program(Program *program, const WengertArrays *arrays, const char *instruction_set);
void free_program(Program *program);

#endif
