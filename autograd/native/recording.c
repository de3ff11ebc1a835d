/* The count of open no_grad() blocks, and the guard. */
#include "recording.h"

#include "specification.h"

int no_grad_blocks = 0;

PyObject *count_no_grad(PyObject *Py_UNUSED(module), PyObject *change)
{
    int blocks = (int)PyLong_AsLong(change);
    if (PyErr_Occurred()) return NULL;
    no_grad_blocks += blocks;
    Py_RETURN_NONE;
}

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
    if (no_grad_blocks == 0) return 0;
    PyObject *done = PyObject_CallNoArgs(specification.end_stale_blocks);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

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
