/* A Value's memory: one block that holds data, gradient, operation, visit mark and up to two operands.

   A graph has no cycles, so reference counting alone frees it. The garbage collector is told of a node only when somebody
   sets attributes on it, since they can refer to anything, and of what is computed from such a node. So it finds the cycles
   that an operation's own `_backward` makes. It does not find the cycle of a result that is hung on its operand afterwards,
   because it does not know the nodes between: such a result must be taken off again.
   Freed nodes are kept for the next graph. */
#include "node.h"

PyTypeObject *Value_Type = NULL;
initproc plain_init = NULL;
uint64_t changes = 0;
uint64_t epoch = 0;
static uint64_t created = 0; /* how many nodes */

/* The nodes that are kept: a few at hand, and the others roughly sorted by address, so that a new graph's nodes lie side by
   side in whichever order the earlier ones were freed. They are sorted into chains, linked through `weak_references`: each
   stretch of memory belongs to one chain. Nodes are taken from chain after chain. */
#if defined(__SANITIZE_ADDRESS__)
enum { AT_HAND = 1, KEPT = 1 }; /* so that the sanitiser sees the use of a freed node */
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

void node_begin(Node *node)
{
    node->data = node->grad = 0.0;
    node->weak_references = NULL;
    node->number = ++created;
    node->mark = 0;
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
    node_begin(node);
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
    for (int i = 0; i < 2; i++) give_up_sequence(shared.sequences[i]);
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
    if (far->attributes == NULL) far->attributes = PyDict_New();
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
        for (int i = 0; i < 2; i++) give_up_sequence(shared.sequences[i]);
        Py_XDECREF(shared.scalar.parent);
        return;
    }
    Slot near[INLINE_SLOTS], *slots = near;
    Py_ssize_t count = node_count(node) + has_tail(node);
    if (is_far(node)) {
        slots = node->far.slots;
        node->far.slots = NULL;
    } else {
        for (Py_ssize_t i = 0; i < count; i++) near[i] = node->slots[i];
    }
    set_node_count(node, 0);
    node->row = LEAF;
    for (Py_ssize_t i = 0; i < count; i++) Py_XDECREF(slots[i].parent);
    if (slots != near) PyMem_Free(slots);
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
        if (!is_far(seen)) {
            seen->near_count = node->near_count;
            memcpy(&seen->far, &node->far, sizeof(Far));
            node->near_count = 0;
        } else if (node_far(node) == NULL) {
            Py_CLEAR(seen);
        } else {
            seen->far.slots = node->far.slots;
            seen->far.count = node->far.count;
            node->far.slots = NULL;
            node->far.count = 0;
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

_Static_assert(sizeof(Far) >= INLINE_SLOTS * sizeof(Slot) && sizeof(Far) >= sizeof(Shared), "operands are moved as a Far");

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

/* Whether the node can be freed without running Python code and without telling the garbage collector. */
static inline bool is_plain(PyObject *object)
{
    Node *node = (Node *)object;
    return Py_IS_TYPE(object, Value_Type) && node->weak_references == NULL && !node->is_tracked;
}

/* Gives up operands. Those that are to be freed are chained through `weak_references`, before `next`; returns the first. */
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

static Node *release_sequence(Sequence *sequence, Node *next)
{
    if (--sequence->references > 0) return next;
    if (*sequence->place == sequence) *sequence->place = NULL;
    next = release_slots(sequence->slots, sequence->count, next);
    PyMem_Free(sequence);
    return next;
}

static Node *release_operands(Node *node, Node *next)
{
    if (is_far(node)) return release_slots(node->far.slots, node->far.count + has_tail(node), next);
    if (!is_shared(node)) return release_slots(node->slots, node->near_count, next);
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

/* Frees a chain of nodes, and all that is freed with them: in a loop, so that the depth of a graph does not matter. */
static void free_nodes(Node *node)
{
    while (node != NULL) {
        Node *next = (Node *)node->weak_references;
        node->weak_references = NULL;
        next = release_operands(node, next);
        release_memory(node);
        node = next;
    }
}

void give_up_sequence(Sequence *sequence) { free_nodes(release_sequence(sequence, NULL)); }

void node_dealloc(PyObject *self)
{
    if (is_plain(self)) {
        free_nodes((Node *)self);
        return;
    }
    PyObject_GC_UnTrack(self);
    /* Nodes that are not plain are freed by a recursion; the trashcan bounds its depth. */
    Py_TRASHCAN_BEGIN(self, node_dealloc)
    if (((Node *)self)->weak_references != NULL) PyObject_ClearWeakRefs(self);
    free_nodes((Node *)self);
    Py_TRASHCAN_END
}
