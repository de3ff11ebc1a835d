/* One loop over the Values, where Python would make a float for each. */
#include "vectors.h"

#include "node.h"

static double *field_of(PyObject *value, bool is_grad)
{
    return is_grad ? &((Node *)value)->grad : &((Node *)value)->data;
}

/* vectors.py has checked that values and vector fit each other; what this checks again keeps the memory safe. */
static PyObject *copy_numbers(PyObject *arguments, bool to_vector)
{
    PyObject *values;
    int is_grad;
    Py_buffer vector;
    if (!PyArg_ParseTuple(arguments, to_vector ? "Opw*" : "Opy*", &values, &is_grad, &vector)) return NULL;
    PyObject *items = PySequence_Fast(values, "expected a list or tuple of Values");
    Py_ssize_t count = items != NULL ? PySequence_Fast_GET_SIZE(items) : 0;
    bool fits = items != NULL && vector.len == count * (Py_ssize_t)sizeof(double);
    double *numbers = vector.buf;
    for (Py_ssize_t i = 0; fits && i < count; i++) {
        PyObject *value = PySequence_Fast_GET_ITEM(items, i);
        fits = is_value(value);
        if (fits && to_vector) numbers[i] = *field_of(value, is_grad);
        else if (fits) *field_of(value, is_grad) = numbers[i];
    }
    if (!to_vector && !is_grad) changes++;
    PyBuffer_Release(&vector);
    Py_XDECREF(items);
    if (items != NULL && !fits) PyErr_SetString(PyExc_TypeError, "expected as many numbers as Values");
    return fits ? Py_NewRef(Py_None) : NULL;
}

PyObject *first_stranger(PyObject *Py_UNUSED(module), PyObject *values)
{
    PyObject *items = PySequence_Fast(values, "expected a list or tuple of Values");
    if (items == NULL) return NULL;
    Py_ssize_t i = 0, count = PySequence_Fast_GET_SIZE(items);
    while (i < count && is_value(PySequence_Fast_GET_ITEM(items, i))) i++;
    Py_DECREF(items);
    return PyLong_FromSsize_t(i < count ? i : -1);
}

PyObject *gather(PyObject *Py_UNUSED(module), PyObject *arguments) { return copy_numbers(arguments, true); }

PyObject *scatter(PyObject *Py_UNUSED(module), PyObject *arguments) { return copy_numbers(arguments, false); }
