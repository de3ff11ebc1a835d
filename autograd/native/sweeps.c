/* Tangents, passed on from the variables to the roots. A node's `grad` holds its tangent meanwhile. */
#include "sweeps.h"

#include "graph.h"

/* The tangent of a node, after the operands in these slots have been added. A tangent of 0 adds nothing, not even times
   inf. */
static double tangent_of(double tangent, const Slot *slots, const Slot *derivatives, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        const Node *parent = (Node *)slots[i].parent;
        if (parent != NULL && parent->grad != 0.0) tangent += derivatives[i].number * parent->grad;
    }
    return tangent;
}

static double tangent_of_shared(const Shared *shared)
{
    Sequence *const *sequences = shared->sequences;
    double tangent = 0.0;
    for (int i = 0; i < 2; i++)
        tangent = tangent_of(tangent, sequences[i]->slots, sequences[1 - i]->slots, sequences[i]->count);
    return tangent_of(tangent, &shared->scalar, &shared->scalar, 1);
}

static bool has_tangent(const Slot *slots, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (((Node *)slots[i].parent)->grad != 0.0) return true;
    return false;
}

PyObject *push_forward(PyObject *Py_UNUSED(module), PyObject *nodes)
{
    if (!PyList_CheckExact(nodes)) return PyErr_Format(PyExc_TypeError, "expected a list of Values, got %R", nodes);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(nodes); i++) {
        PyObject *object = PyList_GET_ITEM(nodes, i);
        if (!is_value(object)) return PyErr_Format(PyExc_TypeError, "expected Values, got %R among them", object);
        Node *node = (Node *)object;
        if (is_shared(node)) {
            node->grad = tangent_of_shared(&node->shared);
        } else if (node->row == CUSTOM) {
            if (has_tangent(node_slots(node), node_count(node))) return Py_NewRef(object);
        } else if (node->row != LEAF) {
            const Slot *slots = node_slots(node);
            node->grad = tangent_of(0.0, slots, slots, node_count(node));
        }
        if (i % STEPS_BETWEEN_SIGNALS == STEPS_BETWEEN_SIGNALS - 1 && PyErr_CheckSignals() < 0) return NULL;
    }
    Py_RETURN_NONE;
}
