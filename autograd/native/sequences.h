/* Sequences of operands, each kept once for all nodes that have it. */
#ifndef AUTOGRAD_SEQUENCES_H
#define AUTOGRAD_SEQUENCES_H

#include "node.h"
#include "operands.h"

/* The sequence of one or more operands, with a reference that is to be given up, and their numbers. UNUSUAL without an
   exception if they are to be read otherwise, with one if memory is short. */
Reading take_sequence(PyObject *const *objects, Py_ssize_t n, double *numbers, Sequence **sequence);

#endif
