/* The module autograd.native.engine: Value, and the functions of the table. */
#include "executor.h"
#include "backward.h"
#include "by_hand.h"
#include "functions.h"
#include "groups.h"
#include "node.h"
#include "operations.h"
#include "record.h"
#include "recording.h"
#include "refusals.h"
#include "specification.h"
#include "sweeps.h"
#include "value.h"
#include "vectors.h"
#include "wengert.h"

/* The type, which the module has then, too. NULL with an exception if that fails. */
static PyObject *add_type(PyObject *module, PyType_Spec *spec, const char *name)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && PyModule_AddObjectRef(module, name, type) < 0) Py_CLEAR(type);
    return type;
}

static int add_checksum(PyObject *module)
{
    PyObject *checksum = PyLong_FromUnsignedLong(TABLE_CHECKSUM);
    int status = PyModule_AddObjectRef(module, "table_checksum", checksum);
    Py_XDECREF(checksum);
    return status;
}

static int execute(PyObject *module)
{
    if (Value_Type != NULL) {
        PyErr_SetString(PyExc_ImportError, "a process loads the native engine once: another interpreter in it has done so, or an "
                                           "earlier import, which sys.modules has forgotten");
        return -1;
    }
    if (take_specification() < 0) return -1;
    if (PyTuple_GET_SIZE(specification.operations) != ROW_COUNT) {
        PyErr_SetString(PyExc_ImportError, "it was built from another table of operations");
        return -1;
    }
    const struct { PyType_Spec *spec; const char *name; } types[] = {
        {&block_spec, "Block"}, {&function_spec, "function"}, {&program_spec, "Program"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        PyObject *type = add_type(module, types[i].spec, types[i].name);
        if (type == NULL) return -1;
        Py_DECREF(type);
    }
    if (add_checksum(module) < 0) return -1;
    if (PyModule_AddObjectRef(module, "operations", specification.operations) < 0) return -1; /* those that are compiled */
    Value_Type = (PyTypeObject *)add_type(module, &value_spec, "Value");
    if (Value_Type == NULL) return -1;
    Value_Type->tp_vectorcall = value_call;
    plain_init = Value_Type->tp_init;
    if (find_own_backward() < 0) return -1;
    Value_Type->tp_name = "Value"; /* as messages call Python's classes */
    return 0;
}

static PyMethodDef methods[] = {
    {"add", add, METH_VARARGS, "What vectors.py's add_to() does to plain Values, in one walk."},
    {"dependences", dependences, METH_VARARGS, "What wengert.py's find_dependences() does."},
    {"first_stranger", first_stranger, METH_O, "The place of the first in a list or tuple that is no Value, or -1."},
    {"gather", gather, METH_VARARGS, "What vectors.py's gather() does, once it has checked its arguments."},
    {"given", given, METH_VARARGS, "The node of an operation that was defined at run time."},
    {"groups", groups, METH_VARARGS, "What groups.py's grouped() finds."},
    {"guard", guard, METH_O, "What recording.py's guard() does."},
    {"is_as_computed", is_as_computed, METH_O, "Whether refusals.py's contradiction() finds nothing, of finite data."},
    {"push_forward", push_forward, METH_VARARGS, "What sweeps.py's push_forward_floats() does."},
    {"record", record, METH_VARARGS, "What record.py's write_down() does."},
    {"scatter", scatter, METH_VARARGS, "What vectors.py's scatter() does, once it has checked its arguments."},
    {"unusual_nodes", unusual_nodes, METH_O, "What refusals.py's unusual_nodes() returns."},
    {.ml_name = NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "autograd.native.engine",
    .m_doc = "The compiled twin of value.py.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_engine(void) { return PyModuleDef_Init(&definition); }
