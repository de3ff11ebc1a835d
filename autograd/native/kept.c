/* Kept values. A batch and its parameters are known again where they lie in the same memory, which is held, and which nobody can
   change. */
#include "kept.h"

enum { MOST_KEPT_NUMBERS = 1 << 19 }; /* four megabytes: more would have to come back from slow memory */

static Py_ssize_t numbers_of_fold(const Program *program, Py_ssize_t stride) { return program->slots * stride; }

/* How many numbers the values take; 0 if they are not kept. */
static Py_ssize_t count_values(const Program *program, Py_ssize_t examples, Py_ssize_t lanes)
{
    Py_ssize_t folds = (examples + FOLD - 1) / FOLD, of_fold = numbers_of_fold(program, stride_of(lanes));
    bool are_few = (lanes == FOLD || examples <= lanes) && folds <= MOST_KEPT_NUMBERS / (of_fold + 1);
    return are_few ? folds * of_fold : 0;
}

Kept *room_for_values(const Program *program, Py_ssize_t examples, Py_ssize_t lanes, Kept *kept)
{
    if (kept != NULL && kept->examples == examples && kept->stride == stride_of(lanes)) return kept;
    free_kept(kept);
    Py_ssize_t values = count_values(program, examples, lanes);
    if (values == 0) return NULL;
    kept = PyMem_RawCalloc(1, sizeof *kept + LINE + (size_t)values * sizeof(double));
    if (kept == NULL) return NULL;
    char *free = (char *)(kept + 1);
    kept->values = take_room(&free, values);
    kept->examples = examples;
    kept->stride = stride_of(lanes);
    return kept;
}

static void let_go(Kept *kept)
{
    PyBuffer_Release(&kept->batch);
    PyBuffer_Release(&kept->parameters);
}

void free_kept(Kept *kept)
{
    if (kept != NULL) let_go(kept);
    PyMem_RawFree(kept);
}

double *values_of_fold(const Program *program, Kept *kept, Py_ssize_t first)
{
    return kept->values + first / FOLD * numbers_of_fold(program, kept->stride);
}

int hold_numbers(Kept *kept, const Py_buffer *batch, const Py_buffer *parameters)
{
    let_go(kept);
    if (PyObject_GetBuffer(batch->obj, &kept->batch, PyBUF_SIMPLE) == 0 &&
        PyObject_GetBuffer(parameters->obj, &kept->parameters, PyBUF_SIMPLE) == 0)
        return 0;
    PyErr_Clear();
    return -1;
}

static bool is_same(const Py_buffer *held, const Py_buffer *given)
{
    return held->buf == given->buf && held->len == given->len && given->readonly;
}

bool is_kept(const Kept *kept, Py_ssize_t examples, const Py_buffer *batch, const Py_buffer *parameters)
{
    return kept->examples == examples && is_same(&kept->batch, batch) && is_same(&kept->parameters, parameters);
}
