/* The layers in a Wengert list: instructions that are alike and need nothing of each other. The twin of tape/groups.py. */
#ifndef AUTOGRAD_GROUPS_H
#define AUTOGRAD_GROUPS_H

#include "wengert.h"

enum { PRODUCT = -1 }; /* in the place of a row */

/* Instructions of one row and depth. A product has neurons, result_j = bias_j + sum over k of weight_jk input_k. */
typedef struct {
    int32_t row, length, count, depth;
    int32_t *results;
    int32_t *weights; /* count * length variables, neuron by neuron; NULL if it is no product */
    int32_t *biases;
    const int32_t *inputs;
} Group;

/* Some results of a group, from `first` to before `end`, whose adjoints are known at one time. */
typedef struct {
    int32_t group, first, end, depth;
} Part;

typedef struct {
    Group *groups; /* in an order for the sweep forward */
    Part *parts;   /* in an order for the sweep backward, which begins with the last */
    int32_t *order; /* of the list's instructions but those inside of chains, in which a single example can be computed */
    int32_t group_count, part_count, order_count;
    int32_t *memory;
} Groups;

/* Finds the groups of a list. Returns -1, without an exception, if memory is short; in either case they are to be freed. */
int find_groups(const WengertList *list, Groups *groups);
void free_groups(Groups *groups);

PyObject *groups(PyObject *module, PyObject *arguments);

#endif
