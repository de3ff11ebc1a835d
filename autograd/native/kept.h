/* The values of a batch's last sweep forward, so that a sweep backward that follows need not compute them again. */
#ifndef AUTOGRAD_KEPT_H
#define AUTOGRAD_KEPT_H

#include "program.h"

struct Kept {
    Py_ssize_t examples, stride;
    Py_buffer batch, parameters; /* that they are the values of */
    double *values;              /* of each fold, all slots */
};

/* Room for so many examples, in blocks of so many, if need be in the place of what is kept already. NULL if that is more than
   is kept, or without memory; then nothing is. */
Kept *room_for_values(const Program *program, Py_ssize_t examples, Py_ssize_t lanes, Kept *kept);
void free_kept(Kept *kept);

double *values_of_fold(const Program *program, Kept *kept, Py_ssize_t first);

/* Whether nobody can change the numbers, so that their values may be kept. */
static inline bool are_fixed(const Py_buffer *batch, const Py_buffer *parameters)
{
    return batch->readonly && parameters->readonly;
}

/* Notes whose values they are, and holds these arrays' memory. Returns -1 without an exception if they cannot be held. */
int hold_numbers(Kept *kept, const Py_buffer *batch, const Py_buffer *parameters);

/* Whether the values are those of the numbers in this very memory. */
bool is_kept(const Kept *kept, Py_ssize_t examples, const Py_buffer *batch, const Py_buffer *parameters);

#endif
