/* The chain rule along a graph, backward: what backward() of value.py does. */
#ifndef AUTOGRAD_BACKWARD_H
#define AUTOGRAD_BACKWARD_H

#include "node.h"

PyObject *backward(Node *root, double seed);

/* The step of one node: adds its gradient, times the local derivatives, to its parents'. */
void push_to_parents(Node *node);

#endif
