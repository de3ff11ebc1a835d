/* An operation on Values: the result, its operands, and the local derivative with respect to each.

   The kernels are plain floating point. Where their result is not finite, the table's own rule in Python decides whether
   that is an error, so that errors are written once. */
#include "apply.h"

#include "kernels.h"
#include "operands.h"
#include "recording.h"
#include "specification.h"

/* ---- by the table's rule in Python */

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

/* The value by the table's rule in Python, which raises what is to be raised. On an error, -1 with an exception. */
static int evaluate_by_the_rule(int row, Py_ssize_t n, PyObject *const *parents, const double *numbers, double *result)
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

/* ---- one or two scalars */

/* One operand's slot: the Value and the local derivative, or the constant. Returns whether the Value tracks results. */
ALWAYS_INLINE bool write_slot(Slot *slot, PyObject *parent, double number, Partial partial, double result,
                              const double *numbers)
{
    slot->parent = Py_XNewRef(parent);
    slot->number = number;
    if (parent == NULL) return false;
    partial(result, 1, numbers, &slot->number);
    return ((Node *)parent)->tracks_results;
}

/* evaluate_by_the_rule() of copies: the addresses of the others stay here, and so these may be in registers. */
ALWAYS_INLINE int evaluate_scalars_by_the_rule(int row, int count, PyObject *const *parents, const double *numbers,
                                               double *result)
{
    PyObject *const own_parents[] = {parents[0], count == 2 ? parents[1] : NULL};
    const double own_numbers[] = {numbers[0], count == 2 ? numbers[1] : 0.0};
    double own_result = *result;
    int status = evaluate_by_the_rule(row, 1, own_parents, own_numbers, &own_result);
    *result = own_result;
    return status;
}

/* What apply_to_operands() does, for one or two scalars. The compiler makes a function of it for each such row, with the
   row's kernels inlined. */
ALWAYS_INLINE PyObject *apply_scalars(int row, int count, Evaluation value, Partial first, Partial second,
                                      PyObject *const *parents, const double *numbers)
{
    double result = value(1, numbers);
    if (!isfinite(result) && evaluate_scalars_by_the_rule(row, count, parents, numbers, &result) < 0) return NULL;
    if (parents[0] == NULL && (count == 1 || parents[1] == NULL)) return PyFloat_FromDouble(result);
    int recording = is_recording();
    if (recording < 0) return NULL;
    Node *node = recording ? node_computed(row, count) : node_leaf();
    if (node == NULL) return NULL;
    node->data = result;
    if (recording) {
        bool track = write_slot(&node->slots[0], parents[0], numbers[0], first, result, numbers);
        if (count == 2) track |= write_slot(&node->slots[1], parents[1], numbers[1], second, result, numbers);
        if (track) node_track(node);
    }
    return node_made(node);
}

#define APPLY_UNARY(index, name)                                                                                      \
    static PyObject *name##_apply(PyObject *const *parents, const double *numbers)                                     \
    {                                                                                                                  \
        return apply_scalars(index, 1, name##_value, name##_partial_0, name##_partial_0, parents, numbers);           \
    }

#define APPLY_BINARY(index, name)                                                                                     \
    static PyObject *name##_apply(PyObject *const *parents, const double *numbers)                                     \
    {                                                                                                                  \
        return apply_scalars(index, 2, name##_value, name##_partial_0, name##_partial_1, parents, numbers);           \
    }

UNARY_ROWS(APPLY_UNARY)
BINARY_ROWS(APPLY_BINARY)

#define APPLICATION(index, name) [index] = name##_apply,

const Application APPLY[ROW_COUNT] = {UNARY_ROWS(APPLICATION) BINARY_ROWS(APPLICATION)};

_Static_assert((int)ROW_COUNT < (int)GIVEN, "a node counts the rows of the table in seven bits");

/* ---- operators */

/* Of operands that turn out to be Values or floats: a Value may lie in an array of no dimensions. Returns NotImplemented for
   one that is no real number: Python then asks that operand's class. */
static PyObject *infix_of_others(binaryfunc infix, PyObject *left, PyObject *right)
{
    PyObject *first = scalar_of(left), *second = first != NULL ? scalar_of(right) : NULL;
    PyObject *result = second != NULL ? infix(first, second) : not_implemented();
    Py_XDECREF(first);
    Py_XDECREF(second);
    return result;
}

#define INFIX(name)                                                                                                   \
    PyObject *apply_##name(PyObject *left, PyObject *right)                                                            \
    {                                                                                                                  \
        PyObject *parents[2];                                                                                          \
        double numbers[2];                                                                                             \
        if (read_scalar(left, &parents[0], &numbers[0]) == UNUSUAL ||                                                  \
            read_scalar(right, &parents[1], &numbers[1]) == UNUSUAL)                                                   \
            return infix_of_others(apply_##name, left, right);                                                         \
        return apply_scalars(ROW_##name, 2, name##_value, name##_partial_0, name##_partial_1, parents, numbers);       \
    }

INFIX(add)
INFIX(subtract)
INFIX(multiply)
INFIX(divide)
INFIX(power)

PyObject *apply_negative(PyObject *value) { return negative_apply(&value, &((Node *)value)->data); }
PyObject *apply_abs(PyObject *value) { return abs_apply(&value, &((Node *)value)->data); }

/* ---- any number of operands, in a node's slots */

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
        return node_made(node);
    }
    if (recording == 0) {
        Node *leaf = node_leaf();
        if (leaf != NULL) leaf->data = data;
        result = node_made(leaf);
    }
done:
    Py_DECREF(node);
    return result;
}
