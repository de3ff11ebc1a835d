/* What may be an operand, and how it is read: what operands.py has in Python. */
#ifndef AUTOGRAD_OPERANDS_H
#define AUTOGRAD_OPERANDS_H

#include "node.h"

/* The float of a real number. On an error, -1 with an exception. */
int as_number(PyObject *object, double *number);

/* The number of an operand and, in *parent, the Value that it is (borrowed), or NULL. On an error, -1 with an exception. */
static inline int as_operand(PyObject *object, PyObject **parent, double *number)
{
    *parent = NULL;
    if (PyFloat_CheckExact(object)) {
        *number = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    if (Py_IS_TYPE(object, Value_Type) || (!PyLong_CheckExact(object) && is_value(object))) {
        *parent = object;
        *number = ((Node *)object)->data;
        return 0;
    }
    return as_number(object, number);
}

/* After an operand of an operator could not be read: NotImplemented, without an exception, if it is no real number; Python
   asks its class then. NULL for another error, which stays set. */
PyObject *not_implemented(void);

typedef enum { DONE, UNUSUAL } Reading;

/* Reads an operand that can be read without running Python code. Anything else is UNUSUAL: operands.py reads it. */
static inline Reading read_scalar(PyObject *object, PyObject **parent, double *number)
{
    if (Py_IS_TYPE(object, Value_Type)) {
        *parent = object;
        *number = ((Node *)object)->data;
        return DONE;
    }
    if (!PyFloat_CheckExact(object) && !PyLong_CheckExact(object) && !is_value(object)) return UNUSUAL;
    if (as_operand(object, parent, number) == 0) return DONE;
    PyErr_Clear();
    return UNUSUAL;
}

/* The keywords of a vectorcall as a dictionary; empty without any. */
PyObject *keywords_dictionary(PyObject *const *values, PyObject *names);

#endif
