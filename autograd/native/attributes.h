/* The attributes of a Value: data, grad, label, parents, ..., and those that users set. */
#ifndef AUTOGRAD_ATTRIBUTES_H
#define AUTOGRAD_ATTRIBUTES_H

#include "node.h"

extern PyGetSetDef value_attributes[];
PyObject *value_getattro(PyObject *self, PyObject *name);
int value_setattro(PyObject *self, PyObject *name, PyObject *attribute);

/* What a node was computed by and from; NULL with an exception if that fails. */
PyObject *get_operation(PyObject *self, void *closure);         /* an Operation or None */
PyObject *get_local_derivatives(PyObject *self, void *closure); /* a tuple, with a float for each Value among the operands */
PyObject *flat_operands(Node *node);                            /* a tuple of Values and floats */

/* The instance's own attributes in a dictionary: an empty one, which is not the instance's, if it has none. */
PyObject *value_read_attributes(PyObject *self, PyObject *nothing);

#endif
