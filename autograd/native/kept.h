/* The values of a batch's last sweep forward, so that a sweep backward that follows need not compute them again. */
#ifndef AUTOGRAD_KEPT_H
#define AUTOGRAD_KEPT_H

#include "program.h"

struct Kept {
    Py_ssize_t examples, stride;
    double *parameters, *batch; /* that they are the values of */
    double *values;             /* of each fold, all slots */
};

/* Room for so many examples, in blocks of so many, if need be in the place of what is kept already. NULL if that is more than
   is kept, or without memory; then nothing is. PyMem_RawFree() frees all of it. */
Kept *room_for_values(const Program *program, Py_ssize_t examples, Py_ssize_t lanes, Kept *kept);

double *values_of_fold(const Program *program, const Kept *kept, Py_ssize_t first);

/* Notes whose values they are. */
void keep_numbers(const Program *program, Kept *kept, const double *parameters, const double *batch);

/* Whether the values are those of these parameters and this batch, to the bit. */
bool is_kept(const Program *program, const Kept *kept, Py_ssize_t examples, const double *parameters, const double *batch);

#endif
