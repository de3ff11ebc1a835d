/* The functions of the table, which are also the methods of Value: what function() of value.py returns. */
#ifndef AUTOGRAD_FUNCTIONS_H
#define AUTOGRAD_FUNCTIONS_H

#include "cpython.h"

extern PyType_Spec function_spec;

#endif
