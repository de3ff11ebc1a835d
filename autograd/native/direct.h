/* A tape's value_and_grad(), forward() and backward(), where nothing that they are given needs to be converted. Python must see to
   everything else, and to every error. */
#ifndef AUTOGRAD_DIRECT_H
#define AUTOGRAD_DIRECT_H

#include "program.h"

/* value_and_grad(leaves, is_single, threads, batch, parameters, gradient, for_inputs): what Tape.value_and_grad returns; None
   where Python must see to it. */
PyObject *value_and_grad(Program *program, PyObject *const *arguments, Py_ssize_t count);

/* forward_directly(leaves, is_single, threads, batch, parameters): what Tape.forward returns, and what has been replayed: the batch, its
   numbers and those of the parameters, as bytes; None where Python must see to it. */
PyObject *forward_directly(Program *program, PyObject *const *arguments, Py_ssize_t count);

/* backward_directly(leaves, is_single, threads, replayed, gradient, for_inputs): what Tape.backward returns; NotImplemented where Python
   must see to it. The leaves are of no subclass. */
PyObject *backward_directly(Program *program, PyObject *const *arguments, Py_ssize_t count);

#endif
