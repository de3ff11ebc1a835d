/* The topological order of a graph: what graph.py has in Python. */
#ifndef AUTOGRAD_GRAPH_H
#define AUTOGRAD_GRAPH_H

#include "node.h"

enum { STEPS_BETWEEN_SIGNALS = 1 << 16 }; /* of a walk over a graph, so that it can be interrupted */

/* Nodes, each after all of its parents; borrowed from the roots that they were found from. */
typedef struct {
    Node **nodes;
    Py_ssize_t count, capacity;
} Order;

static inline bool has_operands(const Node *node) { return node->row != LEAF && operand_count(node) > 0; }

/* The number of a walk that begins: it may mark nodes with it, until another walk begins. */
uint64_t new_epoch(void);
bool is_latest_epoch(uint64_t own_epoch);

/* Where a walk begins, and where it goes no further. */
typedef struct {
    PyObject *const *roots, *const *until;
    Py_ssize_t root_count, until_count;
} Graph;

/* The order of the graph, which is to be given back. With `reset`, the gradients of computed nodes are set to 0 on the way.
   On an error, -1 with an exception. */
int find_order(const Graph *graph, Order *order, bool reset);
void give_back_order(Order *order);

/* The order of the roots' graph until these nodes: all three are lists. */
PyObject *topological_order(PyObject *roots, PyObject *until);

#endif
