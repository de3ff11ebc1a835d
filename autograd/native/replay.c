/* A batch, replayed: its blocks of examples, its threads, and the sums over its examples.

   A batch is cut into chunks of a fixed size, a chunk into blocks. The adjoints of what no input is part of are summed up
   within a chunk (see lanes.h), and the chunks' sums are added in the order of the chunks, whichever thread has computed
   them. So the numbers depend neither on the threads nor on the size of the blocks. */
#include "tape.h"

#include <pythread.h>
#include <string.h>

enum { CHUNK = 512, MOST_THREADS = 64, MOST_KEPT = 64, LINE = 64 };
static const double OPERANDS_BETWEEN_SIGNALS = 1 << 24; /* so many take some hundredths of a second */
static const double OPERANDS_WORTH_A_THREAD = 1 << 18; /* so many take longer than a thread takes to start */

typedef struct {
    const Program *program;
    Py_ssize_t examples, chunks;
    const double *batch, *seeds; /* (examples, inputs); of the outputs, the same for all examples or (examples, outputs) */
    bool is_differentiated;      /* there are seeds */
    bool has_own_seeds;          /* each example has its own */
    const bool *is_needed;       /* of each variable: an output that is asked for depends on it; NULL if that holds for all */
    double *outputs, *input_gradients;
    Scalars *scalars;
    int threads;
    Workspace *workspaces[MOST_THREADS];
    PyThread_type_lock turn[MOST_THREADS]; /* thread t adds its chunk's sums when this is open */
    PyThread_type_lock done[MOST_THREADS]; /* open once thread t has ended; the first, once all have started */
    volatile bool is_stopped;
} Job;

static const double *seeds_of(const Job *job, Py_ssize_t example)
{
    return job->seeds + (job->has_own_seeds ? example * job->program->outputs : 0);
}

/* Set by one thread while others read it. */
static bool is_stopped(const Job *job)
{
#if defined(__GNUC__)
    return __atomic_load_n(&job->is_stopped, __ATOMIC_RELAXED);
#else
    return job->is_stopped;
#endif
}

static void stop(Job *job)
{
#if defined(__GNUC__)
    __atomic_store_n(&job->is_stopped, true, __ATOMIC_RELAXED);
#else
    job->is_stopped = true;
#endif
}

static bool is_needed(const Job *job, int32_t variable) { return job->is_needed == NULL || job->is_needed[variable]; }

/* ---- A block of examples */

static void fill_inputs(const Job *job, Block *block, Py_ssize_t first)
{
    int32_t inputs = job->program->inputs;
    const double *example = job->batch + first * inputs;
    for (Py_ssize_t lane = 0; lane < block->count; lane++, example += inputs)
        for (int32_t k = 0; k < inputs; k++) block->values[k * block->stride + lane] = example[k];
}

static void take_outputs(const Job *job, const Block *block, Py_ssize_t first)
{
    const Program *program = job->program;
    for (int32_t k = 0; k < program->outputs; k++) {
        int32_t variable = program->output_variables[k];
        int32_t slot = variable < 0 ? -1 : program->slot_of[variable];
        double *output = job->outputs + first * program->outputs + k;
        for (Py_ssize_t lane = 0; lane < block->count; lane++, output += program->outputs)
            *output = slot < 0 ? job->scalars->numbers[variable] : block->values[slot * block->stride + lane];
    }
}

static void seed(const Job *job, Block *block, Py_ssize_t first)
{
    const Program *program = job->program;
    memset(block->adjoints, 0, (size_t)(program->slots * block->stride) * sizeof(double));
    for (int32_t k = 0; k < program->outputs; k++) {
        int32_t slot = program->output_variables[k] < 0 ? -1 : program->slot_of[program->output_variables[k]];
        for (Py_ssize_t lane = 0; slot >= 0 && lane < block->count; lane++)
            block->adjoints[slot * block->stride + lane] += seeds_of(job, first + lane)[k];
    }
}

static void differentiate_block(const Job *job, Block *block, Py_ssize_t first)
{
    const Program *program = job->program;
    seed(job, block, first);
    for (const Step *step = program->steps + program->step_count; step-- > program->steps;)
        if (block->is_active[step->result] && is_needed(job, step->variable)) step->backward(step, block);
    for (int32_t k = 0; k < program->broadcast_count; k++) {
        int32_t import = program->broadcasts[k][0];
        const double *adjoint = block->adjoints + program->broadcasts[k][1] * block->stride;
        for (Py_ssize_t lane = 0; program->is_learned[import] && lane < block->count; lane++)
            sums_of(block, import)[lane % EIGHT] += adjoint[lane];
    }
    if (job->input_gradients == NULL) return;
    double *gradient = job->input_gradients + first * program->inputs;
    for (Py_ssize_t lane = 0; lane < block->count; lane++)
        for (int32_t k = 0; k < program->inputs; k++) *gradient++ = block->adjoints[k * block->stride + lane];
}

/* ---- A chunk of blocks */

/* Asks for signals now and then, between blocks, in the thread that has called. */
typedef struct {
    PyThreadState *state;
    double operands_per_example, operands;
    bool is_interrupted;
} Signals;

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

static double sum_of_eight(const double *x) { return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7])); }

static void run_chunk(Job *job, Workspace *workspace, Py_ssize_t chunk, Signals *signals)
{
    const Program *program = job->program;
    Py_ssize_t end = (chunk + 1) * CHUNK < job->examples ? (chunk + 1) * CHUNK : job->examples;
    bool for_inputs = job->input_gradients != NULL;
    Block block = {0, workspace->stride, workspace->values, workspace->adjoints, program->is_active[for_inputs],
                   job->scalars->imports, program->is_learned, workspace->sums, workspace->scratch};
    if (job->is_differentiated) memset(block.sums, 0, (size_t)program->import_count * EIGHT * sizeof(double));
    for (int32_t k = 0; k < program->broadcast_count; k++)
        for (Py_ssize_t lane = 0; lane < block.stride; lane++)
            block.values[program->broadcasts[k][1] * block.stride + lane] = job->scalars->imports[program->broadcasts[k][0]];
    for (Py_ssize_t first = chunk * CHUNK; first < end && !is_stopped(job); first += block.count) {
        block.count = end - first < block.stride ? end - first : block.stride;
        fill_inputs(job, &block, first);
        for (int32_t k = 0; k < program->step_count; k++) program->steps[k].forward(&program->steps[k], &block);
        take_outputs(job, &block, first);
        if (job->is_differentiated) differentiate_block(job, &block, first);
        ask_for_signals(job, signals, block.count);
    }
    if (job->is_differentiated)
        for (int32_t k = 0; k < program->import_count; k++) workspace->total[k] = sum_of_eight(sums_of(&block, k));
}

/* ---- Threads: thread t takes the chunks t, t + threads, t + 2 threads, ..., and adds their sums when it is their turn */

typedef struct {
    Job *job;
    int thread;
} Share;

static void add_total(const Job *job, const Workspace *workspace)
{
    for (int32_t k = 0; job->is_differentiated && k < job->program->import_count; k++)
        job->scalars->adjoints[job->program->imports[k]] += workspace->total[k];
}

static void run_share(Job *job, int thread, Signals *signals)
{
    for (Py_ssize_t chunk = thread; chunk < job->chunks; chunk += job->threads) {
        run_chunk(job, job->workspaces[thread], chunk, signals);
        if (job->threads > 1) PyThread_acquire_lock(job->turn[thread], WAIT_LOCK);
        add_total(job, job->workspaces[thread]);
        if (job->threads > 1) PyThread_release_lock(job->turn[(thread + 1) % job->threads]);
    }
}

static void run_thread(void *argument)
{
    Share *share = argument;
    PyThread_acquire_lock(share->job->done[0], WAIT_LOCK);
    PyThread_release_lock(share->job->done[0]);
    run_share(share->job, share->thread, NULL);
    PyThread_release_lock(share->job->done[share->thread]);
}

static PyThread_type_lock new_locked(void)
{
    PyThread_type_lock lock = PyThread_allocate_lock();
    if (lock != NULL) PyThread_acquire_lock(lock, WAIT_LOCK);
    return lock;
}

/* The locks for so many threads; returns for how many there are some. */
static int make_locks(Job *job, int wanted)
{
    for (int t = 0; t < wanted; t++) {
        job->turn[t] = new_locked();
        job->done[t] = new_locked();
        if (job->turn[t] == NULL || job->done[t] == NULL) return t;
    }
    return wanted;
}

static void free_locks(Job *job)
{
    for (int t = 0; t < MOST_THREADS; t++) {
        PyThread_type_lock both[] = {job->turn[t], job->done[t]};
        for (int i = 0; i < 2; i++) {
            if (both[i] == NULL) continue;
            PyThread_acquire_lock(both[i], NOWAIT_LOCK);
            PyThread_release_lock(both[i]);
            PyThread_free_lock(both[i]);
        }
    }
}

/* Starts threads, and sets how many there are with this one. They wait at the gate until that is known. */
static void start_threads(Job *job, Share *shares)
{
    int wanted = job->threads > 1 ? make_locks(job, job->threads) : 1, started = 1;
    for (; started < wanted; started++) {
        shares[started] = (Share){job, started};
        if (PyThread_start_new_thread(run_thread, &shares[started]) == PYTHREAD_INVALID_THREAD_ID) break;
    }
    job->threads = started;
    if (started == 1) return;
    PyThread_release_lock(job->turn[0]);
    PyThread_release_lock(job->done[0]);
}

/* All chunks, without the interpreter's lock. Returns -1 with an exception after an interrupt. */
static int run_chunks(Job *job)
{
    Share shares[MOST_THREADS];
    start_threads(job, shares);
    double operands = (double)job->program->step_operand_count + job->program->inputs + job->program->outputs;
    Signals signals = {PyEval_SaveThread(), operands, 0.0, false};
    run_share(job, 0, &signals);
    for (int t = 1; t < job->threads; t++) PyThread_acquire_lock(job->done[t], WAIT_LOCK);
    PyEval_RestoreThread(signals.state);
    free_locks(job);
    return signals.is_interrupted ? -1 : 0;
}

/* ---- Memory, kept by the program for its next replay */

void free_workspace(Workspace *workspace) { PyMem_RawFree(workspace); }

/* Room for so many numbers, from the next line of the cache on. */
static double *take_room(char **free, Py_ssize_t count)
{
    double *room = (double *)(((uintptr_t)*free + LINE - 1) & ~(uintptr_t)(LINE - 1));
    *free = (char *)(room + count);
    return room;
}

static Workspace *new_workspace(const Program *program, Py_ssize_t stride)
{
    Py_ssize_t slots = program->slots * stride, imports = program->import_count;
    Py_ssize_t numbers = 2 * slots + (EIGHT + 1) * imports + program->scratch;
    Workspace *workspace = PyMem_RawCalloc(1, sizeof *workspace + (size_t)numbers * sizeof(double) + 5 * LINE);
    if (workspace == NULL) return NULL;
    char *free = (char *)(workspace + 1);
    workspace->stride = stride;
    workspace->values = take_room(&free, slots);
    workspace->adjoints = take_room(&free, slots);
    workspace->sums = take_room(&free, EIGHT * imports);
    workspace->total = take_room(&free, imports);
    workspace->scratch = take_room(&free, program->scratch);
    return workspace;
}

static Workspace *take_workspace(Program *program, Py_ssize_t stride)
{
    for (Workspace **link = &program->kept; *link != NULL; link = &(*link)->next) {
        Workspace *workspace = *link;
        if (workspace->stride != stride) continue;
        *link = workspace->next;
        return workspace;
    }
    return new_workspace(program, stride);
}

static void give_back(Program *program, Workspace *workspace)
{
    int kept = 0;
    for (Workspace *other = program->kept; other != NULL; other = other->next) kept++;
    if (kept >= MOST_KEPT) {
        free_workspace(workspace);
        return;
    }
    workspace->next = program->kept;
    program->kept = workspace;
}

/* As many threads as are asked for and worth their start, and as there is memory for; -1 if there is none. */
static int take_workspaces(Program *program, Job *job, int wanted)
{
    Py_ssize_t lanes = lanes_of(program), filled = (job->examples + EIGHT - 1) & -(Py_ssize_t)EIGHT;
    Py_ssize_t stride = filled < lanes ? filled : lanes;
    double worth = (double)job->examples * program->step_operand_count / OPERANDS_WORTH_A_THREAD;
    int most = worth < MOST_THREADS ? (int)worth : MOST_THREADS;
    if (most > job->chunks) most = (int)job->chunks;
    if (wanted > most) wanted = most;
    if (wanted < 1) wanted = 1;
    while (job->threads < wanted && (job->workspaces[job->threads] = take_workspace(program, stride)) != NULL)
        job->threads++;
    return job->threads > 0 ? job->threads : -1;
}

/* ---- The whole of it */

static void evaluate_uniform(const Job *job)
{
    const Program *program = job->program;
    Scalars *scalars = job->scalars;
    evaluate_list(program, program->uniform, program->uniform_count, scalars);
    for (int32_t k = 0; k < program->import_count; k++) scalars->imports[k] = scalars->numbers[program->imports[k]];
}

/* The seeds of an output, as eight sums within each chunk. */
static double sum_of_seeds(const Job *job, int32_t output)
{
    double total = 0.0;
    for (Py_ssize_t first = 0; first < job->examples; first += CHUNK) {
        double eight[EIGHT] = {0.0};
        for (Py_ssize_t i = first; i < job->examples && i < first + CHUNK; i++) eight[i % EIGHT] += seeds_of(job, i)[output];
        total += sum_of_eight(eight);
    }
    return total;
}

static void differentiate_uniform(const Job *job)
{
    const Program *program = job->program;
    double *adjoints = job->scalars->adjoints;
    for (int32_t k = 0; k < program->outputs; k++) {
        int32_t variable = program->output_variables[k];
        if (program->traits[variable] & ON_INPUTS) continue;
        adjoints[variable] += job->has_own_seeds ? sum_of_seeds(job, k) : (double)job->examples * job->seeds[k];
    }
    differentiate_list(program, program->uniform, program->uniform_count, ON_PARAMETERS, job->is_needed, job->scalars);
}

static int run_batch(Program *program, Job *job, int threads)
{
    job->chunks = (job->examples + CHUNK - 1) / CHUNK;
    evaluate_uniform(job);
    if (take_workspaces(program, job, threads) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    int workspaces = job->threads, status = run_chunks(job);
    for (int t = 0; t < workspaces; t++) give_back(program, job->workspaces[t]);
    if (status == 0 && job->is_differentiated) differentiate_uniform(job);
    return status;
}

/* One example: the list as it stands, in the order and with the numbers of value.py. */
static void run_example(const Job *job)
{
    const Program *program = job->program;
    double *numbers = job->scalars->numbers, *adjoints = job->scalars->adjoints;
    memcpy(numbers, job->batch, (size_t)program->inputs * sizeof(double));
    evaluate_list(program, NULL, program->instructions, job->scalars);
    for (int32_t k = 0; k < program->outputs; k++) job->outputs[k] = numbers[program->output_variables[k]];
    if (!job->is_differentiated) return;
    uint8_t wanted = job->input_gradients != NULL ? ON_INPUTS | ON_PARAMETERS : ON_PARAMETERS;
    for (int32_t k = 0; k < program->outputs; k++) adjoints[program->output_variables[k]] += job->seeds[k];
    differentiate_list(program, NULL, program->instructions, wanted, job->is_needed, job->scalars);
    if (job->input_gradients != NULL)
        memcpy(job->input_gradients, adjoints, (size_t)program->inputs * sizeof(double));
}

static bool has_length(const Py_buffer *buffer, Py_ssize_t numbers)
{
    return buffer->buf == NULL || buffer->len == numbers * (Py_ssize_t)sizeof(double);
}

static bool is_writable(const Py_buffer *buffer) { return buffer->buf == NULL || !buffer->readonly; }

static bool is_asked_for(const Job *job, int32_t output)
{
    for (Py_ssize_t i = 0; i < (job->has_own_seeds ? job->examples : 1); i++)
        if (seeds_of(job, i)[output] != 0.0) return true;
    return false;
}

/* Marks what an output is computed from whose seed is not 0 for all examples. Returns false if that is all, of all
   outputs. The others' instructions must not be walked: 0 times an infinite derivative would be nan. */
static bool find_needed(const Job *job, bool *needed)
{
    const Program *program = job->program;
    bool some_are_not = false;
    for (int32_t k = 0; k < program->outputs; k++) {
        if (!is_asked_for(job, k)) some_are_not = true;
        else if (program->output_variables[k] >= 0) needed[program->output_variables[k]] = true;
    }
    const bool *result = needed + first_result(program);
    for (int32_t k = program->instructions; some_are_not && k-- > 0;) {
        const int32_t *operands = operands_of(&program->list[k]);
        for (int32_t i = 0; result[k] && i < program->list[k].count; i++)
            if (operands[i] >= 0) needed[operands[i]] = true;
    }
    return some_are_not;
}

static int run(Program *program, Job *job, const Py_buffer *parameters, const Py_buffer *gradient, int threads)
{
    Scalars *scalars = job->scalars = take_scalars(program);
    if (scalars == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    size_t size = (size_t)program->parameters * sizeof(double);
    memcpy(scalars->numbers + program->inputs, parameters->buf, size);
    if (job->is_differentiated) {
        memset(scalars->adjoints - program->constants, 0,
               ((size_t)program->constants + (size_t)program->variables) * sizeof(double));
        memset(scalars->needed, 0, (size_t)program->variables);
        if (find_needed(job, scalars->needed)) job->is_needed = scalars->needed;
    }
    int status = 0;
    if (job->examples == 1) run_example(job);
    else status = run_batch(program, job, threads);
    if (status == 0 && job->is_differentiated) memcpy(gradient->buf, scalars->adjoints + program->inputs, size);
    give_back_scalars(program, scalars);
    return status;
}

/* replay(examples, batch, parameters, outputs, seeds, gradient, input_gradients, threads): all but the counts are arrays of
   float64, the last three before `threads` may be None. Without seeds nothing is differentiated. */
PyObject *replay(PyObject *self, PyObject *arguments)
{
    Program *program = (Program *)self;
    Py_ssize_t n;
    int threads;
    Py_buffer batch, parameters, outputs, seeds, gradient, input_gradients;
    if (!PyArg_ParseTuple(arguments, "ny*y*w*z*z*z*i", &n, &batch, &parameters, &outputs, &seeds, &gradient,
                          &input_gradients, &threads))
        return NULL;
    Job job = {
        .program = program, .examples = n, .batch = batch.buf, .seeds = seeds.buf, .outputs = outputs.buf,
        .is_differentiated = seeds.buf != NULL, .has_own_seeds = !has_length(&seeds, program->outputs),
        .input_gradients = seeds.buf == NULL ? NULL : input_gradients.buf,
    };
    int status = -1;
    if (n < 0 || n > PY_SSIZE_T_MAX / 8 / (program->inputs + program->outputs + 1) || !is_writable(&gradient) ||
        !is_writable(&input_gradients) || !has_length(&batch, n * program->inputs) || !has_length(&parameters, program->parameters) ||
        !has_length(&outputs, n * program->outputs) || !has_length(&seeds, (job.has_own_seeds ? n : 1) * program->outputs) ||
        (seeds.buf != NULL && gradient.buf == NULL) || !has_length(&gradient, program->parameters) ||
        !has_length(&input_gradients, n * program->inputs))
        PyErr_SetString(PyExc_ValueError, "replay: arrays of these lengths do not fit the program");
    else
        status = run(program, &job, &parameters, &gradient, threads);
    Py_buffer *all[] = {&batch, &parameters, &outputs, &seeds, &gradient, &input_gradients};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) PyBuffer_Release(all[i]);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}
