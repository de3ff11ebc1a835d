/* The type Value: what value.py has in Python. */
#ifndef AUTOGRAD_VALUE_H
#define AUTOGRAD_VALUE_H

#include "cpython.h"

extern PyType_Spec value_spec;
PyObject *value_call(PyObject *type, PyObject *const *arguments, size_t flagged_count, PyObject *names);

#endif
