/* Whether a node's derivatives are known, and whether its operands still have the data that it was computed from. */
#include "refusals.h"

#include "apply.h"
#include "backward.h"
#include "graph.h"

/* Those of the nodes in a list that have operands, but are no plain results of this table: their parents were given by hand,
   or they may have a `_backward` of their own. */
PyObject *unusual_nodes(PyObject *Py_UNUSED(module), PyObject *nodes)
{
    if (!PyList_CheckExact(nodes)) return PyErr_Format(PyExc_TypeError, "expected a list of Values, got %R", nodes);
    PyObject *found = PyList_New(0);
    for (Py_ssize_t i = 0; found != NULL && i < PyList_GET_SIZE(nodes); i++) {
        PyObject *object = PyList_GET_ITEM(nodes, i);
        if (!is_value(object)) {
            Py_DECREF(found);
            return PyErr_Format(PyExc_TypeError, "expected Values, got %R among them", object);
        }
        Node *node = (Node *)object;
        if ((node->row >= ROW_COUNT || may_override(node)) && has_operands(node) && PyList_Append(found, object) < 0)
            Py_CLEAR(found);
    }
    return found;
}

/* Bit for bit, with any nan for a nan. */
static bool is_same(double x, double y) { return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y)); }

/* Whether the kernels give the node's value, which is finite, and its local derivatives, on the numbers of its operands. What
   is not finite is left to the table's rules in Python, which may raise. The array has room for twice the operands. */
static bool is_given_again(Node *node, double *numbers)
{
    const Row *row = &ROWS[node->row];
    const Slot *slots = node_slots(node);
    const Py_ssize_t count = node_count(node);
    const Py_ssize_t n = sequence_length(row, count);
    double *derivatives = numbers + count;
    for (Py_ssize_t i = 0; i < count; i++)
        numbers[i] = slots[i].parent != NULL ? ((Node *)slots[i].parent)->data : slots[i].number;
    if (!isfinite(node->data) || !is_same(row->value(n, numbers), node->data)) return false;
    for (int operand = 0; operand < row->operands; operand++) {
        const Py_ssize_t length = operand < row->sequences ? n : 1;
        row->partials[operand](node->data, n, numbers, derivatives);
        for (Py_ssize_t i = 0; i < length; i++)
            if (slots[i].parent != NULL && !is_same(derivatives[i], slots[i].number)) return false;
        slots += length;
    }
    return true;
}

PyObject *is_as_computed(PyObject *Py_UNUSED(module), PyObject *object)
{
    if (!is_value(object)) return PyErr_Format(PyExc_TypeError, "expected a Value, got %R", object);
    Node *node = (Node *)object;
    if (node->row >= ROW_COUNT) Py_RETURN_FALSE; /* there is no kernel */
    if (node_expand(node) < 0) return NULL;
    const Py_ssize_t count = node_count(node);
    double few_numbers[2 * FEW], *numbers = few_numbers;
    if (count > FEW && (numbers = PyMem_Malloc(2 * (size_t)count * sizeof(double))) == NULL) return PyErr_NoMemory();
    bool given_again = is_given_again(node, numbers);
    if (numbers != few_numbers) PyMem_Free(numbers);
    return PyBool_FromLong(given_again);
}
