/* A batch, replayed: its chunks, its threads, and what is computed once for all examples.

   A batch is cut into chunks of a fixed size, and the chunks' sums are added in the order of the chunks, whichever thread
   has computed them. So the numbers do not depend on the threads. A single example is replayed as
   scalars, unless its layers are large or fast mathematics are asked for. */
#include "replay.h"
#include "products.h"

#include <pythread.h>

enum { MOST_THREADS = 64, MOST_KEPT = 64 };
static const double OPERANDS_WORTH_A_THREAD = 1 << 18; /* so many take longer than a thread takes to start */

/* ---- Threads: thread t takes the chunks t, t + threads, t + 2 threads, ..., and adds their sums when it is their turn */

typedef struct {
    const Program *program;
    Job *job;
    Py_ssize_t chunks;
    int threads;
    Workspace *workspaces[MOST_THREADS];
    PyThread_type_lock turn[MOST_THREADS]; /* thread t adds its chunk's sums when this is open */
    PyThread_type_lock done[MOST_THREADS]; /* open once thread t has ended; the first, once all have started */
} Team;

typedef struct {
    Team *team;
    int thread;
} Share;

static void add_total(const Program *program, const Job *job, const Workspace *workspace)
{
    if (!job->is_differentiated || is_one_chunk(job)) return;
    for (int32_t v = program->list.inputs; v < program->list.variables; v++)
        *of_variable(&job->total, v) += *of_variable(&workspace->total, v);
}

static void run_share(Team *team, int thread, Signals *signals)
{
    for (Py_ssize_t chunk = thread; chunk < team->chunks; chunk += team->threads) {
        run_chunk(team->program, team->job, team->workspaces[thread], chunk, signals);
        if (team->threads > 1) PyThread_acquire_lock(team->turn[thread], WAIT_LOCK);
        add_total(team->program, team->job, team->workspaces[thread]);
        if (team->threads > 1) PyThread_release_lock(team->turn[(thread + 1) % team->threads]);
    }
}

static void run_thread(void *argument)
{
    Share *share = argument;
    PyThread_acquire_lock(share->team->done[0], WAIT_LOCK);
    PyThread_release_lock(share->team->done[0]);
    run_share(share->team, share->thread, NULL);
    PyThread_release_lock(share->team->done[share->thread]);
}

static PyThread_type_lock new_locked(void)
{
    PyThread_type_lock lock = PyThread_allocate_lock();
    if (lock != NULL) PyThread_acquire_lock(lock, WAIT_LOCK);
    return lock;
}

/* The locks for so many threads; returns for how many there are some. */
static int make_locks(Team *team, int wanted)
{
    for (int t = 0; t < wanted; t++) {
        team->turn[t] = new_locked();
        team->done[t] = new_locked();
        if (team->turn[t] == NULL || team->done[t] == NULL) return t;
    }
    return wanted;
}

static void free_locks(Team *team)
{
    for (int t = 0; t < MOST_THREADS; t++) {
        PyThread_type_lock both[] = {team->turn[t], team->done[t]};
        for (int i = 0; i < 2; i++) {
            if (both[i] == NULL) continue;
            PyThread_acquire_lock(both[i], NOWAIT_LOCK);
            PyThread_release_lock(both[i]);
            PyThread_free_lock(both[i]);
        }
    }
}

/* Starts threads, and sets how many there are with this one. They wait at the gate until that is known. */
static void start_threads(Team *team, Share *shares)
{
    int wanted = team->threads > 1 ? make_locks(team, team->threads) : 1, started = 1;
    for (; started < wanted; started++) {
        shares[started] = (Share){team, started};
        if (PyThread_start_new_thread(run_thread, &shares[started]) == PYTHREAD_INVALID_THREAD_ID) break;
    }
    team->threads = started;
    if (started == 1) return;
    PyThread_release_lock(team->turn[0]);
    PyThread_release_lock(team->done[0]);
}

/* All chunks, without the interpreter's lock. Returns -1 with an exception after an interrupt. */
static int run_chunks(Team *team)
{
    Share shares[MOST_THREADS];
    const Program *program = team->program;
    start_threads(team, shares);
    double operands = (double)program->step_operand_count + program->list.inputs + program->list.outputs;
    Signals signals = {PyEval_SaveThread(), operands, 0.0, false};
    run_share(team, 0, &signals);
    for (int t = 1; t < team->threads; t++) PyThread_acquire_lock(team->done[t], WAIT_LOCK);
    PyEval_RestoreThread(signals.state);
    free_locks(team);
    return signals.is_interrupted ? -1 : 0;
}

/* ---- Memory, kept by the program for its next replay */

static Scalars *take_scalars(Program *program)
{
    Scalars *scalars = program->kept_scalars;
    program->kept_scalars = NULL;
    return scalars != NULL ? scalars : new_scalars(&program->list, program->packed_count);
}

static void give_back_scalars(Program *program, Scalars *scalars)
{
    if (program->kept_scalars == NULL) program->kept_scalars = scalars;
    else PyMem_RawFree(scalars);
}

static Workspace *take_workspace(Program *program, Py_ssize_t lanes)
{
    for (Workspace **link = &program->kept; *link != NULL; link = &(*link)->next) {
        Workspace *workspace = *link;
        if (workspace->lanes != lanes) continue;
        *link = workspace->next;
        return workspace;
    }
    return new_workspace(program, lanes);
}

static void give_back_workspace(Program *program, Workspace *workspace)
{
    int kept = 0;
    for (Workspace *other = program->kept; other != NULL; other = other->next) kept++;
    if (kept >= MOST_KEPT) {
        PyMem_RawFree(workspace);
        return;
    }
    workspace->next = program->kept;
    program->kept = workspace;
}

/* As many threads as are asked for and worth their start, and as there is memory for; -1 if there is none. */
static int take_workspaces(Program *program, Team *team, int wanted)
{
    Py_ssize_t examples = team->job->examples, lanes = most_lanes(program);
    Py_ssize_t filled = (examples + EIGHT - 1) & -(Py_ssize_t)EIGHT, most_lanes = filled < lanes ? filled : lanes;
    double worth = (double)examples * program->step_operand_count / OPERANDS_WORTH_A_THREAD;
    int most = worth < MOST_THREADS ? (int)worth : MOST_THREADS;
    if (most > team->chunks) most = (int)team->chunks;
    if (wanted > most) wanted = most;
    if (wanted < 1) wanted = 1;
    while (team->threads < wanted && (team->workspaces[team->threads] = take_workspace(program, most_lanes)) != NULL)
        team->threads++;
    return team->threads > 0 ? team->threads : -1;
}

/* ---- A batch */

/* The seeds of an output, as eight sums within each chunk. */
static double sum_of_seeds(const Program *program, const Job *job, int32_t output)
{
    double total = 0.0;
    for (Py_ssize_t first = 0; first < job->examples; first += CHUNK) {
        double eight[EIGHT] = {0.0};
        for (Py_ssize_t i = first; i < job->examples && i < first + CHUNK; i++)
            eight[i % EIGHT] += seeds_of(program, job, i)[output];
        total += sum_of_eight(eight);
    }
    return total;
}

/* What no input is part of, once for all examples. Most programs have only parameters of that kind: then nothing is copied. */
static void sweep_uniform_forward(const Program *program, Job *job)
{
    const WengertList *list = &program->list;
    double *numbers = job->scalars->numbers;
    job->numbers = uniform_of(list, (double *)job->parameters, numbers); /* which nobody writes */
    job->total = uniform_of(list, job->gradient, job->scalars->adjoints);
    if (program->uniform_count == 0) return;
    memcpy(numbers + list->inputs, job->parameters, (size_t)list->parameters * sizeof(double));
    sweep_forward(list, program->uniform, program->uniform_count, job->scalars);
}

static void sweep_uniform_backward(const Program *program, const Job *job)
{
    const WengertList *list = &program->list;
    for (int32_t k = 0; k < list->outputs; k++) {
        int32_t variable = list->output_variables[k];
        if (depends_on_inputs(list, variable)) continue;
        double seeds = job->has_own_seeds ? sum_of_seeds(program, job, k) : (double)job->examples * job->seeds[k];
        *of_variable(&job->total, variable) += seeds;
    }
    if (program->uniform_count == 0) return;
    double *parameters = job->scalars->adjoints + list->inputs;
    memcpy(parameters, job->gradient, (size_t)list->parameters * sizeof(double));
    sweep_backward(list, program->uniform, program->uniform_count, ON_PARAMETERS, job->is_needed, job->scalars);
    memcpy(job->gradient, parameters, (size_t)list->parameters * sizeof(double));
}

/* A sweep forward alone keeps its values. One with a sweep backward takes those that there are, if they are its own. */
static void take_kept(Program *program, Job *job, Py_ssize_t lanes)
{
    Kept *kept = program->kept_values;
    job->is_computed = job->is_differentiated && kept != NULL &&
                       is_kept(kept, job->examples, job->batch_array, job->parameter_array);
    if (!job->is_computed && (job->is_differentiated || !are_fixed(job->batch_array, job->parameter_array))) return;
    program->kept_values = NULL;
    job->kept = job->is_computed ? kept : room_for_values(program, job->examples, lanes, kept);
    if (job->kept == NULL || job->is_computed) return;
    if (hold_numbers(job->kept, job->batch_array, job->parameter_array) == 0) return;
    free_kept(job->kept);
    job->kept = NULL;
}

static void give_back_kept(Program *program, Job *job, bool is_complete)
{
    if (job->kept == NULL) return;
    free_kept(is_complete ? program->kept_values : job->kept);
    if (is_complete) program->kept_values = job->kept;
}

static int replay_batch(Program *program, Job *job, int threads)
{
    Team team = {.program = program, .job = job, .chunks = (job->examples + CHUNK - 1) / CHUNK};
    if (take_workspaces(program, &team, threads) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    take_kept(program, job, team.workspaces[0]->lanes);
    sweep_uniform_forward(program, job);
    if (job->is_differentiated) clear_uniform(&program->list, &job->total);
    pack_weights(program, &job->numbers, job->scalars->packed);
    int workspaces = team.threads, status = run_chunks(&team);
    give_back_kept(program, job, status == 0);
    for (int t = 0; t < workspaces; t++) give_back_workspace(program, team.workspaces[t]);
    if (status == 0 && job->is_differentiated) sweep_uniform_backward(program, job);
    return status;
}

/* ---- One example: the list as it stands, chains as dots, in the order and with the numbers of value.py */

static void replay_example(const Program *program, const Job *job)
{
    const WengertList *list = &program->list;
    double *numbers = job->scalars->numbers, *adjoints = job->scalars->adjoints;
    int32_t count = program->groups.order_count;
    const int32_t *order = count < list->count ? program->groups.order : NULL;
    memcpy(numbers, job->batch, (size_t)list->inputs * sizeof(double));
    memcpy(numbers + list->inputs, job->parameters, (size_t)list->parameters * sizeof(double));
    sweep_forward(list, order, count, job->scalars);
    for (int32_t k = 0; job->outputs != NULL && k < list->outputs; k++) job->outputs[k] = numbers[list->output_variables[k]];
    if (!job->is_differentiated) return;
    memset(adjoints - list->constants, 0, ((size_t)list->constants + (size_t)list->variables) * sizeof(double));
    uint8_t wanted = job->input_gradients != NULL ? ON_INPUTS | ON_PARAMETERS : ON_PARAMETERS;
    for (int32_t k = 0; k < list->outputs; k++) adjoints[list->output_variables[k]] += job->seeds[k];
    sweep_backward(list, order, count, wanted, job->is_needed, job->scalars);
    if (job->input_gradients != NULL) memcpy(job->input_gradients, adjoints, (size_t)list->inputs * sizeof(double));
    memcpy(job->gradient, adjoints + list->inputs, (size_t)list->parameters * sizeof(double));
}

/* ---- What is asked for */

static bool is_asked_for(const Program *program, const Job *job, int32_t output)
{
    for (Py_ssize_t i = 0; i < (job->has_own_seeds ? job->examples : 1); i++)
        if (seeds_of(program, job, i)[output] != 0.0) return true;
    return false;
}

/* Marks what an output is computed from whose seed is not 0 for all examples. Returns false if that is all, of all
   outputs. The others' instructions must not be walked: 0 times an infinite derivative would be nan. */
static bool find_needed(const Program *program, const Job *job, bool *needed)
{
    const WengertList *list = &program->list;
    bool some_are_not = false;
    for (int32_t k = 0; k < list->outputs; k++) {
        if (!is_asked_for(program, job, k)) some_are_not = true;
        else if (list->output_variables[k] >= 0) needed[list->output_variables[k]] = true;
    }
    const bool *result = needed + first_result(list);
    for (int32_t k = list->count; some_are_not && k-- > 0;) {
        const int32_t *operands = operands_of(&list->instructions[k]);
        for (int32_t i = 0; result[k] && i < list->instructions[k].count; i++)
            if (operands[i] >= 0) needed[operands[i]] = true;
    }
    return some_are_not;
}

/* Whether a single example is computed as a batch is: where that is quicker, and its numbers are value.py's; and where they
   are those of fast mathematics. */
static bool is_over_lanes(const Program *program, const Job *job)
{
    if (program->has_fast_steps) return true;
    return program->has_large_products && (!job->is_differentiated || program->has_single_uses);
}

int replay(Program *program, Job *job, int threads)
{
    const WengertList *list = &program->list;
    Scalars *scalars = job->scalars = take_scalars(program);
    if (scalars == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (job->is_differentiated) {
        memset(scalars->needed, 0, (size_t)list->variables);
        if (find_needed(program, job, scalars->needed)) job->is_needed = scalars->needed;
    }
    int status = 0;
    if (job->examples == 1 && !is_over_lanes(program, job)) replay_example(program, job);
    else status = replay_batch(program, job, threads);
    give_back_scalars(program, scalars);
    return status;
}
