/* Many Values' data or grad, to and from an array of float64: what vectors.py has in Python. */
#ifndef AUTOGRAD_VECTORS_H
#define AUTOGRAD_VECTORS_H

#include "cpython.h"

PyObject *add(PyObject *module, PyObject *arguments);
PyObject *first_stranger(PyObject *module, PyObject *values);
PyObject *gather(PyObject *module, PyObject *arguments);
PyObject *scatter(PyObject *module, PyObject *arguments);

#endif
