/* A tape's value_and_grad(), where nothing that it is given needs to be converted. */
#ifndef AUTOGRAD_DIRECT_H
#define AUTOGRAD_DIRECT_H

#include "program.h"

/* value_and_grad(leaves, is_single, threads, batch, parameters, gradient, for_inputs): what Tape.value_and_grad returns; None
   where Python must see to it: for what is no array of float64, and for every error. */
PyObject *value_and_grad(Program *program, PyObject *const *arguments, Py_ssize_t count);

#endif
