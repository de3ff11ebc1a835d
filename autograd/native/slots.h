/* Where numbers lie: the slots of a program that is being laid out, and the products of its neurons. */
#ifndef AUTOGRAD_SLOTS_H
#define AUTOGRAD_SLOTS_H

#include "program.h"

/* Of an instruction: the side of its inputs, if it is a dot with gates, or NO_SIDE; which it is among so many that are computed
   together; and its step, or theirs. */
typedef struct {
    int32_t side, neuron, neurons, step;
} Place;

enum { NO_SIDE = -1 };

typedef struct {
    Program *program;
    Place *places; /* of each instruction */
    int32_t *broadcast_of; /* the slot of each variable, constants before, that has been given one; else -1 */
    int32_t *latest;       /* for each variable the latest product that has packed weights, this one first; or -1 */
    int32_t *operands;     /* room for the next step's */
    int32_t *seen;         /* for each variable the latest mark that it was given */
    int32_t mark;          /* the latest one: each question has a mark of its own */
    int32_t *terms;        /* room for the weights, biases and results of the next dots with gates */
    int32_t *exponentials; /* for each variable the slot of its latest exponential, */
    int32_t *shares;       /* and the result that this was computed for, whose other operands share the shift; or -1 */
} Layout;

static inline const Instruction *instruction_of(const Layout *layout, int32_t result)
{
    const WengertList *list = &layout->program->list;
    return &list->instructions[result - first_result(list)];
}

/* Marks a variable. Whether it had not been marked since the question began. */
static inline bool mark(Layout *layout, int32_t variable)
{
    bool is_new = layout->seen[variable] != layout->mark;
    layout->seen[variable] = layout->mark;
    return is_new;
}

/* Marks operands. Returns false if one of them was so before: then not all are marked. */
static inline bool mark_all(Layout *layout, const int32_t *operands, int32_t count)
{
    for (int32_t k = 0; k < count; k++)
        if (operands[k] >= 0 && !mark(layout, operands[k])) return false; /* a constant has no adjoint */
    return true;
}

static inline Place *place_of(const Layout *layout, int32_t result)
{
    return &layout->places[result - first_result(&layout->program->list)];
}

static inline bool is_learned(const WengertList *list, int32_t variable) { return list->dependences[variable] & ON_PARAMETERS; }

/* The slot of a variable, which what depends on no input is given when it is asked for; and those of several, as operands of the
   next step. */
int32_t slot_of(Layout *layout, int32_t variable);
int32_t *slots_of(Layout *layout, const int32_t *variables, int32_t count);

/* Adds the step of a product, with its weights' places. */
void add_product(Layout *layout, const Group *group);

#endif
