/* Nodes are numbered as they are created, after their operands: in the order of their numbers they are in topological order.
   A search finds which nodes there are. It is depth-first and takes operands in their order, and is itself the order where
   operands that were given by hand are not older than their node. Every run visits the nodes alike, and so sums along the
   order come out the same to the last bit. */
#include "graph.h"

uint64_t new_epoch(void) { return ++epoch; }
bool is_latest_epoch(uint64_t own_epoch) { return own_epoch == epoch; }

/* An order while it is being found: its memory holds a number beside each node. */
typedef struct {
    uint64_t number;
    Node *node;
} Item;

static inline Item *items_of(const Order *order) { return (Item *)(void *)order->nodes; }

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
    if (order->count == order->capacity && grow((void **)&order->nodes, &order->capacity, sizeof(Item)) < 0) return -1;
    items_of(order)[order->count++] = (Item){node->number, node};
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
        if (parent == NULL || !node_mark(parent, epoch)) continue;
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

static bool operands_are_older(Node *node)
{
    if (!has_tail(node)) return true; /* they were not given by hand */
    for (Py_ssize_t i = 0; i < node_count(node); i++) {
        const PyObject *parent = node_slots(node)[i].parent;
        if (parent != NULL && !is_older(parent, node)) return false;
    }
    return true;
}

/* Depth-first post-order. Gradients are reset here, where the nodes are at hand in the caches. Returns 1 if a signal
   handler has walked in between, so that the marks are no longer this walk's, or has taken a graph apart. */
static int walk(const Graph *graph, Order *order, Path *path, bool reset, bool *creation_is_topological)
{
    uint64_t own_epoch = new_epoch();
    PyObject *const *root = graph->roots, *const *end = root + graph->root_count;
    for (Py_ssize_t i = 0; i < graph->until_count; i++) node_mark((Node *)graph->until[i], own_epoch);
    order->count = path->count = 0;
    *creation_is_topological = true;
    for (Py_ssize_t steps = 1;; steps++) {
        if (path->count == 0) {
            while (root < end && !node_mark((Node *)*root, own_epoch)) root++;
            if (root == end) return 0;
            if (enter(path, (Node *)*root) < 0) return -1;
        }
        int status = visit_operands(path, order);
        if (status < 0) return -1;
        if (status == 1) {
            Node *node = path->steps[--path->count].node;
            if (reset && has_operands(node)) node->grad = 0.0;
            *creation_is_topological &= operands_are_older(node);
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

static Py_ssize_t end_of_run(const Item *items, Py_ssize_t start, Py_ssize_t count)
{
    while (++start < count && items[start - 1].number < items[start].number) continue;
    return start;
}

/* Merges neighbouring runs in pairs. Returns how many runs that makes. */
static Py_ssize_t merge_runs(const Item *items, Py_ssize_t count, Item *merged)
{
    Py_ssize_t runs = 0;
    for (Py_ssize_t first = 0, end; first < count; first = end, runs++) {
        Py_ssize_t middle = end_of_run(items, first, count), second = middle;
        end = middle < count ? end_of_run(items, middle, count) : count;
        while (first < middle || second < end) {
            bool takes_first = second == end || (first < middle && items[first].number < items[second].number);
            *merged++ = items[takes_first ? first++ : second++];
        }
    }
    return runs;
}

/* A natural merge sort (TAOCP 3, 5.2.4): what was searched is in long runs already. */
static int sort(Order *order)
{
    if (end_of_run(items_of(order), 0, order->count) >= order->count) return 0;
    Order merged = {PyMem_RawMalloc((size_t)order->capacity * sizeof(Item)), order->count, order->capacity}, before;
    if (merged.nodes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t runs;
    do {
        runs = merge_runs(items_of(order), order->count, items_of(&merged));
        before = *order;
        *order = merged;
        merged = before;
    } while (runs > 1);
    PyMem_RawFree(merged.nodes);
    return 0;
}

static int search(const Graph *graph, Order *order, Path *path, bool reset)
{
    bool creation_is_topological;
    int status;
    do {
        status = walk(graph, order, path, reset, &creation_is_topological);
    } while (status == 1);
    if (status == 0 && creation_is_topological) status = sort(order);
    for (Py_ssize_t i = 0; status == 0 && i < order->count; i++) order->nodes[i] = items_of(order)[i].node;
    return status;
}

int find_order(const Graph *graph, Order *order, bool reset)
{
    Path path = kept_path;
    *order = kept_order;
    kept_order = (Order){0};
    kept_path = (Path){0};
    int status = search(graph, order, &path, reset);
    if (kept_path.steps == NULL && path.capacity <= KEPT_LENGTH) kept_path = path;
    else PyMem_RawFree(path.steps);
    if (status < 0) give_back_order(order);
    return status;
}

PyObject *topological_order(PyObject *roots, PyObject *until)
{
    const Graph graph = {((PyListObject *)roots)->ob_item, ((PyListObject *)until)->ob_item, PyList_GET_SIZE(roots),
                         PyList_GET_SIZE(until)};
    Order order;
    if (find_order(&graph, &order, false) < 0) return NULL;
    for (Py_ssize_t i = 0; i < order.count; i++) Py_INCREF(order.nodes[i]); /* a new list may run the garbage collector */
    PyObject *list = PyList_New(order.count);
    for (Py_ssize_t i = 0; i < order.count; i++) {
        if (list != NULL) PyList_SET_ITEM(list, i, (PyObject *)order.nodes[i]);
        else Py_DECREF(order.nodes[i]);
    }
    give_back_order(&order);
    return list;
}
