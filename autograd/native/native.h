/* The compiled twin of value.py: what its files share.

   node.c       a Value's memory: how it is allocated, freed and seen by the garbage collector
   rows.c       the table: kernels.h, which kernels.py writes from operations.py
   apply.c      an operation on Values: the result, its edges and their local derivatives
   backward.c   the topological order, and the chain rule along it, backward and forward
   sequences.c  sequences of operands, each kept once for the nodes that have it
   value.c      the type Value: attributes, operators, comparisons
   function.c   the functions and methods of the table
   vectors.c    many Values' data and grad, to and from arrays
   module.c     the module
*/
#ifndef AUTOGRAD_NATIVE_H
#define AUTOGRAD_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(_MSC_VER)
#define ALWAYS_INLINE static __forceinline
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif

/* ---- The table */

/* Operands stand in one array: the sequences, n numbers each, and then the scalars. A partial derivative is that of the
   result r with respect to one operand; of a sequence, it writes all n. */
typedef double (*Evaluation)(Py_ssize_t n, const double *operands);
typedef void (*Partial)(double r, Py_ssize_t n, const double *operands, double *derivatives);

typedef struct {
    const char *name;
    const char *symbol;
    int operands;  /* how many the function takes; each of the leading `sequences` is a sequence */
    int sequences;
    const double *defaults; /* one per operand; nan where it has none */
    Evaluation value;
    const Partial *partials; /* one per operand */
    bool is_bilinear;        /* of two sequences and a scalar: the derivatives by each sequence are the other's numbers */
    /* The operation on scalars as one function, with the kernels inlined; NULL for n-ary operations. */
    PyObject *(*apply)(PyObject *const *parents, const double *numbers);
} Row;

extern const Row ROWS[];
extern const int ROW_COUNT;
extern const unsigned long TABLE_CHECKSUM; /* of the operations.py that it was written from */

/* ---- A node */

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

/* Operands of a bilinear operation as they were when it took them; the numbers are those of the operands themselves. */
typedef struct Sequence {
    Py_ssize_t references; /* of nodes */
    struct Sequence **place;
    uint64_t mark;         /* the epoch of the last walk that has seen all of its operands */
    uint64_t changes;      /* what there were when the numbers were last seen to be those of the operands */
    Py_ssize_t count;
    bool holds_value;      /* rather than constants only */
    Slot slots[];
} Sequence;

typedef struct {
    Sequence *sequences[2];
    Slot scalar;
} Shared;

enum { LEAF = 0xFF, CUSTOM = 0xFE }; /* rows of a node that no operation of the table computed */
enum { FAR = 0xFF };                 /* as a count: the operands, or a label or attributes, are elsewhere */
enum { SHARED = 0xFE };              /* the operands are two sequences, which other nodes may have too, and a scalar */
enum { INLINE_SLOTS = 2, FEW = 64 }; /* operands in a node; numbers on the stack */

typedef struct {
    PyObject_HEAD
    double data;
    double grad;
    PyObject *weak_references;
    uint64_t mark : 46;          /* the epoch of the last walk that has seen this node */
    uint64_t is_tracked : 1;     /* the garbage collector knows it */
    uint64_t tracks_results : 1; /* and is to know what is computed from it */
    uint64_t row : 8;   /* an index into ROWS, LEAF, or CUSTOM: with parents given by hand; the last slot is its symbol */
    uint64_t near_count : 8; /* how many of `slots` there are, or FAR, or SHARED */
    union {
        Slot slots[INLINE_SLOTS];
        Far far;
        Shared shared;
    };
} Node;

extern PyTypeObject *Value_Type;

static inline bool is_value(PyObject *object) { return PyObject_TypeCheck(object, Value_Type); }

/* A graph is larger than the nearer caches, and its nodes lie anywhere: they are called for some steps ahead. */
enum { NODES_AHEAD = 8 };

static inline void prefetch_node(const Node *node)
{
#if defined(__GNUC__)
    __builtin_prefetch(node, 1);
    __builtin_prefetch((const char *)node + 64, 1);
#else
    (void)node;
#endif
}

static inline bool is_far(const Node *node) { return node->near_count == FAR; }
static inline bool is_shared(const Node *node) { return node->near_count == SHARED; }

/* Of a node that is not shared. */
static inline Slot *node_slots(Node *node) { return is_far(node) ? node->far.slots : node->slots; }
static inline Py_ssize_t node_count(const Node *node) { return is_far(node) ? node->far.count : node->near_count; }

static inline void set_node_count(Node *node, Py_ssize_t count)
{
    if (is_far(node)) node->far.count = count;
    else node->near_count = (uint8_t)count;
}

/* A node with room for so many operands, and none yet. */
Node *node_new(int row, Py_ssize_t room);
int node_expand(Node *node); /* gives a shared node slots of its own; others stay as they are */
Far *node_far(Node *node);   /* makes room for more than two slots, a label or attributes */
PyObject *node_attributes(Node *node);
void node_track(Node *node);
int node_traverse(PyObject *self, visitproc visit, void *arg);
int node_clear(PyObject *self);
void node_dealloc(PyObject *self);

/* ---- What the files offer each other */

/* The result of the operation that `node`, which is given away, has the operands of. Their numbers stand in its slots, and
   once more in an array, as the kernels take them; where they are Values, the local derivatives take their place. */
PyObject *apply_to_operands(Node *node, Py_ssize_t n, const double *numbers);

/* The value by the table's rule in Python, which raises what is to be raised. On an error, -1 with an exception. */
int evaluate_by_the_rule(int row, Py_ssize_t n, PyObject *const *parents, const double *numbers, double *result);

/* The float of a real number. On an error, -1 with an exception. */
int as_number(PyObject *object, double *number);

/* The number of an operand and, in *parent, the Value that it is (borrowed), or NULL. On an error, -1 with an exception. */
static inline int as_operand(PyObject *object, PyObject **parent, double *number)
{
    *parent = NULL;
    if (PyFloat_CheckExact(object)) {
        *number = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    if (Py_IS_TYPE(object, Value_Type) || (!PyLong_CheckExact(object) && is_value(object))) {
        *parent = object;
        *number = ((Node *)object)->data;
        return 0;
    }
    return as_number(object, number);
}

typedef enum { DONE, UNUSUAL } Reading;

/* Reads an operand that can be read without running Python code; anything else is left to value.py. */
static inline Reading read_scalar(PyObject *object, PyObject **parent, double *number)
{
    if (Py_IS_TYPE(object, Value_Type)) {
        *parent = object;
        *number = ((Node *)object)->data;
        return DONE;
    }
    if (!PyFloat_CheckExact(object) && !PyLong_CheckExact(object) && !is_value(object)) return UNUSUAL;
    if (as_operand(object, parent, number) == 0) return DONE;
    PyErr_Clear();
    return UNUSUAL;
}

/* The sequence of one or more operands, with a reference that is to be given up, and their numbers. UNUSUAL without an
   exception if they are to be read otherwise, with one if memory is short. */
Reading take_sequence(PyObject *const *objects, Py_ssize_t n, double *numbers, Sequence **sequence);
extern uint64_t changes; /* how often a Value's data was set, or a Value tracked: to be counted after either */
bool sequence_give_up(Sequence *sequence); /* whether it was the last: its operands and memory are then to be freed */
Node *release_sequence(Sequence *sequence, Node *next);

extern int no_grad_blocks; /* how many no_grad() blocks are open, in all threads */
int is_recording_here(void);

/* Whether operations record their operands. On an error, -1 with an exception. */
static inline int is_recording(void) { return no_grad_blocks == 0 ? 1 : is_recording_here(); }

/* The keywords of a vectorcall as a dictionary; empty without any. */
PyObject *keywords_dictionary(PyObject *const *values, PyObject *names);
PyObject *value_call(PyObject *type, PyObject *const *arguments, size_t flagged_count, PyObject *names);

PyObject *guard(PyObject *module, PyObject *check);
extern PyObject *guard_function; /* NULL if there is none */
int ask_guard(PyObject *value, const char *what);

/* Before the number of a Value is given away. On an error, -1 with an exception. */
static inline int check_guard(PyObject *object, const char *what)
{
    return guard_function == NULL || !is_value(object) ? 0 : ask_guard(object, what);
}

PyObject *first_stranger(PyObject *module, PyObject *values);
PyObject *gather(PyObject *module, PyObject *arguments);
PyObject *scatter(PyObject *module, PyObject *arguments);

/* Nodes, each after all of its parents; borrowed from the roots that they were found from. */
typedef struct {
    Node **nodes;
    Py_ssize_t count, capacity;
} Order;

/* The order of the roots' graphs, to be given back. On an error, -1 with an exception. */
int find_order(PyObject *const *roots, Py_ssize_t root_count, Order *order, bool reset);
void give_back_order(Order *order);

/* How many operands it has; of a node that was given its parents by hand, how many parents. */
static inline Py_ssize_t operand_count(const Node *node)
{
    if (is_shared(node)) return 2 * node->shared.sequences[0]->count + 1;
    return node_count(node) - (node->row == CUSTOM);
}

PyObject *backward(Node *root, double seed);
PyObject *topological_order(PyObject *const *roots, Py_ssize_t root_count);
PyObject *push_forward(PyObject *module, PyObject *nodes);
void push_to_parents(Node *node);

/* ---- From operands.py and value.py, the specification: what is rare, and so not written again here. */

typedef struct {
    PyObject *real_number; /* the float of any real number, or TypeError */
    PyObject *evaluate;    /* the value by the table's own rule: inf, nan, or the error that says why */
    PyObject *arguments;   /* a function's operands as the engine takes them, or the error that says why not */
    PyObject *open_blocks; /* the context variable that no_grad() counts in */
    PyObject *operations;  /* the rows as Python has them, in the order of ROWS: a tuple */
} Specification;

extern Specification specification;

int find_operators(void);

extern PyType_Spec value_spec;
extern PyType_Spec function_spec;

#endif
