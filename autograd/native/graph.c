/* Nodes are numbered as they are created, after their operands: in the order of their numbers they are in topological order.
   A walk over slabs finds which nodes there are, from the latest one back. Where nodes were given operands by hand, a search
   finds them. It is depth-first and takes operands in their order, and is itself the order where an operand is not older than
   its node. Every run visits the nodes alike, and so sums along the order come out the same to the last bit. */
#include "graph.h"

uint64_t new_epoch(void) { return ++epoch; }
bool is_latest_epoch(uint64_t own_epoch) { return own_epoch == epoch; }

/* An order while it is being found: its memory holds a number beside each node. */
typedef struct {
    uint64_t number;
    Node *node;
} Item;

static inline Item *items_of(const Order *order) { return (Item *)(void *)order->nodes; }

/* ---- The search */

typedef struct {
    Node *node;
    Py_ssize_t next; /* the operand to visit next */
} Step;

typedef struct {
    Step *steps;
    Py_ssize_t count, capacity;
} Path;

static int make_room(void **items, Py_ssize_t *capacity, Py_ssize_t count, size_t size)
{
    if (*capacity >= count) return 0;
    void *moved = PyMem_RawRealloc(*items, (size_t)count * size);
    if (moved == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *items = moved;
    *capacity = count;
    return 0;
}

/* Makes room for half as many items again. */
static int grow(void **items, Py_ssize_t *capacity, size_t size)
{
    return make_room(items, capacity, *capacity + (*capacity >> 1) + 256, size);
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
   handler has walked in between, so that the marks are no longer this walk's, or has taken a graph apart: it is then to be
   begun anew, and not to run signal handlers, since these may walk whenever it runs them. */
static int walk(const Graph *graph, Order *order, Path *path, bool reset, bool runs_handlers, bool *creation_is_topological)
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
        if (runs_handlers && steps % STEPS_BETWEEN_SIGNALS == 0) {
            if (PyErr_CheckSignals() < 0) return -1;
            if (epoch != own_epoch) return 1;
        }
    }
}

/* The memory of the last walk, kept for the next one if it is not large. A signal handler's walk within a walk finds nothing
   here and makes its own. */
enum { KEPT_LENGTH = 1 << 17 };

static Order kept_orders[3];
static Path kept_path;

static Order take_order(void)
{
    Order taken = {0};
    for (size_t i = 0; i < sizeof kept_orders / sizeof *kept_orders && taken.nodes == NULL; i++) {
        taken = kept_orders[i];
        kept_orders[i] = (Order){0};
    }
    taken.count = 0;
    return taken;
}

void give_back_order(Order *order)
{
    size_t i = 0;
    while (i < sizeof kept_orders / sizeof *kept_orders && kept_orders[i].nodes != NULL) i++;
    if (i < sizeof kept_orders / sizeof *kept_orders && order->capacity <= KEPT_LENGTH) kept_orders[i] = *order;
    else PyMem_RawFree(order->nodes);
}

/* ---- Sorted by their numbers */

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
    Order merged = take_order(), before;
    Py_ssize_t runs;
    if (make_room((void **)&merged.nodes, &merged.capacity, order->count, sizeof(Item)) < 0) {
        give_back_order(&merged);
        return -1;
    }
    merged.count = order->count;
    do {
        runs = merge_runs(items_of(order), order->count, items_of(&merged));
        before = *order;
        *order = merged;
        merged = before;
    } while (runs > 1);
    give_back_order(&merged);
    return 0;
}

/* ---- The walk over slabs */

typedef struct {
    Queue queue;
    Order *leaves, computed; /* the latter from the latest back */
    bool reset, has_limits;  /* nodes that it goes until */
    int status;              /* 1 once there are operands by hand, -1 with an exception */
} Sweep;

static inline void reach(Sweep *sweep, PyObject *object)
{
    Node *node = (Node *)object;
    if (node == NULL || (sweep->has_limits && node_is_marked(node, epoch))) return;
    if (node->is_in_slab) let_wait(&sweep->queue, node, BACKWARD);
    else if (has_operands(node)) sweep->status = 1;
    else if (node_mark(node, epoch) && append(sweep->leaves, node) < 0) sweep->status = -1;
}

static void reach_all(Sweep *sweep, const Slot *slots, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) reach(sweep, slots[i].parent);
}

static void reach_shared(Sweep *sweep, const Shared *shared)
{
    for (int i = 0; i < 2; i++) {
        Sequence *sequence = shared->sequences[i];
        if (sequence->mark == epoch) continue;
        reach_all(sweep, sequence->slots, sequence->count);
        sequence->mark = epoch;
    }
    reach(sweep, shared->scalar.parent);
}

static inline void visit_cell(void *context, PyObject *object)
{
    Sweep *sweep = context;
    Node *node = (Node *)object;
    if (sweep->status == 0 && node->row >= GIVEN) sweep->status = 1;
    if (sweep->status == 0 && append(&sweep->computed, node) < 0) sweep->status = -1;
    if (sweep->status != 0) return; /* it goes on to where cells wait already, so that none is left to */
    if (sweep->reset) node->grad = 0.0;
    if (is_shared(node)) reach_shared(sweep, &node->shared);
    else reach_all(sweep, node_slots(node), node_count(node));
}

/* Returns 1 if a search must find the order. */
static int sweep_slabs(const Graph *graph, Order *order, bool reset)
{
    Sweep sweep = {.leaves = order, .computed = take_order(), .reset = reset, .has_limits = graph->until_count > 0};
    uint64_t own_epoch = new_epoch();
    order->count = 0;
    for (Py_ssize_t i = 0; i < graph->until_count; i++) node_mark((Node *)graph->until[i], own_epoch);
    for (Py_ssize_t i = 0; i < graph->root_count; i++) reach(&sweep, graph->roots[i]);
    while (sweep.queue != NULL) walk_slab(&sweep.queue, BACKWARD, visit_cell, &sweep);
    if (sweep.status == 0) sweep.status = sort(order);
    for (Py_ssize_t i = sweep.computed.count; sweep.status == 0 && i-- > 0;)
        sweep.status = append(order, items_of(&sweep.computed)[i].node);
    give_back_order(&sweep.computed);
    return sweep.status == 0 ? sort(order) : sweep.status;
}

/* ---- Both */

static int search(const Graph *graph, Order *order, bool reset)
{
    Path path = kept_path;
    kept_path = (Path){0};
    bool creation_is_topological;
    int status = walk(graph, order, &path, reset, true, &creation_is_topological);
    if (status == 1) status = walk(graph, order, &path, reset, false, &creation_is_topological);
    if (kept_path.steps == NULL && path.capacity <= KEPT_LENGTH) kept_path = path;
    else PyMem_RawFree(path.steps);
    return status == 0 && creation_is_topological ? sort(order) : status;
}

int find_order(const Graph *graph, Order *order, bool reset)
{
    *order = take_order();
    int status = sweep_slabs(graph, order, reset);
    if (status == 1) status = search(graph, order, reset);
    for (Py_ssize_t i = 0; status == 0 && i < order->count; i++) order->nodes[i] = items_of(order)[i].node;
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
