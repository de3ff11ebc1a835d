/* Blocks of code in which operations record, or do not; and the guard. */
#include "recording.h"

#include <structmember.h>

#include "specification.h"

/* ---- Block: what recording.py has in Python. To begin and to end are single calls here: no interrupt comes between. */

int no_grad_blocks = 0;
static int open_blocks = 0; /* of all kinds, in all threads */

typedef struct {
    PyObject_HEAD
    PyObject *owner, *raises, *weak_references;
    bool records, is_open;
} Block;

static PyObject *block_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(keywords))
{
    PyObject *owner = Py_None, *raises = Py_None;
    int records = 1;
    if (!PyArg_ParseTuple(arguments, "|OpO:Block", &owner, &records, &raises)) return NULL;
    Block *block = (Block *)type->tp_alloc(type, 0);
    if (block == NULL) return NULL;
    block->owner = Py_NewRef(owner);
    block->raises = Py_NewRef(raises);
    block->records = records != 0;
    return (PyObject *)block;
}

static void turn(Block *block, bool is_open)
{
    int opened = is_open - block->is_open;
    open_blocks += opened;
    if (!block->records) no_grad_blocks += opened;
    block->is_open = is_open;
}

/* The call that begins or ends a block: it holds the block, and what it returns. */
static PyObject *begin_call(PyObject *pair, PyObject *Py_UNUSED(nothing))
{
    turn((Block *)PyTuple_GET_ITEM(pair, 0), true);
    return Py_NewRef(PyTuple_GET_ITEM(pair, 1));
}

static PyObject *end_call(PyObject *block, PyObject *Py_UNUSED(exception))
{
    if (!((Block *)block)->is_open) {
        PyErr_SetString(PyExc_RuntimeError, "release unlocked lock"); /* as the lock says, by which recording.py ends it */
        return NULL;
    }
    turn((Block *)block, false);
    Py_RETURN_NONE;
}

static PyMethodDef begin_definition = {"begin", begin_call, METH_NOARGS, NULL};
static PyMethodDef end_definition = {"end", end_call, METH_VARARGS, NULL};

static PyObject *block_begin(PyObject *self, PyObject *returned)
{
    PyObject *pair = PyTuple_Pack(2, self, returned), *call = pair != NULL ? PyCFunction_New(&begin_definition, pair) : NULL;
    Py_XDECREF(pair);
    return call;
}

static PyObject *block_end(PyObject *self, PyObject *Py_UNUSED(nothing)) { return PyCFunction_New(&end_definition, self); }

static int block_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Block *)self)->owner);
    Py_VISIT(((Block *)self)->raises);
    return 0;
}

static int block_clear(PyObject *self)
{
    Py_CLEAR(((Block *)self)->owner);
    Py_CLEAR(((Block *)self)->raises);
    return 0;
}

static void block_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    turn((Block *)self, false);
    block_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef block_methods[] = {
    {"begin", block_begin, METH_O, "The call that begins the block, and returns this."},
    {"end", block_end, METH_NOARGS, "The call that ends it."},
    {.ml_name = NULL},
};

static PyMemberDef block_members[] = {
    {"owner", T_OBJECT, offsetof(Block, owner), READONLY, NULL},
    {"raises", T_OBJECT, offsetof(Block, raises), READONLY, NULL},
    {"records", T_BOOL, offsetof(Block, records), READONLY, NULL},
    {"is_open", T_BOOL, offsetof(Block, is_open), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Block, weak_references), READONLY, NULL},
    {.name = NULL},
};

static PyType_Slot block_slots[] = {
    {Py_tp_doc, "A block of code in which operations record, or do not: what recording.py's Block is."},
    {Py_tp_new, block_new},
    {Py_tp_dealloc, block_dealloc},
    {Py_tp_traverse, block_traverse},
    {Py_tp_clear, block_clear},
    {Py_tp_methods, block_methods},
    {Py_tp_members, block_members},
    {0, NULL},
};

PyType_Spec block_spec = {
    .name = "autograd.native.engine.Block",
    .basicsize = sizeof(Block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = block_slots,
};

/* ---- Asked for every operation */

int is_recording_here(void)
{
    PyObject *open_blocks;
    if (PyContextVar_Get(specification.open_blocks, NULL, &open_blocks) < 0) return -1;
    int status = PyObject_Not(open_blocks); /* none of its own; one that it has inherited may have ended since */
    Py_DECREF(open_blocks);
    if (status != 0) return status;
    PyObject *answer = PyObject_CallNoArgs(specification.is_recording);
    status = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return status;
}

int end_stale_blocks(void)
{
    if (open_blocks == 0) return 0;
    PyObject *done = PyObject_CallNoArgs(specification.end_stale_blocks);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* ---- The guard */

PyObject *guard_function = NULL;

PyObject *guard(PyObject *Py_UNUSED(module), PyObject *check)
{
    PyObject *before = guard_function;
    guard_function = check == Py_None ? NULL : Py_NewRef(check);
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

int ask_guard(PyObject *value, const char *what)
{
    PyObject *check = Py_NewRef(guard_function), *passed = PyObject_CallFunction(check, "Os", value, what);
    Py_DECREF(check);
    Py_XDECREF(passed);
    return passed == NULL ? -1 : 0;
}
