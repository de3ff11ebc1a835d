/* What cannot be differentiated as it was computed: what transforms/refusals.py asks of many nodes. */
#ifndef AUTOGRAD_REFUSALS_H
#define AUTOGRAD_REFUSALS_H

#include "cpython.h"

PyObject *unusual_nodes(PyObject *module, PyObject *nodes);
PyObject *is_as_computed(PyObject *module, PyObject *object);

#endif
