/* The topological order of a graph, and the chain rule along it, backward as value.py has it and forward as sweeps.py has
   it: operands in their order, so every run visits the nodes alike and the sums come out the same to the last bit. */
#include "native.h"

enum { STEPS_BETWEEN_SIGNALS = 1 << 16 };

static uint64_t epoch = 0; /* of the latest walk: a node whose mark it is has been seen */

typedef struct {
    Node *node;
    Py_ssize_t next; /* the operand to visit next */
} Step;

typedef struct {
    Step *steps;
    Py_ssize_t count, capacity;
} Path;

/* Makes room for one more; half as much again each time. */
static int grow(void **items, Py_ssize_t *capacity, size_t size)
{
    Py_ssize_t larger = *capacity + (*capacity >> 1) + 256;
    void *moved = PyMem_RawRealloc(*items, (size_t)larger * size);
    if (moved == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *items = moved;
    *capacity = larger;
    return 0;
}

static inline int append(Order *order, Node *node)
{
    if (order->count == order->capacity && grow((void **)&order->nodes, &order->capacity, sizeof(Node *)) < 0) return -1;
    order->nodes[order->count++] = node;
    return 0;
}

static inline int enter(Path *path, Node *node)
{
    if (path->count == path->capacity && grow((void **)&path->steps, &path->capacity, sizeof(Step)) < 0) return -1;
    path->steps[path->count++] = (Step){node, 0};
    if (node->near_count == INLINE_SLOTS && node->slots[1].parent != NULL)
        prefetch_node((Node *)node->slots[1].parent); /* until the walk has come back from the first operand */
    return 0;
}

static inline bool has_operands(Node *node) { return node->row != LEAF && operand_count(node) > 0; }

/* Visits those operands of the path's last node that stand in `slots`, of which the first is its operand number `first`:
   from where they were left up to one that has operands itself, which is then the path's last; leaves go straight into the
   order. Returns 1 if all have been visited. */
static inline int visit_slots(Path *path, Order *order, const Slot *slots, Py_ssize_t count, Py_ssize_t first)
{
    Step *step = &path->steps[path->count - 1];
    if (step->next < first) step->next = first;
    while (step->next < first + count) {
        Node *parent = (Node *)slots[step->next++ - first].parent;
        if (parent == NULL || parent->mark == epoch) continue;
        parent->mark = epoch;
        if (has_operands(parent)) return enter(path, parent);
        if (append(order, parent) < 0) return -1;
    }
    return 1;
}

static int visit_shared(Path *path, Order *order, Node *node)
{
    Py_ssize_t n = node->shared.sequences[0]->count;
    for (int i = 0; i < 2; i++) {
        Sequence *sequence = node->shared.sequences[i];
        if (sequence->mark == epoch) continue;
        int status = visit_slots(path, order, sequence->slots, n, i * n);
        if (status != 1) return status;
        sequence->mark = epoch;
    }
    return visit_slots(path, order, &node->shared.scalar, 1, 2 * n);
}

static int visit_operands(Path *path, Order *order)
{
    Node *node = path->steps[path->count - 1].node;
    if (is_shared(node)) return visit_shared(path, order, node);
    return visit_slots(path, order, node_slots(node), operand_count(node), 0);
}

/* Depth-first post-order. On the way, while they are at hand, the gradients of computed nodes are set to 0 if asked for.
   Returns 1 if a signal handler has walked in between and the marks are no longer this walk's. */
static int walk(PyObject *const *roots, Py_ssize_t root_count, Order *order, Path *path, bool reset)
{
    uint64_t own_epoch = ++epoch;
    order->count = path->count = 0;
    for (Py_ssize_t steps = 1;; steps++) {
        if (path->count == 0) {
            while (root_count > 0 && ((Node *)*roots)->mark == own_epoch) roots++, root_count--;
            if (root_count == 0) return 0;
            ((Node *)*roots)->mark = own_epoch;
            if (enter(path, (Node *)*roots) < 0) return -1;
        }
        int status = visit_operands(path, order);
        if (status < 0) return -1;
        if (status == 1) {
            Node *node = path->steps[--path->count].node;
            if (reset && has_operands(node)) node->grad = 0.0;
            if (append(order, node) < 0) return -1;
        }
        if (steps % STEPS_BETWEEN_SIGNALS == 0) {
            if (PyErr_CheckSignals() < 0) return -1;
            if (epoch != own_epoch) return 1;
        }
    }
}

/* What the last walk needed, kept for the next one if it is not large. A walk within a walk, by a signal handler, finds
   nothing here and makes its own. */
enum { KEPT_LENGTH = 1 << 17 };

static Order kept_order;
static Path kept_path;

void give_back_order(Order *order)
{
    if (kept_order.nodes == NULL && order->capacity <= KEPT_LENGTH) kept_order = *order;
    else PyMem_RawFree(order->nodes);
}

int find_order(PyObject *const *roots, Py_ssize_t root_count, Order *order, bool reset)
{
    Path path = kept_path;
    int status;
    *order = kept_order;
    kept_order = (Order){0};
    kept_path = (Path){0};
    do {
        status = walk(roots, root_count, order, &path, reset);
    } while (status == 1);
    if (kept_path.steps == NULL && path.capacity <= KEPT_LENGTH) kept_path = path;
    else PyMem_RawFree(path.steps);
    if (status < 0) give_back_order(order);
    return status;
}

PyObject *topological_order(PyObject *const *roots, Py_ssize_t root_count)
{
    Order order;
    if (find_order(roots, root_count, &order, false) < 0) return NULL;
    PyObject *list = PyList_New(order.count);
    for (Py_ssize_t i = 0; list != NULL && i < order.count; i++)
        PyList_SET_ITEM(list, i, Py_NewRef((PyObject *)order.nodes[i]));
    give_back_order(&order);
    return list;
}

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

void push_to_parents(Node *node)
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

/* Whether a `_backward` of the node's own, an attribute or a subclass's method, may stand before the engine's. */
static bool may_override(Node *node)
{
    return Py_TYPE(node) != Value_Type || (is_far(node) && node->far.attributes != NULL);
}

static int call_own_backward(Node *node)
{
    static PyObject *name = NULL;
    if (name == NULL && (name = PyUnicode_InternFromString("_backward")) == NULL) return -1;
    PyObject *done = PyObject_CallMethodNoArgs((PyObject *)node, name);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int apply_chain_rule(Order *order)
{
    for (Py_ssize_t i = order->count - 1; i >= 0; i--) {
        Node *node = order->nodes[i];
        if (i >= NODES_AHEAD) prefetch_node(order->nodes[i - NODES_AHEAD]);
        if (!may_override(node)) push_to_parents(node);
        else if (call_own_backward(node) < 0) return -1;
        if (i % STEPS_BETWEEN_SIGNALS == 0 && PyErr_CheckSignals() < 0) return -1;
    }
    return 0;
}

PyObject *backward(Node *root, double seed)
{
    Order order;
    if (find_order((PyObject **)&root, 1, &order, true) < 0) return NULL;
    root->grad += seed;
    int status = apply_chain_rule(&order);
    give_back_order(&order);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- Forward */

/* What the operands in these slots add to the tangent of their node. A tangent of 0 adds nothing, not even times inf. */
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
            if (has_tangent(node_slots(node), operand_count(node))) return Py_NewRef(object);
        } else if (node->row != LEAF) {
            const Slot *slots = node_slots(node);
            node->grad = tangent_of(0.0, slots, slots, node_count(node));
        }
        if (i % STEPS_BETWEEN_SIGNALS == STEPS_BETWEEN_SIGNALS - 1 && PyErr_CheckSignals() < 0) return NULL;
    }
    Py_RETURN_NONE;
}
