/* A node: a Value's memory, with its operands and their local derivatives.

   A node's operands are in one of three places. Near: up to two stand in the node itself. Far: more than two, or any beside
   a label or attributes, stand in memory of their own. Shared: they are two sequences, which other nodes may have too, and
   a scalar. */
#ifndef AUTOGRAD_NODE_H
#define AUTOGRAD_NODE_H

#include "cpython.h"

/* An operand: a Value and the local derivative with respect to it, or a constant. */
typedef struct {
    PyObject *parent; /* NULL for a constant */
    double number;    /* the local derivative; of a constant, the constant */
} Slot;

typedef struct {
    Slot *slots;
    Py_ssize_t count;
    PyObject *attributes; /* the instance's __dict__ */
    PyObject *label;
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
enum { LEAF = 0xFF, CUSTOM = 0xFE, GIVEN = 0xFD };
enum { FAR = 0xFF, SHARED = 0xFE };    /* as a count: the operands are not near */
enum { INLINE_SLOTS = 2 };             /* how many operands a node has room for */

typedef struct {
    PyObject_HEAD
    double data;
    double grad;
    PyObject *weak_references;
    uint64_t number;             /* of its creation: its operands were created before, unless they were given by hand */
    uint64_t mark : 46;          /* the epoch of the last walk that has seen this node */
    uint64_t is_tracked : 1;     /* the garbage collector knows it */
    uint64_t tracks_results : 1; /* the garbage collector is to know what is computed from it */
    uint64_t row : 8;            /* an index into ROWS, LEAF, CUSTOM or GIVEN */
    uint64_t near_count : 8;     /* how many of `slots` there are, or FAR, or SHARED */
    union {
        Slot slots[INLINE_SLOTS];
        Far far;
        Shared shared;
    };
} Node;

extern PyTypeObject *Value_Type; /* set when the module is made */
extern initproc plain_init;      /* the class's __init__ when the module is made */

/* Whether somebody has replaced the class's __init__, which is then called for computed Values too, as in Python. */
static inline bool init_is_wrapped(void) { return Value_Type->tp_init != plain_init; }

extern uint64_t epoch;           /* of the latest walk: it has seen the nodes whose mark is this */
extern uint64_t changes;         /* how often a Value's data was set, or a Value tracked: to be counted after either */

static inline bool is_value(PyObject *object) { return PyObject_TypeCheck(object, Value_Type); }

static inline bool is_far(const Node *node) { return node->near_count == FAR; }
static inline bool is_shared(const Node *node) { return node->near_count == SHARED; }

/* The slots of a node that is not shared. */
static inline Slot *node_slots(Node *node) { return is_far(node) ? node->far.slots : node->slots; }
static inline Py_ssize_t node_count(const Node *node) { return is_far(node) ? node->far.count : node->near_count; }

static inline void set_node_count(Node *node, Py_ssize_t count)
{
    if (is_far(node)) node->far.count = count;
    else node->near_count = (uint8_t)count;
}

/* Whether the operand was created before the node: nodes in the order of their numbers are then in topological order. */
static inline bool is_older(const PyObject *operand, const Node *node) { return ((Node *)operand)->number < node->number; }

static inline bool has_tail(const Node *node) { return node->row == CUSTOM || node->row == GIVEN; }

/* Of a node that has a tail, the Operation or None, and the symbol; borrowed. */
static inline PyObject *node_tail(const Node *node) { return node->far.slots[node->far.count].parent; }
static inline PyObject *tail_operation(const Node *node) { return PyTuple_GET_ITEM(node_tail(node), 0); }
static inline PyObject *tail_symbol(const Node *node) { return PyTuple_GET_ITEM(node_tail(node), 1); }

/* How many operands any node has. */
static inline Py_ssize_t operand_count(const Node *node)
{
    return is_shared(node) ? 2 * node->shared.sequences[0]->count + 1 : node_count(node);
}

/* A graph is larger than the nearer caches, and its nodes lie anywhere: a walk asks for them before it needs them. */
static inline void prefetch_node(const Node *node)
{
#if defined(__GNUC__)
    __builtin_prefetch(node, 1);
    __builtin_prefetch((const char *)node + 64, 1);
#else
    (void)node;
#endif
}

/* What follows sets an exception where memory is short, and returns NULL or -1. */

void node_begin(Node *node);              /* what every node begins with: a number, and 0 */
Node *node_new(int row, Py_ssize_t room); /* with room for so many operands, and none yet */
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
