/* One loop over the Values, where Python would make a float for each. */
#include "vectors.h"

#include "node.h"
#include "operands.h"

/* vector = values, values = vector, values += vector. */
typedef enum { GATHER, SCATTER, ADD } Direction;

static double *field_of(PyObject *value, bool is_grad)
{
    return is_grad ? &((Node *)value)->grad : &((Node *)value)->data;
}

ALWAYS_INLINE void move_number(double *field, double *number, Direction direction)
{
    if (direction == GATHER) *number = *field;
    else *field = direction == ADD ? *field + *number : *number;
}

enum { AHEAD = 128 }; /* so early a Value is sent for: of many, most lie in slow memory */

/* Moves the numbers of the Values that are of no subclass. Returns the place of the first item that is something else. */
ALWAYS_INLINE Py_ssize_t move_all_plain(PyObject **items, Py_ssize_t first, Py_ssize_t end, bool is_grad, double *numbers,
                                        Direction direction)
{
    PyTypeObject *type = Value_Type;
    Py_ssize_t i = first;
    for (; i + AHEAD < end && Py_IS_TYPE(items[i], type); i++) {
        PREFETCH(field_of(items[i + AHEAD], is_grad));
        move_number(field_of(items[i], is_grad), &numbers[i], direction);
    }
    for (; i < end && Py_IS_TYPE(items[i], type); i++) move_number(field_of(items[i], is_grad), &numbers[i], direction);
    return i;
}

static Py_ssize_t move_plain(PyObject **items, Py_ssize_t first, Py_ssize_t end, bool is_grad, double *numbers,
                             Direction direction)
{
    switch (direction) { /* a loop for each, without a question inside */
        case GATHER: return move_all_plain(items, first, end, is_grad, numbers, GATHER);
        case SCATTER: return move_all_plain(items, first, end, is_grad, numbers, SCATTER);
        default: return move_all_plain(items, first, end, is_grad, numbers, ADD);
    }
}

/* Whether a subclass has a `data` or `grad` of its own, which is then to be asked. */
static bool is_overridden(PyObject *value, PyObject *name)
{
    return !Py_IS_TYPE(value, Value_Type) && _PyType_Lookup(Py_TYPE(value), name) != _PyType_Lookup(Value_Type, name);
}

static int get_number(PyObject *value, PyObject *name, double *number)
{
    PyObject *object = PyObject_GetAttr(value, name);
    int status = object == NULL ? -1 : as_number(object, number);
    Py_XDECREF(object);
    return status;
}

static int set_number(PyObject *value, PyObject *name, double number)
{
    PyObject *object = PyFloat_FromDouble(number);
    int status = object == NULL ? -1 : PyObject_SetAttr(value, name, object);
    Py_XDECREF(object);
    return status;
}

static int move_any(PyObject *value, bool is_grad, PyObject *name, double *number, Direction direction)
{
    if (!is_overridden(value, name)) {
        move_number(field_of(value, is_grad), number, direction);
        return 0;
    }
    double own = 0.0;
    Py_INCREF(value); /* what runs now may take it out of the list */
    int status = direction == SCATTER ? 0 : get_number(value, name, &own);
    if (status == 0) move_number(&own, number, direction);
    if (status == 0 && direction != GATHER) status = set_number(value, name, own);
    Py_DECREF(value);
    return status;
}

/* Of a list or tuple. vectors.py has checked that it fits the numbers; what this checks again keeps the memory safe. */
static int move_all(PyObject *items, bool is_grad, double *numbers, Py_ssize_t count, Direction direction)
{
    PyObject *name = PyUnicode_FromString(is_grad ? "grad" : "data");
    bool fits = PySequence_Fast_GET_SIZE(items) == count;
    int status = name != NULL ? 0 : -1;
    for (Py_ssize_t i = 0; fits && status == 0; i++) {
        Py_ssize_t there = PySequence_Fast_GET_SIZE(items), end = count < there ? count : there; /* a list may change */
        i = move_plain(PySequence_Fast_ITEMS(items), i, end, is_grad, numbers, direction);
        if (i >= count) break;
        PyObject *value = i < end ? PySequence_Fast_GET_ITEM(items, i) : Py_None;
        fits = is_value(value);
        if (fits) status = move_any(value, is_grad, name, &numbers[i], direction);
    }
    if (direction != GATHER && !is_grad) changes++;
    Py_XDECREF(name);
    if (!PyErr_Occurred() && !fits) PyErr_SetString(PyExc_TypeError, "expected as many numbers as Values");
    return fits ? status : -1;
}

Py_ssize_t gather_plain(PyObject **values, double *numbers, Py_ssize_t count)
{
    return move_plain(values, 0, count, false, numbers, GATHER);
}

int add_to_gradients(PyObject *values, double *numbers, Py_ssize_t count)
{
    return move_all(values, true, numbers, count, ADD);
}

static PyObject *move_numbers(PyObject *arguments, Direction direction)
{
    PyObject *values;
    int is_grad;
    Py_buffer vector;
    if (!PyArg_ParseTuple(arguments, direction == GATHER ? "Opw*" : "Opy*", &values, &is_grad, &vector)) return NULL;
    PyObject *items = PySequence_Fast(values, "expected a list or tuple of Values");
    Py_ssize_t count = vector.len / (Py_ssize_t)sizeof(double);
    int status = items == NULL ? -1 : move_all(items, is_grad, vector.buf, count, direction);
    PyBuffer_Release(&vector);
    Py_XDECREF(items);
    return status == 0 ? Py_NewRef(Py_None) : NULL;
}

PyObject *first_stranger(PyObject *Py_UNUSED(module), PyObject *values)
{
    PyObject *items = PySequence_Fast(values, "expected a list or tuple of Values");
    if (items == NULL) return NULL;
    PyObject **objects = PySequence_Fast_ITEMS(items);
    PyTypeObject *type = Value_Type;
    Py_ssize_t i = 0, count = PySequence_Fast_GET_SIZE(items);
    while (i < count && (Py_IS_TYPE(objects[i], type) || is_value(objects[i]))) i++;
    Py_DECREF(items);
    return PyLong_FromSsize_t(i < count ? i : -1);
}

PyObject *gather(PyObject *Py_UNUSED(module), PyObject *arguments) { return move_numbers(arguments, GATHER); }

PyObject *add(PyObject *Py_UNUSED(module), PyObject *arguments) { return move_numbers(arguments, ADD); }

/* What follows its three arguments is what `with` calls its end with. */
PyObject *scatter(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *own = PyTuple_GetSlice(arguments, 0, 3), *done = own != NULL ? move_numbers(own, SCATTER) : NULL;
    Py_XDECREF(own);
    return done;
}
