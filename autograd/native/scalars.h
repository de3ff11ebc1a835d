/* A Wengert list on single numbers, instruction by instruction: their memory, and the two sweeps. */
#ifndef AUTOGRAD_SCALARS_H
#define AUTOGRAD_SCALARS_H

#include "wengert.h"

/* A variable is an index of `numbers` and `adjoints`: the constants lie before. */
typedef struct {
    double *numbers, *adjoints, *scratch;
    double *packed; /* room that the lanes need once: the weights of products */
    bool *needed;    /* room for a mark of each variable */
} Scalars;

Scalars *new_scalars(const WengertList *list, Py_ssize_t packed); /* NULL without memory; PyMem_RawFree() frees all of it */

/* Some instructions of the list, or with NULL so many from the first on: their results; and from the last to the first,
   what they add to the adjoints of what is wanted. Left out is what no needed result is computed from; NULL needs all. */
void sweep_forward(const WengertList *list, const int32_t *some, int32_t count, Scalars *scalars);
void sweep_backward(const WengertList *list, const int32_t *some, int32_t count, uint8_t wanted, const bool *needed,
                    Scalars *scalars);

#endif
