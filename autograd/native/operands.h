/* What may be an operand, and how it is read: what operands.py has in Python. */
#ifndef AUTOGRAD_OPERANDS_H
#define AUTOGRAD_OPERANDS_H

#include "node.h"

/* The float of a real number. On an error, -1 with an exception. */
int as_number(PyObject *object, double *number);

/* The operand as operands.py's scalar() reads it, a Value or a float: a new reference. On an error, NULL with an exception. */
PyObject *scalar_of(PyObject *object);

/* After an operand of an operator could not be read: NotImplemented, without an exception, if it is no real number; Python
   asks its class then. NULL for another error, which stays set. */
PyObject *not_implemented(void);

typedef enum { DONE, UNUSUAL } Reading;

/* Reads an operand that can be read without running Python code: its number and, in *parent, the Value that it is (borrowed),
   or NULL. Anything else is UNUSUAL: operands.py reads it. */
ALWAYS_INLINE Reading read_scalar(PyObject *object, PyObject **parent, double *number)
{
    *parent = NULL;
    if (Py_IS_TYPE(object, Value_Type) || (!PyFloat_CheckExact(object) && !PyLong_CheckExact(object) && is_value(object))) {
        *parent = object;
        *number = ((Node *)object)->data;
        return DONE;
    }
    if (PyFloat_CheckExact(object)) {
        *number = PyFloat_AS_DOUBLE(object);
        return DONE;
    }
    if (!PyLong_CheckExact(object)) return UNUSUAL;
    double read; /* its address goes elsewhere, the caller's does not: that number may be in a register */
    if (as_number(object, &read) == 0) {
        *number = read;
        return DONE;
    }
    PyErr_Clear();
    return UNUSUAL;
}

/* The keywords of a vectorcall as a dictionary; empty without any. */
PyObject *keywords_dictionary(PyObject *const *values, PyObject *names);

#endif
