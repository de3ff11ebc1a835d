/* The attributes of a Value: data, grad, label, parents, ..., and those that users set. */
#ifndef AUTOGRAD_ATTRIBUTES_H
#define AUTOGRAD_ATTRIBUTES_H

#include "cpython.h"

extern PyGetSetDef value_attributes[];
PyObject *value_getattro(PyObject *self, PyObject *name);
int value_setattro(PyObject *self, PyObject *name, PyObject *attribute);

#endif
