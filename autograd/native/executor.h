/* The type Program, as Python has it. The twin of tape/executors/executor.py. */
#ifndef AUTOGRAD_EXECUTOR_H
#define AUTOGRAD_EXECUTOR_H

#include "cpython.h"

extern PyType_Spec program_spec;

#endif
