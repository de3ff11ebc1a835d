/* Kept values: a batch and its parameters are known again by their numbers. */
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
    const WengertList *list = &program->list;
    if (kept != NULL && kept->examples == examples && kept->stride == stride_of(lanes)) return kept;
    PyMem_RawFree(kept);
    Py_ssize_t values = count_values(program, examples, lanes), inputs = examples * list->inputs;
    if (values == 0) return NULL;
    kept = PyMem_RawCalloc(1, sizeof *kept + (size_t)(list->parameters + inputs + values) * sizeof(double));
    if (kept == NULL) return NULL;
    double *numbers = (double *)(kept + 1);
    *kept = (Kept){
        examples, stride_of(lanes), numbers, numbers + list->parameters, numbers + list->parameters + inputs,
    };
    return kept;
}

double *values_of_fold(const Program *program, const Kept *kept, Py_ssize_t first)
{
    return kept->values + first / FOLD * numbers_of_fold(program, kept->stride);
}

static size_t size_of_parameters(const Program *program) { return (size_t)program->list.parameters * sizeof(double); }

static size_t size_of_batch(const Program *program, const Kept *kept)
{
    return (size_t)(kept->examples * program->list.inputs) * sizeof(double);
}

void keep_numbers(const Program *program, Kept *kept, const double *parameters, const double *batch)
{
    memcpy(kept->parameters, parameters, size_of_parameters(program));
    memcpy(kept->batch, batch, size_of_batch(program, kept));
}

bool is_kept(const Program *program, const Kept *kept, Py_ssize_t examples, const double *parameters, const double *batch)
{
    return kept->examples == examples && memcmp(kept->parameters, parameters, size_of_parameters(program)) == 0 &&
           memcmp(kept->batch, batch, size_of_batch(program, kept)) == 0;
}
