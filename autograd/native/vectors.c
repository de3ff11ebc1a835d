/* One loop over the Values, where Python would make a float for each. */
#include "vectors.h"

#include "node.h"
#include "operands.h"

static double *field_of(PyObject *value, bool is_grad)
{
    return is_grad ? &((Node *)value)->grad : &((Node *)value)->data;
}

/* Whether a subclass has a `data` or `grad` of its own, which is then to be asked. */
static bool is_overridden(PyObject *value, PyObject *name)
{
    return !Py_IS_TYPE(value, Value_Type) && _PyType_Lookup(Py_TYPE(value), name) != _PyType_Lookup(Value_Type, name);
}

static int copy_number(PyObject *value, bool is_grad, PyObject *name, double *number, bool to_vector)
{
    if (!is_overridden(value, name)) {
        if (to_vector) *number = *field_of(value, is_grad);
        else *field_of(value, is_grad) = *number;
        return 0;
    }
    Py_INCREF(value); /* what runs now may take it out of the list */
    PyObject *object = to_vector ? PyObject_GetAttr(value, name) : PyFloat_FromDouble(*number);
    int status = object == NULL ? -1 : to_vector ? as_number(object, number) : PyObject_SetAttr(value, name, object);
    Py_XDECREF(object);
    Py_DECREF(value);
    return status;
}

/* vectors.py has checked that values and vector fit each other; what this checks again keeps the memory safe. */
static PyObject *copy_numbers(PyObject *arguments, bool to_vector)
{
    PyObject *values;
    int is_grad;
    Py_buffer vector;
    if (!PyArg_ParseTuple(arguments, to_vector ? "Opw*" : "Opy*", &values, &is_grad, &vector)) return NULL;
    PyObject *items = PySequence_Fast(values, "expected a list or tuple of Values"), *name = PyUnicode_FromString(is_grad ? "grad" : "data");
    Py_ssize_t count = items != NULL ? PySequence_Fast_GET_SIZE(items) : 0;
    bool fits = items != NULL && name != NULL && vector.len == count * (Py_ssize_t)sizeof(double);
    double *numbers = vector.buf;
    int status = 0;
    for (Py_ssize_t i = 0; fits && status == 0 && i < count; i++) {
        PyObject *value = i < PySequence_Fast_GET_SIZE(items) ? PySequence_Fast_GET_ITEM(items, i) : Py_None;
        fits = is_value(value);
        if (fits) status = copy_number(value, is_grad, name, &numbers[i], to_vector);
    }
    if (!to_vector && !is_grad) changes++;
    PyBuffer_Release(&vector);
    Py_XDECREF(items);
    Py_XDECREF(name);
    if (!PyErr_Occurred() && !fits) PyErr_SetString(PyExc_TypeError, "expected as many numbers as Values");
    return fits && status == 0 ? Py_NewRef(Py_None) : NULL;
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

/* What follows its three arguments is what `with` calls its end with. */
PyObject *scatter(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *own = PyTuple_GetSlice(arguments, 0, 3), *done = own != NULL ? copy_numbers(own, false) : NULL;
    Py_XDECREF(own);
    return done;
}
