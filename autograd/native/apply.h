/* An operation on Values: what apply() of value.py and evaluate() of common.py do. */
#ifndef AUTOGRAD_APPLY_H
#define AUTOGRAD_APPLY_H

#include "node.h"
#include "operations.h"

enum { FEW = 64 }; /* so many numbers are kept on the stack, more in memory of their own */

/* The result of an operation on one or two scalars: their numbers, and the Values that they are, or NULL. */
typedef PyObject *(*Application)(PyObject *const *parents, const double *numbers);

/* A function for each row, with its kernels inlined; NULL for n-ary operations. */
extern const Application APPLY[ROW_COUNT];

/* The operators, of which at least one operand is a Value: NotImplemented, where the other is no real number. */
PyObject *apply_add(PyObject *left, PyObject *right);
PyObject *apply_subtract(PyObject *left, PyObject *right);
PyObject *apply_multiply(PyObject *left, PyObject *right);
PyObject *apply_divide(PyObject *left, PyObject *right);
PyObject *apply_power(PyObject *left, PyObject *right);
PyObject *apply_negative(PyObject *value);
PyObject *apply_abs(PyObject *value);

/* The result of the operation that `node`, which is given away, has the operands of. Their numbers stand in its slots, and
   once more in an array, as the kernels take them; where they are Values, the local derivatives take their place. */
PyObject *apply_to_operands(Node *node, Py_ssize_t n, const double *numbers);

#endif
