/* A program: a Wengert list laid out for replays. What depends on the inputs is replayed for blocks of examples, as steps
   over slots; what does not is computed once for all of them. */
#ifndef AUTOGRAD_PROGRAM_H
#define AUTOGRAD_PROGRAM_H

#include "groups.h"
#include "lanes.h"
#include "scalars.h"

/* The memory of one thread, for its blocks. */
typedef struct Workspace Workspace;
struct Workspace {
    Workspace *next;
    Py_ssize_t lanes, stride; /* how many examples a block has at most, and the room that each slot has for them */
    double *values, *adjoints, *broadcast_sums, *product_sums, *kept;
    Uniform total;
    const double **operands;
    double **pushed;
};

static inline Uniform uniform_of(const WengertList *list, double *parameters, double *others)
{
    return (Uniform){parameters, others, list->inputs, first_result(list)};
}

static inline void clear_uniform(const WengertList *list, const Uniform *uniform)
{
    memset(uniform->parameters, 0, (size_t)list->parameters * sizeof(double));
    memset(uniform->others - list->constants, 0, (size_t)list->constants * sizeof(double));
    memset(uniform->others + first_result(list), 0, (size_t)list->count * sizeof(double));
}

/* An odd number of lines of the cache, so that slots are not all in the same place there. */
static inline Py_ssize_t stride_of(Py_ssize_t lanes) { return lanes | EIGHT; }

enum { LINE = 64 }; /* of the cache: a vector that lies in two of them takes twice the time */

/* Room for so many numbers, from the next line of the cache on. */
static inline double *take_room(char **free, Py_ssize_t count)
{
    double *room = (double *)(((uintptr_t)*free + LINE - 1) & ~(uintptr_t)(LINE - 1));
    *free = (char *)(room + count);
    return room;
}

typedef struct Kept Kept;

/* An input that is the index of a lookup, and how many elements that has. */
typedef struct {
    int32_t input, length;
} Lookup;

typedef struct {
    WengertList list;
    Groups groups;
    int32_t *uniform, uniform_count;    /* the instructions that depend on no input */
    int32_t *chain_operands;            /* of chains, which are dots then */
    bool has_large_products;            /* so that a single example, too, is quicker over lanes */
    bool has_single_uses;               /* each number that gradients are summed for is used once: there is no order */
    Lookup *lookups;
    int32_t lookup_count;
    Step *steps;                        /* all others, and products */
    int32_t step_count, step_operand_count, *step_operands;
    int32_t *terms;                     /* the weights, biases and results of dots with gates */
    Part *parts;                        /* of steps, for the sweep backward, which begins with the last */
    int32_t part_count;
    Product *products;
    int32_t product_count;
    Fan *fans;
    int32_t fan_count;
    Py_ssize_t packed_count;            /* numbers that the weights of products take when they are packed */
    Py_ssize_t product_sum_count;      /* and their sums over a fold */
    int32_t most_operands, most_terms;  /* of a step; and the longest sequence of which terms are kept */
    int32_t slots;
    int32_t *slot_of;                   /* of each variable that a step computes or takes from the inputs; else -1 */
    int32_t (*broadcasts)[2], broadcast_count; /* variables that depend on no input, but have a slot, and these slots */
    uint8_t *is_active[2];              /* of each slot: for the parameters alone, and for the inputs too */
    const InstructionSet *instruction_set;
    bool is_fast;                       /* with fast mathematics */
    bool has_fast_steps;                /* of which some have a use for it */
    Scalars *kept_scalars;              /* memory that waits for the next replay */
    Workspace *kept;
    Kept *kept_values;                  /* of the last sweep forward without one backward */
} Program;

#endif
