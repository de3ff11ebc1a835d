/* The chain rule along a graph, forward: what push_forward_floats() of transforms/sweeps.py does. */
#ifndef AUTOGRAD_SWEEPS_H
#define AUTOGRAD_SWEEPS_H

#include "cpython.h"

PyObject *push_forward(PyObject *module, PyObject *arguments);

#endif
