/* The chain rule along a graph, backward: what backward() of value.py does. */
#ifndef AUTOGRAD_BACKWARD_H
#define AUTOGRAD_BACKWARD_H

#include "node.h"

/* Called when the module is made: from then on, another `_backward` of the class is somebody's wrapper. */
int find_own_backward(void);

PyObject *backward(Node *root, double seed);

/* Whether the node may have a `_backward` of its own, an attribute or a subclass's method. */
static inline bool may_override(const Node *node)
{
    return Py_TYPE(node) != Value_Type || (is_far(node) && node->far.attributes != NULL && PyDict_GET_SIZE(node->far.attributes) > 0);
}

/* The step of one node: adds its gradient, times the local derivatives, to its parents'. */
void push_to_parents(Node *node);

#endif
