/* A node: a Value's memory, with its operands and their local derivatives.

   A node's operands are in one of three places. Near: up to two stand in the node itself. Far: more than two, or any beside
   a label or attributes, stand in memory of their own. Shared: they are two sequences, which other nodes may have too, and
   a scalar.

   A node that an operation of the table makes is a cell of a slab. Elsewhere are leaves, nodes of a subclass, and those that
   were made with parents by hand: the operands of a node that is elsewhere are far. */
#ifndef AUTOGRAD_NODE_H
#define AUTOGRAD_NODE_H

#include "slabs.h"

/* An operand: a Value and the local derivative with respect to it, or a constant. */
typedef struct {
    PyObject *parent; /* NULL for a constant */
    double number;    /* the local derivative; of a constant, the constant */
} Slot;

typedef struct {
    Py_ssize_t count;
    Slot items[];
} Slots;

typedef struct {
    Slots *slots;         /* NULL for none */
    PyObject *attributes; /* the instance's __dict__ */
    PyObject *label;
    uint64_t mark;        /* of a node that is in no slab */
} Far;

/* Operands of a bilinear operation. A slot's number is here the operand's own, as it was when the operation took it: it is
   the local derivative with respect to the operand at the same place in the other sequence. */
typedef struct Sequence {
    Py_ssize_t references; /* how many nodes have it */
    struct Sequence **place; /* where sequences.c finds it again */
    uint64_t mark;         /* the epoch of the last walk that has seen all of its operands */
    uint64_t changes;      /* how many there had been when the numbers were last seen to be those of the operands */
    Py_ssize_t count;
    bool holds_value;      /* rather than constants only */
    Slot slots[];
} Sequence;

typedef struct {
    Sequence *sequences[2];
    Slot scalar;
} Shared;

/* As a row: no row of this table computed the node. LEAF: nothing did. CUSTOM: its parents were given by hand. GIVEN: their
   local derivatives, too. The latter two have far operands and, behind these, a slot more, which is not counted: the tail,
   whose parent is the pair of an Operation or None and the symbol. */
enum { LEAF = 0x7F, CUSTOM = 0x7E, GIVEN = 0x7D };
enum { FAR = 7, SHARED = 6 };          /* as a count: the operands are not near */
enum { INLINE_SLOTS = 2 };             /* how many operands a node has room for */

typedef struct {
    PyObject_HEAD
    double data;
    double grad;
    PyObject *weak_references;
    uint64_t number : 50;        /* of its creation: one every ten nanoseconds, for four months */
    uint64_t row : 7;            /* an index into ROWS, LEAF, CUSTOM or GIVEN */
    uint64_t near_count : 3;     /* how many of `slots` there are, or FAR, or SHARED */
    uint64_t is_in_slab : 1;
    uint64_t is_tracked : 1;     /* the garbage collector knows it */
    uint64_t tracks_results : 1; /* the garbage collector is to know what is computed from it */
    uint64_t is_special : 1;     /* see special_nodes */
    union {
        Slot slots[INLINE_SLOTS];
        Far far;
        Shared shared;
        uint64_t mark;           /* of a leaf that is in no slab, and not far */
    };
#if !HAS_SLABS
    uint64_t own_mark;
#endif
} Node;

_Static_assert(sizeof(Node) + HEADER_BYTES <= CELL_BYTES || !HAS_SLABS, "a node fits into a cell");

extern PyTypeObject *Value_Type; /* set when the module is made */
extern initproc plain_init;      /* the class's __init__ when the module is made */

/* Whether somebody has replaced the class's __init__, which is then called for computed Values too, as in Python. */
static inline bool init_is_wrapped(void) { return Value_Type->tp_init != plain_init; }

extern uint64_t epoch;           /* of the latest walk: it has seen the nodes whose mark is this */

/* How many nodes there are whose gradients may not be passed on as most nodes' are, in one walk over slabs: they have
   operands but are in no slab, or are in a slab but have been given others, or may have a `_backward` of their own. */
extern Py_ssize_t special_nodes;

static inline void node_make_special(Node *node)
{
    special_nodes += !node->is_special;
    node->is_special = 1;
}

extern uint64_t changes;         /* how often a Value's data was set, or a Value tracked: to be counted after either */

static inline bool is_value(PyObject *object) { return PyObject_TypeCheck(object, Value_Type); }

static inline bool is_far(const Node *node) { return node->near_count == FAR; }
static inline bool is_shared(const Node *node) { return node->near_count == SHARED; }

/* The slots of a node that is not shared. */
static inline Slot *node_slots(Node *node)
{
    if (!is_far(node)) return node->slots;
    return node->far.slots != NULL ? node->far.slots->items : NULL;
}

static inline Py_ssize_t node_count(const Node *node)
{
    if (!is_far(node)) return node->near_count;
    return node->far.slots != NULL ? node->far.slots->count : 0;
}

/* Of a node that has room for them. */
static inline void set_node_count(Node *node, Py_ssize_t count)
{
    if (is_far(node)) node->far.slots->count = count;
    else node->near_count = (uint8_t)count & 7;
}

/* Whether the operand was created before the node: nodes in the order of their numbers are then in topological order. */
static inline bool is_older(const PyObject *operand, const Node *node) { return ((Node *)operand)->number < node->number; }

static inline bool has_tail(const Node *node) { return node->row == CUSTOM || node->row == GIVEN; }

/* Of a node that has a tail, the Operation or None, and the symbol; borrowed. */
static inline PyObject *node_tail(const Node *node) { return node->far.slots->items[node->far.slots->count].parent; }
static inline PyObject *tail_operation(const Node *node) { return PyTuple_GET_ITEM(node_tail(node), 0); }
static inline PyObject *tail_symbol(const Node *node) { return PyTuple_GET_ITEM(node_tail(node), 1); }

/* How many operands any node has. */
static inline Py_ssize_t operand_count(const Node *node)
{
    return is_shared(node) ? 2 * node->shared.sequences[0]->count + 1 : node_count(node);
}

/* The epoch of the last walk that has seen the node, which is in no slab. */
static inline uint64_t *own_mark(Node *node)
{
#if HAS_SLABS
    return is_far(node) ? &node->far.mark : &node->mark;
#else
    return &node->own_mark;
#endif
}

/* Marks the node, in a walk with this epoch. Returns whether it was not marked. */
static inline bool node_mark(Node *node, uint64_t walk)
{
    if (node->is_in_slab) return mark_cell(node, walk);
    bool is_new = *own_mark(node) != walk;
    *own_mark(node) = walk;
    return is_new;
}

static inline bool node_is_marked(Node *node, uint64_t walk)
{
    return node->is_in_slab ? is_cell_marked(node, walk) : *own_mark(node) == walk;
}

/* A graph is larger than the nearer caches. Where a walk does not follow the cells, it asks for nodes before it needs them. */
static inline void prefetch_node(const Node *node)
{
#if defined(__GNUC__)
    __builtin_prefetch(node, 1);
    __builtin_prefetch((const char *)node + 64, 1);
#else
    (void)node;
#endif
}

extern uint64_t created; /* how many nodes */

/* What every node begins with: a number of its own, and a gradient of 0. */
ALWAYS_INLINE void node_begin(Node *node, int row, int near_count, bool is_in_slab)
{
    node->grad = 0.0;
    node->weak_references = NULL;
    node->number = ++created;
    node->row = (uint8_t)row & 0x7F;
    node->near_count = (uint8_t)near_count & 7;
    node->is_in_slab = is_in_slab;
    if (!is_in_slab) *own_mark(node) = 0;
    node->is_tracked = node->tracks_results = node->is_special = 0;
}

/* What follows sets an exception where memory is short, and returns NULL or -1. */

Node *node_leaf(void); /* its data are to be written */

/* A node of an operation, with so many near operands, which are to be written, as its data are. */
ALWAYS_INLINE Node *node_computed(int row, int near_count)
{
#if HAS_SLABS
    Node *node = (Node *)take_cell(Value_Type);
    if (node == NULL) return NULL;
    Py_SET_REFCNT((PyObject *)node, 1);
    node_begin(node, row, near_count, true);
#else
    Node *node = node_leaf();
    if (node == NULL) return NULL;
    node->row = (uint8_t)row & 0x7F;
    node->near_count = (uint8_t)near_count & 7;
    node_make_special(node);
#endif
    return node;
}

Node *node_with_room(int row, Py_ssize_t room); /* a node of an operation, for so many operands, and none yet */
Slots *slots_new(Py_ssize_t room);        /* the same without the node */
int node_expand(Node *node);              /* gives a shared node slots of its own; others stay as they are */
Far *node_far(Node *node);                /* makes room for more than two slots, a label or attributes */
PyObject *node_attributes(Node *node);    /* the instance's dictionary (borrowed), made when it is first asked for */
void node_drop_operands(Node *node);      /* makes a leaf of it; may run Python code, which sees the leaf */
int node_set_label(Node *node, PyObject *label);

/* A computed node that is made; where the class's __init__ was replaced, another one, which that has seen. */
Node *node_announce(Node *node);

static inline PyObject *node_made(Node *node)
{
    return (PyObject *)(node != NULL && init_is_wrapped() ? node_announce(node) : node);
}

/* Makes the node known to the garbage collector, and what will be computed from it, which may be part of a cycle. */
void node_track(Node *node);

/* Gives up one reference to a sequence. */
void give_up_sequence(Sequence *sequence);

int node_traverse(PyObject *self, visitproc visit, void *arg);
int node_clear(PyObject *self);
void node_dealloc(PyObject *self);

#endif
