/* The search for the order is depth-first and takes operands in their order, so every run visits the nodes alike, and sums
   along the order come out the same to the last bit. */
#include "graph.h"

uint64_t new_epoch(void) { return ++epoch; }
bool is_latest_epoch(uint64_t own_epoch) { return own_epoch == epoch; }

typedef struct {
    Node *node;
    Py_ssize_t next; /* the operand to visit next */
} Step;

typedef struct {
    Step *steps;
    Py_ssize_t count, capacity;
} Path;

/* Makes room for half as many items again. */
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
        prefetch_node((Node *)node->slots[1].parent); /* it is there when the walk comes back from the first */
    return 0;
}

/* Visits operands of the path's last node: those in `slots`, the first of which is the node's operand number `first`. It
   goes on where the last visit ended. A leaf is put into the order. At an operand that has operands itself it ends, and that
   is then the path's last node. Returns 1 if all have been visited, -1 on an error. */
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

/* Depth-first post-order. Gradients are reset here, where the nodes are at hand in the caches. Returns 1 if a signal
   handler has walked in between, so that the marks are no longer this walk's, or has taken a graph apart. */
static int walk(PyObject *const *roots, Py_ssize_t root_count, Order *order, Path *path, bool reset)
{
    uint64_t own_epoch = new_epoch();
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

/* The memory of the last walk, kept for the next one if it is not large. A signal handler's walk within a walk finds nothing
   here and makes its own. */
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
    for (Py_ssize_t i = 0; i < order.count; i++) Py_INCREF(order.nodes[i]); /* a new list may run the garbage collector */
    PyObject *list = PyList_New(order.count);
    for (Py_ssize_t i = 0; i < order.count; i++) {
        if (list != NULL) PyList_SET_ITEM(list, i, (PyObject *)order.nodes[i]);
        else Py_DECREF(order.nodes[i]);
    }
    give_back_order(&order);
    return list;
}
