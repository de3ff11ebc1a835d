/* Tangents, passed on from the variables to the roots. A node's `grad` holds its tangent meanwhile, and its mark says that it
   depends on the variables. */
#include "sweeps.h"

#include "graph.h"

typedef struct {
    uint64_t epoch; /* the mark of the nodes that depend on the variables */
    double tangent; /* of the node whose turn it is */
    bool depends;   /* whether this node does */
} Sweep;

/* Adds the products for those operands in these slots that depend on the variables. */
static void add_products(Sweep *sweep, const Slot *slots, const Slot *derivatives, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        Node *parent = (Node *)slots[i].parent;
        if (parent == NULL || !node_is_marked(parent, sweep->epoch)) continue;
        sweep->tangent += derivatives[i].number * parent->grad;
        sweep->depends = true;
    }
}

static void add_products_of_shared(Sweep *sweep, const Shared *shared)
{
    Sequence *const *sequences = shared->sequences;
    for (int i = 0; i < 2; i++) add_products(sweep, sequences[i]->slots, sequences[1 - i]->slots, sequences[i]->count);
    add_products(sweep, &shared->scalar, &shared->scalar, 1);
}

static void push_to(Node *node, uint64_t epoch)
{
    Sweep sweep = {epoch, 0.0, false};
    if (is_shared(node)) add_products_of_shared(&sweep, &node->shared);
    else add_products(&sweep, node_slots(node), node_slots(node), operand_count(node));
    node->grad = sweep.tangent;
    if (sweep.depends) node_mark(node, epoch);
}

/* The Value at a place of a list; NULL with an exception if there is none. */
static Node *node_at(PyObject *list, Py_ssize_t i)
{
    PyObject *object = PyList_GET_ITEM(list, i);
    if (is_value(object)) return (Node *)object;
    PyErr_Format(PyExc_TypeError, "expected Values, got %R among them", object);
    return NULL;
}

/* Returns 1 if a signal handler has walked in between, so that the marks are no longer this sweep's: it is then to be begun
   anew, and not to run signal handlers, since these may walk whenever it runs them. */
static int sweep_forward(PyObject *nodes, PyObject *variables, bool runs_handlers)
{
    const uint64_t own_epoch = new_epoch();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(variables); i++) {
        Node *variable = node_at(variables, i);
        if (variable == NULL) return -1;
        node_mark(variable, own_epoch);
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(nodes); i++) {
        Node *node = node_at(nodes, i);
        if (node == NULL) return -1;
        if (has_operands(node)) push_to(node, own_epoch);
        if (runs_handlers && i % STEPS_BETWEEN_SIGNALS == STEPS_BETWEEN_SIGNALS - 1) {
            if (PyErr_CheckSignals() < 0) return -1;
            if (!is_latest_epoch(own_epoch)) return 1;
        }
    }
    return 0;
}

PyObject *push_forward(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *nodes, *variables;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyList_Type, &nodes, &PyList_Type, &variables)) return NULL;
    int status = sweep_forward(nodes, variables, true);
    if (status == 1) status = sweep_forward(nodes, variables, false);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}
