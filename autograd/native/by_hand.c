/* The operands of a node by hand stand in slots as others' do, and its operation and symbol behind them. */
#include "by_hand.h"

#include "attributes.h"

/* Gives the node these operands, Values or floats, a local derivative for each Value, if they are known, and a tail: the
   operation, or None, and the symbol. */
static int set_operands(Node *node, PyObject *operands, PyObject *derivatives, PyObject *operation, PyObject *symbol)
{
    Py_ssize_t count = PyTuple_GET_SIZE(operands), values = 0, known = PyTuple_GET_SIZE(derivatives);
    if (count == 0 && PyUnicode_GET_LENGTH(symbol) == 0) {
        node_drop_operands(node);
        return 0;
    }
    Far *far = node_far(node);
    PyObject *tail = far != NULL ? PyTuple_Pack(2, operation, symbol) : NULL;
    Slots *slots = tail != NULL ? slots_new(count + 1) : NULL;
    if (slots == NULL) {
        Py_XDECREF(tail);
        return -1;
    }
    bool tracks_results = false;
    for (Slot *slot = slots->items; slots->count < count; slot++, slots->count++) {
        PyObject *operand = PyTuple_GET_ITEM(operands, slots->count);
        if (is_value(operand)) {
            *slot = (Slot){Py_NewRef(operand), known > 0 ? PyFloat_AsDouble(PyTuple_GET_ITEM(derivatives, values)) : 0.0};
            values++;
            tracks_results |= ((Node *)operand)->tracks_results;
        } else {
            *slot = (Slot){NULL, PyFloat_AsDouble(operand)};
        }
    }
    slots->items[count] = (Slot){tail, 0.0};
    do node_drop_operands(node);
    while (far->slots != NULL); /* what that has freed may have given it others */
    far->slots = slots;
    node->row = known > 0 ? GIVEN : CUSTOM;
    node_make_special(node);
    if (tracks_results) node_track(node);
    return 0;
}

static bool holds(PyObject *tuple, bool floats_too, Py_ssize_t *values)
{
    *values = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (is_value(item)) ++*values;
        else if (!floats_too || !PyFloat_CheckExact(item)) return false;
    }
    return true;
}

/* Whether there is a derivative for each Value among the operands, or none. */
static bool belong_together(PyObject *operands, PyObject *derivatives)
{
    Py_ssize_t values, known = PyTuple_GET_SIZE(derivatives);
    return holds(operands, true, &values) && (known == 0 || known == values);
}

static bool are_floats(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (!PyFloat_CheckExact(PyTuple_GET_ITEM(tuple, i))) return false;
    return true;
}

int set_parts(Node *node, PyObject *parts)
{
    PyObject *parents, *symbol, *derivatives;
    Py_ssize_t values;
    if (!PyArg_ParseTuple(parts, "O!UO!", &PyTuple_Type, &parents, &symbol, &PyTuple_Type, &derivatives)) return -1;
    if (!holds(parents, false, &values) || !are_floats(derivatives) ||
        (PyTuple_GET_SIZE(derivatives) > 0 && PyTuple_GET_SIZE(derivatives) != values)) {
        PyErr_SetString(PyExc_TypeError, "expected Values, a symbol, and a float for each Value, or none");
        return -1;
    }
    return set_operands(node, parents, derivatives, Py_None, symbol);
}

PyObject *value_set_by_hand(PyObject *self, PyObject *parts)
{
    return set_parts((Node *)self, parts) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *value_set_symbol(PyObject *self, PyObject *symbol)
{
    Node *node = (Node *)self;
    if (!PyUnicode_Check(symbol)) return PyErr_Format(PyExc_TypeError, "expected a string, got %R", symbol);
    PyObject *operands = NULL, *derivatives = NULL, *operation = NULL;
    do { /* a new tuple may run the garbage collector, and so code that gives the node other operands */
        Py_XSETREF(operands, flat_operands(node));
        Py_XSETREF(derivatives, operands != NULL ? get_local_derivatives(self, NULL) : NULL);
    } while (derivatives != NULL && !belong_together(operands, derivatives));
    if (derivatives != NULL) operation = get_operation(self, NULL);
    int status = operation != NULL ? set_operands(node, operands, derivatives, operation, symbol) : -1;
    Py_XDECREF(operands);
    Py_XDECREF(derivatives);
    Py_XDECREF(operation);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *given(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    double data;
    PyObject *operands, *derivatives, *operation, *symbol;
    Py_ssize_t values;
    if (!PyArg_ParseTuple(arguments, "dO!O!OU:given", &data, &PyTuple_Type, &operands, &PyTuple_Type, &derivatives, &operation,
                          &symbol))
        return NULL;
    if (!holds(operands, true, &values) || values == 0 || !are_floats(derivatives) || PyTuple_GET_SIZE(derivatives) != values)
        return PyErr_Format(PyExc_TypeError, "expected Values and floats, and a float for each Value");
    Node *node = node_leaf();
    if (node == NULL) return NULL;
    if (set_operands(node, operands, derivatives, operation, symbol) < 0) Py_CLEAR(node);
    else node->data = data;
    return node_made(node);
}
