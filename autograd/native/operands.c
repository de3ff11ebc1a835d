/* Operands that are read rarely: those that are neither plain floats nor Values. */
#include "operands.h"

#include "recording.h"
#include "specification.h"

int as_number(PyObject *object, double *number)
{
    if (PyFloat_CheckExact(object)) {
        *number = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    if (PyLong_CheckExact(object)) {
        *number = PyLong_AsDouble(object);
        if (*number != -1.0 || !PyErr_Occurred()) return 0;
        PyErr_Clear(); /* it is beyond all floats, of which operands.py tells */
    }
    if (is_value(object)) {
        *number = ((Node *)object)->data;
        return check_guard(object, "float()");
    }
    PyObject *converted = PyObject_CallOneArg(specification.real_number, object);
    if (converted == NULL) return -1;
    *number = PyFloat_AsDouble(converted);
    Py_DECREF(converted);
    return 0;
}

PyObject *scalar_of(PyObject *object)
{
    return PyObject_CallFunctionObjArgs(specification.scalar, object, (PyObject *)Value_Type, NULL);
}

PyObject *not_implemented(void)
{
    if (!PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(specification.own_gradient_error)) return NULL;
    PyErr_Clear();
    Py_RETURN_NOTIMPLEMENTED;
}

PyObject *keywords_dictionary(PyObject *const *values, PyObject *names)
{
    PyObject *keywords = PyDict_New();
    for (Py_ssize_t i = 0; keywords != NULL && names != NULL && i < PyTuple_GET_SIZE(names); i++)
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), values[i]) < 0) Py_CLEAR(keywords);
    return keywords;
}
