/* The attributes of a Value: data, grad, label, parents, ..., and those that users set. */
#ifndef AUTOGRAD_ATTRIBUTES_H
#define AUTOGRAD_ATTRIBUTES_H

#include "cpython.h"

extern PyGetSetDef value_attributes[];
PyObject *value_getattro(PyObject *self, PyObject *name);
int value_setattro(PyObject *self, PyObject *name, PyObject *attribute);

/* The instance's own attributes in a dictionary: an empty one, which is not the instance's, if it has none. */
PyObject *value_read_attributes(PyObject *self, PyObject *nothing);

#endif
