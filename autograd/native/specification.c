/* The specification, taken from the modules that have it. */
#include "specification.h"

Specification specification;

static int take(const char *module_name, const char *name, PyObject **member)
{
    PyObject *module = PyImport_ImportModule(module_name);
    *member = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return *member == NULL ? -1 : 0;
}

int take_specification(void)
{
    PyObject *table = NULL, *rows = NULL;
    if (take("autograd.operands", "real_number", &specification.real_number) == 0 &&
        take("autograd.operands", "scalar", &specification.scalar) == 0 &&
        take("autograd.operands", "arguments", &specification.arguments) == 0 &&
        take("autograd.operands", "by_hand", &specification.by_hand) == 0 &&
        take("autograd.operands", "OwnGradientError", &specification.own_gradient_error) == 0 &&
        take("autograd.common", "evaluate", &specification.evaluate) == 0 &&
        take("autograd.common", "EQUALITY", &specification.equality) == 0 &&
        take("autograd.common", "MODULUS", &specification.modulus) == 0 &&
        take("autograd.recording", "is_recording", &specification.is_recording) == 0 &&
        take("autograd.recording", "end_stale_blocks", &specification.end_stale_blocks) == 0 &&
        take("autograd.recording", "open_blocks", &specification.open_blocks) == 0 &&
        take("autograd.spelling", "MEANT", &specification.misspellings) == 0 &&
        take("autograd.spelling", "check", &specification.check_spelling) == 0 &&
        take("autograd.subclasses", "CHECKED", &specification.checked) == 0 &&
        take("autograd.subclasses", "check", &specification.check_subclass) == 0 &&
        take("autograd.operations", "OPERATIONS", &table) == 0)
        rows = PyMapping_Values(table);
    if (rows != NULL) specification.operations = PyList_AsTuple(rows);
    Py_XDECREF(table);
    Py_XDECREF(rows);
    return specification.operations == NULL ? -1 : 0;
}
