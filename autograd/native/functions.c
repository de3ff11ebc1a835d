/* A function of the table is an object that knows its row. It reads the usual operands itself, and leaves others to Python. */
#include "functions.h"

#include <structmember.h>

#include "apply.h"
#include "documentation.h"
#include "operands.h"
#include "recording.h"
#include "sequences.h"
#include "specification.h"

static const char *const DOCSTRINGS[] = {DOC_ROWS};

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    int row;
    PyObject *attributes; /* __name__, __doc__, __wrapped__ */
    PyObject *weak_references;
} Function;

static Py_ssize_t length_of(PyObject *sequence)
{
    if (PyList_CheckExact(sequence)) return PyList_GET_SIZE(sequence);
    return PyTuple_CheckExact(sequence) ? PyTuple_GET_SIZE(sequence) : -1;
}

/* The length that all sequences have; -1 if lengths differ, a sequence is no list or tuple, or operands are missing. */
static Py_ssize_t common_length(const Row *row, PyObject *const *arguments, Py_ssize_t given)
{
    if (given > row->operands) return -1;
    for (Py_ssize_t i = given; i < row->operands; i++)
        if (isnan(row->defaults[i])) return -1;
    Py_ssize_t n = row->sequences > 0 ? length_of(arguments[0]) : 1;
    for (int i = 1; i < row->sequences; i++)
        if (length_of(arguments[i]) != n) return -1;
    return n;
}

static PyObject *call_on_scalars(int index, PyObject *const *arguments, Py_ssize_t given)
{
    const Row *row = &ROWS[index];
    PyObject *parents[INLINE_SLOTS] = {NULL};
    double numbers[INLINE_SLOTS];
    for (int i = 0; i < row->operands; i++) {
        if (i >= given) numbers[i] = row->defaults[i];
        else if (read_scalar(arguments[i], &parents[i], &numbers[i]) == UNUSUAL) return NULL;
    }
    return APPLY[index](parents, numbers);
}

/* Puts operands into the node's next slots, and their numbers into the array. */
static Reading take_operands(Node *node, PyObject *const *objects, Py_ssize_t length, double *numbers)
{
    Py_ssize_t count = node_count(node);
    Slot *slots = node_slots(node) + count;
    Py_ssize_t i = 0;
    for (; i < length; i++) {
        PyObject *parent = NULL;
        if (read_scalar(objects[i], &parent, &numbers[i]) == UNUSUAL) break;
        slots[i] = (Slot){Py_XNewRef(parent), numbers[i]};
    }
    set_node_count(node, count + i);
    return i == length ? DONE : UNUSUAL;
}

static Reading take_arguments(Node *node, PyObject *const *arguments, Py_ssize_t given, Py_ssize_t n, double *numbers)
{
    const Row *row = &ROWS[node->row];
    for (int i = 0; i < row->operands; i++) {
        bool is_sequence = i < row->sequences;
        if (i >= given) {
            *numbers = row->defaults[i];
            Py_ssize_t count = node_count(node);
            node_slots(node)[count] = (Slot){NULL, *numbers};
            set_node_count(node, count + 1);
        } else {
            PyObject *const *objects = is_sequence ? PySequence_Fast_ITEMS(arguments[i]) : &arguments[i];
            if (take_operands(node, objects, is_sequence ? n : 1, numbers) == UNUSUAL) return UNUSUAL;
        }
        numbers += is_sequence ? n : 1;
    }
    return DONE;
}

/* Whether the operands may be sequences that nodes share. What begins with a number is taken to hold numbers only. */
static bool is_to_be_shared(const Row *row, PyObject *const *arguments, Py_ssize_t n)
{
    if (!row->is_bilinear || n == 0 || no_grad_blocks > 0) return false;
    return is_value(*PySequence_Fast_ITEMS(arguments[0])) || is_value(*PySequence_Fast_ITEMS(arguments[1]));
}

/* The node of a bilinear operation on sequences, which the node takes over. NULL without an exception for what need not be
   fast: constants alone, a result that is not finite, operands that the garbage collector knows. */
static Node *node_on_sequences(int index, Sequence *first, Sequence *second, Slot scalar, const double *numbers)
{
    const Row *row = &ROWS[index];
    double data = row->value(first->count, numbers);
    bool tracks_results = scalar.parent != NULL && ((Node *)scalar.parent)->tracks_results;
    bool holds_value = first->holds_value || second->holds_value || scalar.parent != NULL;
    if (!isfinite(data) || tracks_results || !holds_value) return NULL;
    Node *node = node_computed(index, SHARED);
    if (node == NULL) return NULL;
    if (scalar.parent != NULL) row->partials[2](data, first->count, numbers, &scalar.number);
    Py_XINCREF(scalar.parent);
    node->data = data;
    node->shared = (Shared){{first, second}, scalar};
    return node;
}

/* A bilinear operation on sequences that nodes share. NULL without an exception if the operands are unusual. No Python code
   that could change the lists runs until there are references to all of their elements. */
static PyObject *call_bilinear(int index, PyObject *const *arguments, Py_ssize_t given, Py_ssize_t n, double *numbers)
{
    Sequence *first = NULL, *second = NULL;
    Slot scalar = {NULL, ROWS[index].defaults[2]};
    Node *node = NULL;
    if (given == 3 && read_scalar(arguments[2], &scalar.parent, &scalar.number) == UNUSUAL) return NULL;
    numbers[2 * n] = scalar.number;
    if (take_sequence(PySequence_Fast_ITEMS(arguments[0]), n, numbers, &first) == DONE &&
        take_sequence(PySequence_Fast_ITEMS(arguments[1]), n, numbers + n, &second) == DONE)
        node = node_on_sequences(index, first, second, scalar, numbers);
    if (node != NULL) return node_made(node);
    if (first != NULL) give_up_sequence(first);
    if (second != NULL) give_up_sequence(second);
    return NULL;
}

/* The node is made before the operands are read: no Python code that could change the lists runs until it holds them. */
static PyObject *call_on_sequences(int index, PyObject *const *arguments, Py_ssize_t given, Py_ssize_t n, double *numbers)
{
    const Row *row = &ROWS[index];
    Node *node = node_with_room(index, n * row->sequences + (row->operands - row->sequences));
    if (node == NULL) return NULL;
    if (common_length(row, arguments, given) == n && take_arguments(node, arguments, given, n, numbers) == DONE)
        return apply_to_operands(node, n, numbers);
    Py_DECREF(node);
    return NULL;
}

/* The result, or NULL without an exception if the arguments are unusual. */
static PyObject *call_on_usual(int index, PyObject *const *arguments, Py_ssize_t given)
{
    const Row *row = &ROWS[index];
    Py_ssize_t n = common_length(row, arguments, given);
    if (n < 0) return NULL;
    if (APPLY[index] != NULL) return call_on_scalars(index, arguments, given);
    Py_ssize_t count = n * row->sequences + (row->operands - row->sequences);
    double few_numbers[FEW], *numbers = few_numbers;
    if (count > FEW && (numbers = PyMem_Malloc((size_t)count * sizeof(double))) == NULL) return PyErr_NoMemory();
    PyObject *result = NULL;
    if (is_to_be_shared(row, arguments, n)) result = call_bilinear(index, arguments, given, n, numbers);
    if (result == NULL && !PyErr_Occurred()) result = call_on_sequences(index, arguments, given, n, numbers);
    if (numbers != few_numbers) PyMem_Free(numbers);
    return result;
}

/* Keywords, other numbers, other iterables: operands.py reads them, or raises the error. */
static PyObject *call_on_unusual(int index, PyObject *const *arguments, Py_ssize_t given, PyObject *names)
{
    PyObject *result = NULL, *operands = PyTuple_New(given), *keywords = NULL, *read = NULL;
    if (operands == NULL) return NULL;
    for (Py_ssize_t i = 0; i < given; i++) PyTuple_SET_ITEM(operands, i, Py_NewRef(arguments[i]));
    keywords = keywords_dictionary(arguments + given, names);
    if (keywords != NULL)
        read = PyObject_CallFunctionObjArgs(specification.arguments, PyTuple_GET_ITEM(specification.operations, index),
                                            operands, keywords, (PyObject *)Value_Type, NULL);
    if (read != NULL) {
        result = call_on_usual(index, &PyTuple_GET_ITEM(read, 0), PyTuple_GET_SIZE(read));
        if (result == NULL && !PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "arguments() returned unusual operands");
    }
    Py_DECREF(operands);
    Py_XDECREF(keywords);
    Py_XDECREF(read);
    return result;
}

static PyObject *function_call(PyObject *self, PyObject *const *arguments, size_t flagged_count, PyObject *names)
{
    Function *function = (Function *)self;
    Py_ssize_t given = PyVectorcall_NARGS(flagged_count);
    if (names == NULL || PyTuple_GET_SIZE(names) == 0) {
        PyObject *result = call_on_usual(function->row, arguments, given);
        if (result != NULL || PyErr_Occurred()) return result;
    }
    return call_on_unusual(function->row, arguments, given, names);
}

static PyObject *function_bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(type))
{
    return instance == NULL || instance == Py_None ? Py_NewRef(self) : PyMethod_New(self, instance);
}

static PyObject *function_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<function %s>", ROWS[((Function *)self)->row].name);
}

/* function(operation): what value.py's function() returns. */
static PyObject *function_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"operation", NULL};
    PyObject *operation;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O:function", names, &operation)) return NULL;
    int row = 0;
    while (row < ROW_COUNT && PyTuple_GET_ITEM(specification.operations, row) != operation) row++;
    if (row == ROW_COUNT) {
        PyErr_Format(PyExc_LookupError, "%R is not in the table that this engine was built from", operation);
        return NULL;
    }
    Function *function = (Function *)type->tp_alloc(type, 0);
    if (function == NULL) return NULL;
    function->call = function_call;
    function->row = row;
    function->attributes = Py_BuildValue("{ss}", "__doc__", DOCSTRINGS[row]);
    if (function->attributes == NULL) Py_CLEAR(function);
    return (PyObject *)function;
}

static int function_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Function *)self)->attributes);
    return 0;
}

static int function_clear(PyObject *self)
{
    Py_CLEAR(((Function *)self)->attributes);
    return 0;
}

static void function_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    function_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* For pickle and copy: the function is found again by its name. */
static PyObject *function_reduce(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    return PyUnicode_FromString(ROWS[((Function *)self)->row].name);
}

static PyMethodDef function_methods[] = {
    {"__reduce__", function_reduce, METH_NOARGS, NULL},
    {.ml_name = NULL},
};

static PyMemberDef function_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Function, call), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Function, attributes), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Function, weak_references), READONLY, NULL},
    {.name = NULL},
};

static PyGetSetDef function_attributes[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {.name = NULL},
};

static PyType_Slot function_slots[] = {
    {Py_tp_new, function_new},         {Py_tp_dealloc, function_dealloc}, {Py_tp_traverse, function_traverse},
    {Py_tp_clear, function_clear},     {Py_tp_call, PyVectorcall_Call},   {Py_tp_descr_get, function_bind},
    {Py_tp_members, function_members}, {Py_tp_repr, function_repr},       {Py_tp_getset, function_attributes},
    {Py_tp_methods, function_methods},
    {0, NULL},
};

PyType_Spec function_spec = {
    .name = "autograd.native.engine.function",
    .basicsize = sizeof(Function),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = function_slots,
};
