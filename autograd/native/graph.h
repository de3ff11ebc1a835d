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

/* The order of the roots' graphs, which is to be given back. With `reset`, the gradients of computed nodes are set to 0 on
   the way. On an error, -1 with an exception. */
int find_order(PyObject *const *roots, Py_ssize_t root_count, Order *order, bool reset);
void give_back_order(Order *order);

/* The order as a list. */
PyObject *topological_order(PyObject *const *roots, Py_ssize_t root_count);

#endif
