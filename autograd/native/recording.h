/* Whether operations record, and the guard of recordings: what recording.py has in Python. */
#ifndef AUTOGRAD_RECORDING_H
#define AUTOGRAD_RECORDING_H

#include "node.h"

extern PyType_Spec block_spec;
extern int no_grad_blocks; /* how many no_grad() blocks are open, in all threads */
int is_recording_here(void);

/* Whether operations record their operands. On an error, -1 with an exception. */
static inline int is_recording(void) { return no_grad_blocks == 0 ? 1 : is_recording_here(); }

/* Before gradients are computed. On an error, -1 with an exception. */
int end_stale_blocks(void);

extern PyObject *guard_function; /* NULL if there is none */
int ask_guard(PyObject *value, const char *what);

/* To be called before the number of a Value is given away. On an error, -1 with an exception. */
static inline int check_guard(PyObject *object, const char *what)
{
    return guard_function == NULL || !is_value(object) ? 0 : ask_guard(object, what);
}

PyObject *guard(PyObject *module, PyObject *check);

#endif
