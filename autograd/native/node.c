/* A Value's memory: one block that holds data, gradient, operation, visit mark and up to two operands.

   A graph has no cycles, so reference counting alone frees it; the garbage collector learns of a node only when somebody
   sets attributes on it, which could refer to anything, and of what is computed from such a node. So the cycles that an
   operation's own `_backward` makes are collected. A cycle is not if a result is hung on its operand afterwards, since
   the collector does not know the nodes between: it must be taken off again.
   Freed nodes are kept for the next graph. */
#include "native.h"

/* The nodes that are kept: a few at hand, and the others sorted, roughly, by address, so that a new graph's nodes lie side
   by side however those before were freed. The sorting is into chains, through `weak_references`, one for each stretch of
   memory (or several, as addresses are hashed); they are taken from chain after chain. */
#if defined(__SANITIZE_ADDRESS__)
enum { AT_HAND = 1, KEPT = 1 }; /* a node that is used after it was freed shall be seen */
#else
enum { AT_HAND = 1 << 8, KEPT = 80000 };
#endif
enum { STRETCH_BITS = 9, CHAINS = 1 << 15 };

static Node *at_hand[AT_HAND], *chains[CHAINS];
static int at_hand_count = 0, chained_count = 0;
static size_t current_chain = 0;

static inline bool keep(Node *node)
{
    if (at_hand_count < AT_HAND) {
        at_hand[at_hand_count++] = node;
        return true;
    }
    if (chained_count >= KEPT - AT_HAND) return false;
    Node **chain = &chains[((uintptr_t)node >> STRETCH_BITS) % CHAINS];
    node->weak_references = (PyObject *)*chain;
    *chain = node;
    chained_count++;
    return true;
}

static inline Node *take_kept(void)
{
    if (at_hand_count > 0) return at_hand[--at_hand_count];
    if (chained_count == 0) return NULL;
    while (chains[current_chain] == NULL) current_chain = (current_chain + 1) % CHAINS;
    Node *node = chains[current_chain];
    chains[current_chain] = (Node *)node->weak_references;
    chained_count--;
    return node;
}

Node *node_new(int row, Py_ssize_t room)
{
    Node *node = take_kept();
    if (node != NULL) {
        Py_SET_REFCNT(node, 1);
    } else {
        node = PyObject_GC_New(Node, Value_Type);
        if (node == NULL) return NULL;
    }
    node->data = node->grad = 0.0;
    node->weak_references = NULL;
    node->mark = 0;
    node->is_tracked = 0;
    node->tracks_results = 0;
    node->row = (uint8_t)row;
    node->near_count = 0;
    if (room > INLINE_SLOTS) {
        Slot *slots = PyMem_Malloc((size_t)room * sizeof(Slot));
        if (slots == NULL) {
            Py_DECREF(node);
            PyErr_NoMemory();
            return NULL;
        }
        node->near_count = FAR;
        node->far = (Far){.slots = slots};
    }
    return node;
}

int node_expand(Node *node)
{
    if (!is_shared(node)) return 0;
    Shared shared = node->shared;
    Py_ssize_t n = shared.sequences[0]->count;
    Slot *slots = PyMem_Malloc((size_t)(2 * n + 1) * sizeof(Slot)), *slot = slots;
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        const Slot *own = shared.sequences[i]->slots, *other = shared.sequences[1 - i]->slots;
        for (Py_ssize_t j = 0; j < n; j++)
            *slot++ = (Slot){Py_XNewRef(own[j].parent), own[j].parent != NULL ? other[j].number : own[j].number};
    }
    *slot = shared.scalar;
    node->near_count = FAR;
    node->far = (Far){.slots = slots, .count = 2 * n + 1};
    for (int i = 0; i < 2; i++) release_sequence(shared.sequences[i], NULL);
    return 0;
}

Far *node_far(Node *node)
{
    if (node_expand(node) < 0) return NULL;
    if (is_far(node)) return &node->far;
    Py_ssize_t count = node_count(node);
    Slot *slots = NULL;
    if (count > 0) {
        slots = PyMem_Malloc((size_t)count * sizeof(Slot));
        if (slots == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        for (Py_ssize_t i = 0; i < count; i++) slots[i] = node->slots[i];
    }
    node->near_count = FAR;
    node->far = (Far){.slots = slots, .count = count};
    return &node->far;
}

/* Makes the node known to the garbage collector, and what will be computed from it, which may be part of a cycle. */
void node_track(Node *node)
{
    node->tracks_results = 1;
    changes++;
    if (node->is_tracked) return;
    node->is_tracked = 1;
    PyObject_GC_Track(node);
}

/* The instance's dictionary (borrowed), made when it is first asked for. */
PyObject *node_attributes(Node *node)
{
    Far *far = node_far(node);
    if (far == NULL) return NULL;
    if (far->attributes == NULL) {
        far->attributes = PyDict_New();
        if (far->attributes != NULL) node_track(node);
    }
    return far->attributes;
}

int node_traverse(PyObject *self, visitproc visit, void *arg)
{
    Node *node = (Node *)self;
    Py_VISIT(Py_TYPE(self));
    if (is_shared(node)) { /* and not tracked: the collector does not count what others share */
        for (int i = 0; i < 2; i++) {
            Sequence *sequence = node->shared.sequences[i];
            for (Py_ssize_t j = 0; j < sequence->count; j++) Py_VISIT(sequence->slots[j].parent);
        }
        Py_VISIT(node->shared.scalar.parent);
        return 0;
    }
    Slot *slots = node_slots(node);
    for (Py_ssize_t i = 0, count = node_count(node); i < count; i++) Py_VISIT(slots[i].parent);
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
    return 0;
}

/* Whether nothing but its operands' counts must be looked after when this node is freed: no Python code runs then that
   could reach it, and the garbage collector does not know it. */
static inline bool is_plain(PyObject *object)
{
    Node *node = (Node *)object;
    return Py_IS_TYPE(object, Value_Type) && node->weak_references == NULL && !node->is_tracked;
}

/* Gives up operands. Those that are freed with their node are chained through `weak_references` before `next`. */
static Node *release_slots(const Slot *slots, Py_ssize_t count, Node *next)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *parent = slots[i].parent;
        if (parent == NULL) continue;
        if (Py_REFCNT(parent) == 1 && is_plain(parent)) {
            ((Node *)parent)->weak_references = (PyObject *)next;
            next = (Node *)parent;
        } else {
            Py_DECREF(parent);
        }
    }
    return next;
}

Node *release_sequence(Sequence *sequence, Node *next)
{
    if (!sequence_give_up(sequence)) return next;
    next = release_slots(sequence->slots, sequence->count, next);
    PyMem_Free(sequence);
    return next;
}

static Node *release_operands(Node *node, Node *next)
{
    if (!is_shared(node)) return release_slots(node_slots(node), node_count(node), next);
    for (int i = 0; i < 2; i++) next = release_sequence(node->shared.sequences[i], next);
    return release_slots(&node->shared.scalar, 1, next);
}

static void release_memory(Node *node)
{
    if (is_far(node)) {
        PyMem_Free(node->far.slots);
        Py_CLEAR(node->far.attributes);
        Py_CLEAR(node->far.label);
    }
    PyTypeObject *type = Py_TYPE(node);
    if (type == Value_Type && keep(node)) return;
    type->tp_free(node);
    Py_DECREF(type);
}

/* A loop and not a recursion, so that a chain of any length is freed. */
static void free_graph(Node *node)
{
    Node *next = NULL;
    for (;;) {
        next = release_operands(node, next);
        release_memory(node);
        if (next == NULL) return;
        node = next;
        next = (Node *)node->weak_references;
        node->weak_references = NULL;
    }
}

void node_dealloc(PyObject *self)
{
    if (is_plain(self)) {
        free_graph((Node *)self);
        return;
    }
    PyObject_GC_UnTrack(self);
    /* What is not plain is freed by a call of this function within this function; this bounds how deep. */
    Py_TRASHCAN_BEGIN(self, node_dealloc)
    if (((Node *)self)->weak_references != NULL) PyObject_ClearWeakRefs(self);
    free_graph((Node *)self);
    Py_TRASHCAN_END
}
