/* Many Values' data or grad, to and from an array of float64: what vectors.py has in Python. */
#ifndef AUTOGRAD_VECTORS_H
#define AUTOGRAD_VECTORS_H

#include "cpython.h"

PyObject *add(PyObject *module, PyObject *arguments);
PyObject *first_stranger(PyObject *module, PyObject *values);
PyObject *gather(PyObject *module, PyObject *arguments);
PyObject *scatter(PyObject *module, PyObject *arguments);

/* Takes the data of the Values that are of no subclass, and returns how many come before one that is, or anything else. */
Py_ssize_t gather_plain(PyObject **values, double *numbers, Py_ssize_t count);

/* Adds to the gradients of so many Values, in a list or tuple. Returns -1 with an exception. */
int add_to_gradients(PyObject *values, double *numbers, Py_ssize_t count);

#endif
