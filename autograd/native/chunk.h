/* A chunk of a batch: so many examples, block by block, and the sums over them. */
#ifndef AUTOGRAD_CHUNK_H
#define AUTOGRAD_CHUNK_H

#include "kept.h"

enum { CHUNK = 4 * FOLD };

/* What a replay is given, as executors/executor.py has it, and what it has found out. */
typedef struct {
    Py_ssize_t examples;
    const double *batch, *parameters, *seeds;
    const Py_buffer *batch_array, *parameter_array; /* as Python has them */
    bool is_differentiated; /* there are seeds */
    bool has_own_seeds;     /* each example has its own */
    double *outputs, *gradient, *input_gradients; /* NULL where nobody asks */
    const bool *is_needed;  /* of each variable: an output that is asked for depends on it; NULL if that holds for all */
    Scalars *scalars;
    Uniform numbers, total; /* the total over the batch */
    Kept *kept;             /* where the values are to lie, or lie already; NULL for the thread's own memory */
    bool is_computed;       /* they lie there already */
    bool is_stopped;        /* set by one thread while others read it */
} Job;

/* Then the chunk's sums are those of the batch, and are summed up where these belong. */
static inline bool is_one_chunk(const Job *job) { return job->examples <= CHUNK; }

static inline const double *seeds_of(const Program *program, const Job *job, Py_ssize_t example)
{
    return job->seeds + (job->has_own_seeds ? example * program->list.outputs : 0);
}

/* Asks for signals now and then, between blocks, in the thread that has called. */
typedef struct {
    PyThreadState *state;
    double operands_per_example, operands;
    bool is_interrupted;
} Signals;

/* How many examples a block has at most. With products, a whole fold, unless that takes too much room: then their sums stay
   in registers, and what they read and write is used more than once before it leaves the nearer caches. */
Py_ssize_t most_lanes(const Program *program);

Workspace *new_workspace(const Program *program, Py_ssize_t lanes); /* NULL without memory */

/* Writes the outputs of the chunk's examples, and the adjoints of what no input is part of: into the workspace's `total`, or
   where they belong. */
void run_chunk(const Program *program, Job *job, Workspace *workspace, Py_ssize_t chunk, Signals *signals);

#endif
