/* A Value's memory: one block that holds data, gradient, operation, visit mark and up to two operands.

   A graph has no cycles, so reference counting alone frees it. The garbage collector is told of a node only when somebody
   sets attributes on it, since they can refer to anything, and of what is computed from such a node. So it finds the cycles
   that an operation's own `_backward` makes. It does not find the cycle of a result that is hung on its operand afterwards,
   because it does not know the nodes between: such a result must be taken off again.
   Memory of leaves that are freed is kept for others; that of computed nodes is the slabs'. */
#include "node.h"

PyTypeObject *Value_Type = NULL;
initproc plain_init = NULL;
uint64_t changes = 0;
uint64_t epoch = 0;
uint64_t created = 0;
Py_ssize_t special_nodes = 0;

/* The leaves that are kept: linked through `weak_references`. */
#if defined(__SANITIZE_ADDRESS__)
enum { KEPT_LEAVES = 1 }; /* so that the sanitiser sees the use of a freed node */
#else
enum { KEPT_LEAVES = 1 << 14 };
#endif

static Node *kept = NULL;
static int kept_count = 0;

static inline bool keep(Node *node)
{
    if (kept_count == KEPT_LEAVES) return false;
    node->weak_references = (PyObject *)kept;
    kept = node;
    kept_count++;
    return true;
}

Node *node_leaf(void)
{
    Node *node = kept;
    if (node != NULL) {
        kept = (Node *)node->weak_references;
        kept_count--;
        Py_SET_REFCNT((PyObject *)node, 1);
    } else {
        node = PyObject_GC_New(Node, Value_Type);
        if (node == NULL) return NULL;
    }
    node_begin(node, LEAF, 0, false);
    return node;
}

Slots *slots_new(Py_ssize_t room)
{
    Slots *slots = PyMem_Malloc(sizeof(Slots) + (size_t)room * sizeof(Slot));
    if (slots != NULL) slots->count = 0;
    else PyErr_NoMemory();
    return slots;
}

Node *node_with_room(int row, Py_ssize_t room)
{
    Node *node = node_computed(row, 0);
    if (node == NULL || room <= INLINE_SLOTS) return node;
    Slots *slots = slots_new(room);
    if (slots == NULL) {
        Py_DECREF(node);
        return NULL;
    }
    node->near_count = FAR;
    node->far = (Far){.slots = slots};
    return node;
}

int node_expand(Node *node)
{
    if (!is_shared(node)) return 0;
    Shared shared = node->shared;
    Py_ssize_t n = shared.sequences[0]->count;
    Slots *slots = slots_new(2 * n + 1);
    if (slots == NULL) return -1;
    slots->count = 2 * n + 1;
    Slot *slot = slots->items;
    for (int i = 0; i < 2; i++) {
        const Slot *own = shared.sequences[i]->slots, *other = shared.sequences[1 - i]->slots;
        for (Py_ssize_t j = 0; j < n; j++)
            *slot++ = (Slot){Py_XNewRef(own[j].parent), own[j].parent != NULL ? other[j].number : own[j].number};
    }
    *slot = shared.scalar;
    node->near_count = FAR;
    node->far = (Far){.slots = slots};
    for (int i = 0; i < 2; i++) give_up_sequence(shared.sequences[i]);
    return 0;
}

Far *node_far(Node *node)
{
    if (node_expand(node) < 0) return NULL;
    if (is_far(node)) return &node->far;
    uint64_t mark = node->is_in_slab ? 0 : *own_mark(node);
    Slots *slots = NULL;
    if (node_count(node) > 0) {
        slots = slots_new(node_count(node));
        if (slots == NULL) return NULL;
        slots->count = node_count(node);
        for (Py_ssize_t i = 0; i < slots->count; i++) slots->items[i] = node->slots[i];
    }
    node->near_count = FAR;
    node->far = (Far){.slots = slots, .mark = mark};
    return &node->far;
}

void node_track(Node *node)
{
    node->tracks_results = 1;
    changes++;
    if (node->is_tracked) return;
    node->is_tracked = 1;
    PyObject_GC_Track(node);
}

PyObject *node_attributes(Node *node)
{
    Far *far = node_far(node);
    if (far == NULL) return NULL;
    if (far->attributes != NULL) return far->attributes;
    PyObject *attributes = PyDict_New();
    if (far->attributes == NULL) far->attributes = attributes;
    else Py_XDECREF(attributes); /* the garbage collector ran, and so code that has asked for it first */
    return far->attributes;
}

void node_drop_operands(Node *node)
{
    epoch++; /* a walk that a signal's handler runs within begins anew */
    if (node_expand(node) < 0) { /* without memory for that, it goes with its sequences */
        PyErr_Clear();
        Shared shared = node->shared;
        node->near_count = 0;
        node->row = LEAF;
        node_make_special(node);
        for (int i = 0; i < 2; i++) give_up_sequence(shared.sequences[i]);
        Py_XDECREF(shared.scalar.parent);
        return;
    }
    Slot near[INLINE_SLOTS], *dropped = node_slots(node);
    Slots *slots = is_far(node) ? node->far.slots : NULL;
    Py_ssize_t count = node_count(node) + has_tail(node);
    if (count > 0 && node->is_in_slab) node_make_special(node);
    if (is_far(node)) {
        node->far.slots = NULL;
    } else {
        dropped = memcpy(near, node->slots, sizeof near);
        node->near_count = 0;
    }
    node->row = LEAF;
    for (Py_ssize_t i = 0; i < count; i++) Py_XDECREF(dropped[i].parent);
    PyMem_Free(slots);
}

/* As in Python, where operations make the Value first and give it the operands then: what it was given by hand is replaced,
   everything else stays. */
Node *node_announce(Node *node)
{
    PyObject *data = PyFloat_FromDouble(node->data);
    Node *seen = data != NULL ? (Node *)PyObject_CallOneArg((PyObject *)Value_Type, data) : NULL;
    Py_XDECREF(data);
    if (seen != NULL && node->row != LEAF) {
        node_drop_operands(seen);
        if (node_far(node) == NULL || node_far(seen) == NULL) {
            Py_CLEAR(seen);
        } else {
            seen->far.slots = node->far.slots;
            node->far.slots = NULL;
            node_make_special(seen);
        }
    }
    if (seen != NULL) {
        seen->row = node->row;
        node->row = LEAF;
        if (node->tracks_results) node_track(seen);
    }
    Py_DECREF(node);
    return seen;
}

int node_set_label(Node *node, PyObject *label)
{
    Far *far = node_far(node);
    if (far == NULL) return -1;
    Py_XSETREF(far->label, Py_NewRef(label));
    return 0;
}

int node_traverse(PyObject *self, visitproc visit, void *arg)
{
    Node *node = (Node *)self;
    Py_VISIT(Py_TYPE(self));
    if (is_shared(node)) { /* it is not tracked: the collector could not count what nodes share */
        for (int i = 0; i < 2; i++) {
            Sequence *sequence = node->shared.sequences[i];
            for (Py_ssize_t j = 0; j < sequence->count; j++) Py_VISIT(sequence->slots[j].parent);
        }
        Py_VISIT(node->shared.scalar.parent);
        return 0;
    }
    Slot *slots = node_slots(node);
    for (Py_ssize_t i = 0, count = node_count(node) + has_tail(node); i < count; i++) Py_VISIT(slots[i].parent);
    if (is_far(node)) {
        Py_VISIT(node->far.attributes);
        Py_VISIT(node->far.label);
    }
    return 0;
}

int node_clear(PyObject *self)
{
    Node *node = (Node *)self;
    if (is_far(node)) {
        Py_CLEAR(node->far.attributes);
        Py_CLEAR(node->far.label);
    }
    if (has_tail(node)) node_drop_operands(node); /* they may have been given to an operand's operand */
    return 0;
}

/* ---- Freeing: in a loop, so that the depth of a graph does not matter. It allocates nothing. */

/* What is to be freed: cells wait in the queue's slabs, whose turns are from the latest back, as the nodes lie in memory.
   Others are in lists, linked through `weak_references`: nodes that are in no slab, and those in the slab whose turn it is,
   `here`, which are freed at once. What is freed may run Python code, and this may free others, in a loop of its own; where
   a slab is in another loop's queue, that one comes to its cells. */
typedef struct {
    Queue queue;
    Slab *slab;       /* whose turn it is */
    int32_t cells;    /* how many have been freed there */
    PyObject *others; /* nodes that are in no slab */
} Freeing;

/* Whether the node can be freed without running Python code and without telling the garbage collector. */
static inline bool is_plain(PyObject *object)
{
    Node *node = (Node *)object;
    return Py_IS_TYPE(object, Value_Type) && node->weak_references == NULL && !node->is_tracked;
}

static inline void put_before(PyObject **list, PyObject *node)
{
    ((Node *)node)->weak_references = *list;
    *list = node;
}

static inline Node *take_from(PyObject **list)
{
    Node *node = (Node *)*list;
    *list = node->weak_references;
    node->weak_references = NULL;
    return node;
}

/* Gives up a reference. If it was the last, the object is freed, now or later. Returns the list. */
ALWAYS_INLINE PyObject *give_up(Freeing *freeing, PyObject *here, PyObject *object)
{
    if (object == NULL) return here;
    if (Py_REFCNT(object) > 1 || !is_plain(object)) Py_DECREF(object);
    else if (slab_of(object) == freeing->slab) put_before(&here, object);
    else if (((Node *)object)->is_in_slab) let_wait(&freeing->queue, object, FREEING);
    else put_before(&freeing->others, object);
    return here;
}

static PyObject *give_up_slots(Freeing *freeing, PyObject *here, const Slot *slots, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) here = give_up(freeing, here, slots[i].parent);
    return here;
}

static PyObject *release_sequence(Freeing *freeing, PyObject *here, Sequence *sequence)
{
    if (--sequence->references > 0) return here;
    if (*sequence->place == sequence) *sequence->place = NULL;
    here = give_up_slots(freeing, here, sequence->slots, sequence->count);
    PyMem_Free(sequence);
    return here;
}

static PyObject *release_shared(Freeing *freeing, PyObject *here, const Shared *shared)
{
    for (int i = 0; i < 2; i++) here = release_sequence(freeing, here, shared->sequences[i]);
    return give_up(freeing, here, shared->scalar.parent);
}

static PyObject *release_far(Freeing *freeing, PyObject *here, Node *node)
{
    here = give_up_slots(freeing, here, node_slots(node), node_count(node) + has_tail(node));
    PyMem_Free(node->far.slots);
    Py_CLEAR(node->far.attributes);
    PyObject *label = node->far.label; /* it may be a node, whose label is a node */
    node->far.label = NULL;
    return give_up(freeing, here, label);
}

/* Gives up what the node has. */
ALWAYS_INLINE PyObject *release(Freeing *freeing, PyObject *here, Node *node)
{
    if (is_far(node)) return release_far(freeing, here, node);
    if (is_shared(node)) return release_shared(freeing, here, &node->shared);
    if (node->near_count == 0) return here;
    here = give_up(freeing, here, node->slots[0].parent);
    return node->near_count > 1 ? give_up(freeing, here, node->slots[1].parent) : here;
}

/* A cell whose object was assigned another class is one of the slab's type again. */
ALWAYS_INLINE void clear_cell(Node *node)
{
    PyTypeObject *type = Py_TYPE(node);
    if (node->is_special) {
        special_nodes--;
        clear_header((PyObject *)node);
    }
    if (type != Value_Type) {
        Py_SET_TYPE((PyObject *)node, (PyTypeObject *)Py_NewRef(Value_Type));
        Py_DECREF(type);
    }
    poison_cell((PyObject *)node);
}

static void free_node(Freeing *freeing, Node *node)
{
    (void)release(freeing, NULL, node);
    if (node->is_in_slab) {
        Slab *slab = slab_of(node);
        clear_cell(node);
        slab->freed++;
        settle(slab);
        return;
    }
    PyTypeObject *type = Py_TYPE(node);
    bool is_finalised = node->is_special && PyObject_GC_IsFinalized((PyObject *)node); /* and so would the next one be */
    if (node->is_special) special_nodes--;
    if (type == Value_Type && !is_finalised && keep(node)) return;
    type->tp_free(node);
    Py_DECREF(type);
}

static inline void free_cells(void *context, PyObject *here)
{
    Freeing *freeing = context;
    while (here != NULL) {
        Node *node = take_from(&here);
        prefetch_cell_before(slab_of(node), node);
        here = release(freeing, here, node);
        clear_cell(node);
        freeing->cells++;
    }
}

static void free_in_slab(Freeing *freeing)
{
    Slab *slab = freeing->slab = freeing->queue; /* the latest */
    walk_slab(&freeing->queue, FREEING, free_cells, freeing);
    slab->freed += freeing->cells;
    freeing->slab = NULL;
    freeing->cells = 0;
    settle(slab);
}

static void free_all(Freeing *freeing)
{
    while (freeing->others != NULL || freeing->queue != NULL) {
        if (freeing->others != NULL) free_node(freeing, take_from(&freeing->others));
        else free_in_slab(freeing);
    }
}

void give_up_sequence(Sequence *sequence)
{
    Freeing freeing = {NULL, NULL, 0, NULL};
    (void)release_sequence(&freeing, NULL, sequence);
    free_all(&freeing);
}

static void free_graph(Node *node)
{
    Freeing freeing = {NULL, NULL, 0, NULL};
    free_node(&freeing, node);
    free_all(&freeing);
}

void node_dealloc(PyObject *self)
{
    if (is_plain(self)) {
        free_graph((Node *)self);
        return;
    }
    PyObject_GC_UnTrack(self);
    /* Nodes that are not plain are freed by a recursion; the trashcan bounds its depth. */
    Py_TRASHCAN_BEGIN(self, node_dealloc)
    if (((Node *)self)->weak_references != NULL) PyObject_ClearWeakRefs(self);
    free_graph((Node *)self);
    Py_TRASHCAN_END
}
