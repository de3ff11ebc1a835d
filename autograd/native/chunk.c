/* A chunk's blocks, one after the other. The adjoints of what no input is part of are summed up within the chunk (see
   lane_kernels.h), so that their sum does not depend on the size of the blocks. */
#include "chunk.h"


enum { LINE = 64 };
static const double OPERANDS_BETWEEN_SIGNALS = 1 << 24; /* so many take some hundredths of a second */

static bool is_stopped(const Job *job)
{
#if defined(__GNUC__)
    return __atomic_load_n(&job->is_stopped, __ATOMIC_RELAXED);
#else
    return *(const volatile bool *)&job->is_stopped;
#endif
}

static void stop(Job *job)
{
#if defined(__GNUC__)
    __atomic_store_n(&job->is_stopped, true, __ATOMIC_RELAXED);
#else
    *(volatile bool *)&job->is_stopped = true;
#endif
}

/* ---- A block of examples */

static void fill_inputs(const Program *program, const Job *job, Block *block, Py_ssize_t first)
{
    int32_t inputs = program->list.inputs;
    const double *example = job->batch + first * inputs;
    for (Py_ssize_t lane = 0; lane < block->count; lane++, example += inputs)
        for (int32_t k = 0; k < inputs; k++) block->values[k * block->stride + lane] = example[k];
}

/* The slot of an output, or -1 if it depends on no input. */
static int32_t slot_of_output(const Program *program, int32_t output)
{
    int32_t variable = program->list.output_variables[output];
    return variable < 0 ? -1 : program->slot_of[variable];
}

static void take_outputs(const Program *program, const Job *job, const Block *block, Py_ssize_t first)
{
    int32_t outputs = program->list.outputs;
    for (int32_t k = 0; k < outputs; k++) {
        int32_t variable = program->list.output_variables[k], slot = slot_of_output(program, k);
        double *output = job->outputs + first * outputs + k;
        for (Py_ssize_t lane = 0; lane < block->count; lane++, output += outputs)
            *output = slot < 0 ? job->scalars->numbers[variable] : block->values[slot * block->stride + lane];
    }
}

static void sow_seeds(const Program *program, const Job *job, Block *block, Py_ssize_t first)
{
    memset(block->adjoints, 0, (size_t)(program->slots * block->stride) * sizeof(double));
    for (int32_t k = 0; k < program->list.outputs; k++) {
        int32_t slot = slot_of_output(program, k);
        for (Py_ssize_t lane = 0; slot >= 0 && lane < block->count; lane++)
            block->adjoints[slot * block->stride + lane] += seeds_of(program, job, first + lane)[k];
    }
}

static void sweep_block_backward(const Program *program, const Job *job, Block *block, Py_ssize_t first)
{
    sow_seeds(program, job, block, first);
    for (const Step *step = program->steps + program->step_count; step-- > program->steps;)
        if (block->is_active[step->result] && (job->is_needed == NULL || job->is_needed[step->variable]))
            step->backward(step, block);
    for (int32_t k = 0; k < program->broadcast_count; k++) {
        int32_t import = program->broadcasts[k][0];
        const double *adjoint = block->adjoints + program->broadcasts[k][1] * block->stride;
        for (Py_ssize_t lane = 0; program->is_learned[import] && lane < block->count; lane++)
            sums_of(block, import)[lane % EIGHT] += adjoint[lane];
    }
    if (job->input_gradients == NULL) return;
    double *gradient = job->input_gradients + first * program->list.inputs;
    for (Py_ssize_t lane = 0; lane < block->count; lane++)
        for (int32_t k = 0; k < program->list.inputs; k++) *gradient++ = block->adjoints[k * block->stride + lane];
}

/* ---- The chunk */

static void ask_for_signals(Job *job, Signals *signals, Py_ssize_t examples)
{
    if (signals == NULL || signals->is_interrupted) return;
    signals->operands += signals->operands_per_example * (double)examples;
    if (signals->operands < OPERANDS_BETWEEN_SIGNALS) return;
    signals->operands = 0.0;
    PyEval_RestoreThread(signals->state);
    signals->is_interrupted = PyErr_CheckSignals() < 0;
    if (signals->is_interrupted) stop(job);
    signals->state = PyEval_SaveThread();
}

static void fill_broadcasts(const Program *program, const Job *job, Block *block)
{
    for (int32_t k = 0; k < program->broadcast_count; k++) {
        double number = job->scalars->imports[program->broadcasts[k][0]];
        double *slot = block->values + program->broadcasts[k][1] * block->stride;
        for (Py_ssize_t lane = 0; lane < block->stride; lane++) slot[lane] = number;
    }
}

void run_chunk(const Program *program, Job *job, Workspace *workspace, Py_ssize_t chunk, Signals *signals)
{
    Py_ssize_t end = (chunk + 1) * CHUNK < job->examples ? (chunk + 1) * CHUNK : job->examples;
    bool for_inputs = job->input_gradients != NULL;
    Block block = {0, workspace->stride, workspace->values, workspace->adjoints, program->is_active[for_inputs],
                   job->scalars->imports, program->is_learned, workspace->sums, workspace->scratch};
    if (job->is_differentiated) memset(block.sums, 0, (size_t)program->import_count * EIGHT * sizeof(double));
    fill_broadcasts(program, job, &block);
    for (Py_ssize_t first = chunk * CHUNK; first < end && !is_stopped(job); first += block.count) {
        block.count = end - first < block.stride ? end - first : block.stride;
        fill_inputs(program, job, &block, first);
        for (int32_t k = 0; k < program->step_count; k++) program->steps[k].forward(&program->steps[k], &block);
        take_outputs(program, job, &block, first);
        if (job->is_differentiated) sweep_block_backward(program, job, &block, first);
        ask_for_signals(job, signals, block.count);
    }
    if (job->is_differentiated)
        for (int32_t k = 0; k < program->import_count; k++) workspace->total[k] = sum_of_eight(sums_of(&block, k));
}

/* ---- A thread's memory */

/* Room for so many numbers, from the next line of the cache on. */
static double *take_room(char **free, Py_ssize_t count)
{
    double *room = (double *)(((uintptr_t)*free + LINE - 1) & ~(uintptr_t)(LINE - 1));
    *free = (char *)(room + count);
    return room;
}

Workspace *new_workspace(const Program *program, Py_ssize_t stride)
{
    Py_ssize_t slots = program->slots * stride, imports = program->import_count, scratch = program->list.scratch;
    Py_ssize_t numbers = 2 * slots + (EIGHT + 1) * imports + scratch;
    Workspace *workspace = PyMem_RawCalloc(1, sizeof *workspace + (size_t)numbers * sizeof(double) + 5 * LINE);
    if (workspace == NULL) return NULL;
    char *free = (char *)(workspace + 1);
    workspace->stride = stride;
    workspace->values = take_room(&free, slots);
    workspace->adjoints = take_room(&free, slots);
    workspace->sums = take_room(&free, EIGHT * imports);
    workspace->total = take_room(&free, imports);
    workspace->scratch = take_room(&free, scratch);
    return workspace;
}
