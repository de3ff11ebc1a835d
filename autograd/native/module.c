/* The module autograd.native.engine: Value, and the functions of the table. */
#include "tape.h"

PyTypeObject *Value_Type = NULL;
Specification specification;

static int take(const char *module_name, const char *name, PyObject **member)
{
    PyObject *module = PyImport_ImportModule(module_name);
    *member = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return *member == NULL ? -1 : 0;
}

static int take_specification(void)
{
    PyObject *table = NULL, *rows = NULL;
    if (take("autograd.operands", "real_number", &specification.real_number) == 0 &&
        take("autograd.operands", "arguments", &specification.arguments) == 0 &&
        take("autograd.common", "evaluate", &specification.evaluate) == 0 &&
        take("autograd.recording", "open_blocks", &specification.open_blocks) == 0 &&
        take("autograd.operations", "OPERATIONS", &table) == 0)
        rows = PyMapping_Values(table);
    if (rows != NULL) specification.operations = PyList_AsTuple(rows);
    Py_XDECREF(table);
    Py_XDECREF(rows);
    return specification.operations == NULL ? -1 : 0;
}

static int execute(PyObject *module)
{
    if (Value_Type != NULL) {
        PyErr_SetString(PyExc_ImportError, "the native engine is already in use in another interpreter of this process");
        return -1;
    }
    if (take_specification() < 0 || find_operators() < 0) return -1;
    if (PyTuple_GET_SIZE(specification.operations) != ROW_COUNT) {
        PyErr_SetString(PyExc_ImportError, "it was built from another table of operations");
        return -1;
    }
    PyObject *function = PyType_FromModuleAndSpec(module, &function_spec, NULL);
    if (function == NULL) return -1;
    int status = PyModule_AddObjectRef(module, "function", function);
    Py_DECREF(function);
    if (status < 0) return -1;
    PyObject *program = PyType_FromModuleAndSpec(module, &program_spec, NULL);
    if (program == NULL) return -1;
    status = PyModule_AddObjectRef(module, "Program", program);
    Py_DECREF(program);
    if (status < 0) return -1;
    PyObject *value = PyType_FromModuleAndSpec(module, &value_spec, NULL);
    if (value == NULL) return -1;
    Value_Type = (PyTypeObject *)value;
    Value_Type->tp_vectorcall = value_call;
    Value_Type->tp_name = "Value"; /* as messages call Python's classes */
    PyObject *checksum = PyLong_FromUnsignedLong(TABLE_CHECKSUM);
    status = PyModule_AddObjectRef(module, "table_checksum", checksum);
    Py_XDECREF(checksum);
    return status < 0 ? -1 : PyModule_AddObjectRef(module, "Value", value);
}

static PyObject *count_no_grad(PyObject *Py_UNUSED(module), PyObject *argument)
{
    int change = (int)PyLong_AsLong(argument);
    if (PyErr_Occurred()) return NULL;
    no_grad_blocks += change;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"count_no_grad", count_no_grad, METH_O, "Tells the engine that a no_grad() block begins, +1, or ends, -1."},
    {"first_stranger", first_stranger, METH_O, "The place of the first in a list or tuple that is no Value, or -1."},
    {"gather", gather, METH_VARARGS, "What vectors.py's gather() does, once it has checked its arguments."},
    {"guard", guard, METH_O, "What value.py's guard() does."},
    {"push_forward", push_forward, METH_O, "What sweeps.py's push_forward_floats() does."},
    {"record", record, METH_VARARGS, "What wengert.py's write_down() does."},
    {"scatter", scatter, METH_VARARGS, "What vectors.py's scatter() does, once it has checked its arguments."},
    {NULL},
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
