/* The table: the kernels that kernels.py has written from operations.py. */
#include "native.h"
#include "kernels.h"

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

/* What apply_to_operands() does, for one or two scalars. Each such row has a function of its own below, which the
   compiler makes of this and the row's kernels. */
ALWAYS_INLINE PyObject *apply_scalars(int row, int count, Evaluation value, Partial first, Partial second,
                                      PyObject *const *parents, const double *numbers)
{
    double result = value(1, numbers);
    if (!isfinite(result) && evaluate_by_the_rule(row, 1, parents, numbers, &result) < 0) return NULL;
    if (parents[0] == NULL && (count == 1 || parents[1] == NULL)) return PyFloat_FromDouble(result);
    int recording = is_recording();
    if (recording < 0) return NULL;
    Node *node = node_new(recording ? row : LEAF, 0);
    if (node == NULL) return NULL;
    node->data = result;
    if (recording) {
        bool track = write_slot(&node->slots[0], parents[0], numbers[0], first, result, numbers);
        if (count == 2) track |= write_slot(&node->slots[1], parents[1], numbers[1], second, result, numbers);
        node->near_count = (uint8_t)count;
        if (track) node_track(node);
    }
    return (PyObject *)node;
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

#include "table.h"

_Static_assert(sizeof ROWS / sizeof *ROWS < CUSTOM, "a node counts the rows of the table in eight bits");
