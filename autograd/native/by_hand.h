/* Nodes that no row of this table computed: their parents, and perhaps their local derivatives, were given by hand. */
#ifndef AUTOGRAD_BY_HAND_H
#define AUTOGRAD_BY_HAND_H

#include "node.h"

/* What operands.py's by_hand() returns becomes the node's: (parents, symbol, local derivatives). Former operands go. */
int set_parts(Node *node, PyObject *parts);

/* Methods of a Value. */
PyObject *value_set_by_hand(PyObject *self, PyObject *parts);
PyObject *value_set_symbol(PyObject *self, PyObject *symbol);

/* given(data, operands, local_derivatives, operation, symbol): the node of an operation that was defined at run time. */
PyObject *given(PyObject *module, PyObject *arguments);

#endif
