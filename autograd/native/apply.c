/* An operation on Values: the result, its operands, and the local derivative with respect to each.

   The kernels are plain floating point. Where their result is not finite, the table's own rule in Python decides whether
   that is an error, so that errors are written once. */
#include "native.h"

int as_number(PyObject *object, double *number)
{
    if (PyFloat_CheckExact(object)) {
        *number = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    if (PyLong_CheckExact(object)) {
        *number = PyLong_AsDouble(object);
        return *number == -1.0 && PyErr_Occurred() ? -1 : 0;
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

static PyObject *number_object(const double *numbers, Py_ssize_t n, bool is_sequence)
{
    if (!is_sequence) return PyFloat_FromDouble(numbers[0]);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++) {
        PyObject *number = PyFloat_FromDouble(numbers[i]);
        if (number == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, number);
    }
    return list;
}

int evaluate_by_the_rule(int row, Py_ssize_t n, PyObject *const *parents, const double *numbers, double *result)
{
    const Row *operation = &ROWS[row];
    PyObject *operands = PyList_New(operation->operands), *values = PyList_New(operation->operands), *value = NULL;
    if (operands == NULL || values == NULL) goto done;
    for (int i = 0; i < operation->operands; i++) {
        bool is_sequence = i < operation->sequences;
        PyObject *operand = number_object(numbers, n, is_sequence);
        if (operand == NULL) goto done;
        PyList_SET_ITEM(operands, i, operand);
        PyObject *labelled = !is_sequence && *parents != NULL ? *parents : Py_None;
        PyList_SET_ITEM(values, i, Py_NewRef(labelled));
        numbers += is_sequence ? n : 1;
        parents += is_sequence ? n : 1;
    }
    PyObject *python_row = PyTuple_GET_ITEM(specification.operations, row);
    value = PyObject_CallFunctionObjArgs(specification.evaluate, python_row, operands, values, NULL);
    if (value != NULL) *result = PyFloat_AsDouble(value);
done:
    Py_XDECREF(operands);
    Py_XDECREF(values);
    if (value == NULL) return -1;
    Py_DECREF(value);
    return 0;
}

int no_grad_blocks = 0;

int is_recording_here(void)
{
    PyObject *open_blocks;
    if (PyContextVar_Get(specification.open_blocks, NULL, &open_blocks) < 0) return -1;
    long count = PyLong_AsLong(open_blocks);
    Py_DECREF(open_blocks);
    return count == 0;
}

static bool holds_value(const Slot *slots, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (slots[i].parent != NULL) return true;
    return false;
}

static bool tracks_results(const Slot *slots, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (slots[i].parent != NULL && ((Node *)slots[i].parent)->tracks_results) return true;
    return false;
}

/* evaluate_by_the_rule() for operands that are in a node's slots. */
static int evaluate_slots_by_the_rule(const Node *node, Py_ssize_t n, const double *numbers, double *result)
{
    Py_ssize_t count = node_count(node);
    PyObject **parents = PyMem_Malloc((size_t)count * sizeof(PyObject *) + 1);
    if (parents == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) parents[i] = node_slots((Node *)node)[i].parent;
    int status = evaluate_by_the_rule((int)node->row, n, parents, numbers, result);
    PyMem_Free(parents);
    return status;
}

static int differentiate(Node *node, Py_ssize_t n, const double *numbers)
{
    const Row *operation = &ROWS[node->row];
    double few_derivatives[FEW], *derivatives = few_derivatives;
    if (n > FEW) derivatives = PyMem_Malloc((size_t)n * sizeof(double));
    if (derivatives == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Slot *slots = node_slots(node);
    for (int operand = 0; operand < operation->operands; operand++) {
        Py_ssize_t length = operand < operation->sequences ? n : 1;
        if (holds_value(slots, length)) {
            operation->partials[operand](node->data, n, numbers, derivatives);
            for (Py_ssize_t i = 0; i < length; i++)
                if (slots[i].parent != NULL) slots[i].number = derivatives[i];
        }
        slots += length;
    }
    if (derivatives != few_derivatives) PyMem_Free(derivatives);
    return 0;
}

PyObject *apply_to_operands(Node *node, Py_ssize_t n, const double *numbers)
{
    PyObject *result = NULL;
    double data = ROWS[node->row].value(n, numbers);
    if (!isfinite(data) && evaluate_slots_by_the_rule(node, n, numbers, &data) < 0) goto done;
    node->data = data;
    if (!holds_value(node_slots(node), node_count(node))) {
        result = PyFloat_FromDouble(data);
        goto done;
    }
    int recording = is_recording();
    if (recording == 1 && differentiate(node, n, numbers) == 0) {
        if (tracks_results(node_slots(node), node_count(node))) node_track(node);
        return (PyObject *)node;
    }
    if (recording == 0) {
        Node *leaf = node_new(LEAF, 0);
        if (leaf != NULL) leaf->data = data;
        result = (PyObject *)leaf;
    }
done:
    Py_DECREF(node);
    return result;
}
