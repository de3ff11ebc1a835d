/* A Value's gradient, passed on from the root to the leaves.

   Mostly in a single walk over slabs, from the latest node back: a node's gradient begins with the first product that comes
   to it, and is complete when it is the node's turn. The walk runs no Python code and allocates nothing, so nothing can come
   in between. Where there are special nodes, the order is found first. */
#include "backward.h"

#include "graph.h"
#include "recording.h"

enum { NODES_AHEAD = 8 }; /* so many steps before its turn a node is asked for from memory */

static void push_to_shared(Node *node)
{
    const Shared *shared = &node->shared;
    const double grad = node->grad;
    for (int i = 0; i < 2; i++) {
        const Slot *slots = shared->sequences[i]->slots, *others = shared->sequences[1 - i]->slots;
        for (Py_ssize_t j = 0, n = shared->sequences[i]->count; j < n; j++)
            if (slots[j].parent != NULL) ((Node *)slots[j].parent)->grad += others[j].number * grad;
    }
    if (shared->scalar.parent != NULL) ((Node *)shared->scalar.parent)->grad += shared->scalar.number * grad;
}

ALWAYS_INLINE void push(Node *node)
{
    if (node->row == CUSTOM) return; /* no local derivatives are known */
    if (is_shared(node)) {
        push_to_shared(node);
        return;
    }
    Slot *slots = node_slots(node);
    for (Py_ssize_t i = 0, count = node_count(node); i < count; i++)
        if (slots[i].parent != NULL) ((Node *)slots[i].parent)->grad += slots[i].number * node->grad;
}

void push_to_parents(Node *node) { push(node); }

static PyObject *name; /* "_backward" */
static PyObject *engines_own; /* the method of that name, as the class has it when the module is made */

int find_own_backward(void)
{
    if (name == NULL && (name = PyUnicode_InternFromString("_backward")) == NULL) return -1;
    engines_own = Py_XNewRef(_PyType_Lookup(Value_Type, name));
    return 0;
}

/* Whether somebody has wrapped the class's method. */
static bool is_wrapped(void) { return _PyType_Lookup(Value_Type, name) != engines_own; }

static int call_own_backward(Node *node)
{
    PyObject *done = PyObject_CallMethodNoArgs((PyObject *)node, name);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Holds the nodes of the order's beginning, to the node i: what runs now may take the graph apart. */
static void hold(Node *const *nodes, Py_ssize_t i, Py_ssize_t *held)
{
    if (*held == 0)
        while (*held <= i) Py_INCREF(nodes[(*held)++]);
}

/* Goes along the order from its end. In *held, how many nodes of its beginning there are references to when it returns:
   from the first Python code on, which may take the graph apart, the nodes that are to come are held. */
static int apply_chain_rule(const Order *order, Py_ssize_t *held)
{
    Node *const *nodes = order->nodes;
    const bool is_replaced = is_wrapped();
    for (Py_ssize_t i = order->count - 1; i >= 0; i--) {
        Node *node = nodes[i];
        if (i >= NODES_AHEAD) prefetch_node(nodes[i - NODES_AHEAD]);
        if (!is_replaced && !may_override(node)) {
            push(node);
        } else {
            hold(nodes, i, held);
            if (call_own_backward(node) < 0) return -1;
        }
        if (i % STEPS_BETWEEN_SIGNALS == 0) {
            hold(nodes, i, held);
            if (PyErr_CheckSignals() < 0) return -1;
        }
    }
    return 0;
}

/* ---- In a single walk */

/* A node's gradient begins as its first product. That may be -0.0, and becomes 0.0 + product, as the order has it, in the
   node's turn: to its operands it passes on what it had before, which is sooner known. This differs at most in the sign of
   0.0, which their turn settles too; but not a leaf's, which may have had -0.0 before. */
ALWAYS_INLINE void pass_on(Queue *queue, PyObject *object, double derivative, double raw, double grad)
{
    Node *parent = (Node *)object;
    if (parent == NULL) return;
    if (!parent->is_in_slab) parent->grad += derivative * grad;
    else if (let_wait(queue, parent, BACKWARD)) parent->grad = derivative * raw;
    else parent->grad += derivative * raw;
}

static void pass_on_to_all(Queue *queue, const Slot *slots, const Slot *derivatives, Py_ssize_t count, double raw,
                           double grad)
{
    for (Py_ssize_t i = 0; i < count; i++) pass_on(queue, slots[i].parent, derivatives[i].number, raw, grad);
}

static void pass_on_to_many(Queue *queue, Node *node, double raw)
{
    if (is_far(node)) {
        pass_on_to_all(queue, node_slots(node), node_slots(node), node_count(node), raw, node->grad);
        return;
    }
    const Shared *shared = &node->shared;
    for (int i = 0; i < 2; i++) {
        const Sequence *own = shared->sequences[i], *other = shared->sequences[1 - i];
        pass_on_to_all(queue, own->slots, other->slots, own->count, raw, node->grad);
    }
    pass_on_to_all(queue, &shared->scalar, &shared->scalar, 1, raw, node->grad);
}

static inline void pass_on_from(void *queue, PyObject *object)
{
    Node *node = (Node *)object;
    double raw = node->grad, grad = 0.0 + raw;
    node->grad = grad;
    if (node->near_count > INLINE_SLOTS) {
        pass_on_to_many(queue, node, raw);
        return;
    }
    pass_on(queue, node->slots[0].parent, node->slots[0].number, raw, grad);
    if (node->near_count == 2) pass_on(queue, node->slots[1].parent, node->slots[1].number, raw, grad);
}

static void walk_back(Node *root, double seed)
{
    Queue queue = NULL;
    pass_on(&queue, (PyObject *)root, 1.0, seed, seed);
    while (queue != NULL) walk_slab(&queue, BACKWARD, pass_on_from, &queue);
}

PyObject *backward(Node *root, double seed)
{
    const Graph graph = {.roots = (PyObject **)&root, .root_count = 1};
    Order order;
    if (end_stale_blocks() < 0) return NULL;
    if (special_nodes == 0 && !is_wrapped()) {
        walk_back(root, seed);
        Py_RETURN_NONE;
    }
    if (find_order(&graph, &order, true) < 0) return NULL;
    root->grad += seed;
    Py_ssize_t held = 0;
    int status = apply_chain_rule(&order, &held);
    while (held > 0) Py_DECREF(order.nodes[--held]);
    give_back_order(&order);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}
