/* A graph, written down as a Wengert list. The twin of tape/record.py. */
#ifndef AUTOGRAD_RECORD_H
#define AUTOGRAD_RECORD_H

#include "cpython.h"

PyObject *record(PyObject *module, PyObject *arguments);

#endif
