/* A chunk's folds, and their blocks, one after the other. The adjoints of what no input is part of are summed up within each
   fold (see lanes.h), and the folds' sums are added in their order: those of products, from the last product to the first,
   and then those of broadcasts. So the sums do not depend on the size of the blocks, but for what lookups add (see lanes.h). */
#include "chunk.h"

enum { CACHED_NUMBERS = 1 << 17 }; /* of all slots of a block together, values and adjoints, to stay in the nearer caches */
enum { MOST_NUMBERS_OF_FOLD = 1 << 20 }; /* the same, for a fold that is a block */
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

/* Of some examples beside each other, each input to its slot. What comes after the next ones is sent for: the rows are too
   short for a processor to foresee. */
ALWAYS_INLINE void fill_lanes(const double *example, int32_t inputs, double *slots, Py_ssize_t stride, const Py_ssize_t lanes)
{
    const double *later = example + 2 * lanes * inputs;
    for (int32_t k = 0; k < inputs; k++, example++, slots += stride, later += lanes) {
        PREFETCH(later);
        for (Py_ssize_t i = 0; i < lanes; i++) slots[i] = example[i * inputs];
    }
}

/* EIGHT examples at a time, since a slot's numbers are written best beside each other. */
static void fill_inputs(const Program *program, const Job *job, Block *block, Py_ssize_t first)
{
    int32_t inputs = program->list.inputs;
    const double *example = job->batch + first * inputs;
    Py_ssize_t lane = 0;
    for (; lane + EIGHT <= block->count; lane += EIGHT, example += EIGHT * (Py_ssize_t)inputs)
        fill_lanes(example, inputs, block->values + lane, block->stride, EIGHT);
    if (lane < block->count) fill_lanes(example, inputs, block->values + lane, block->stride, block->count - lane);
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
            *output = slot < 0 ? *of_variable(&job->numbers, variable) : block->values[slot * block->stride + lane];
    }
}

static void sow_seeds(const Program *program, const Job *job, Block *block, Py_ssize_t first)
{
    int32_t unasked = block->for_inputs ? 0 : program->list.inputs; /* whose adjoints nobody reads */
    size_t numbers = (size_t)((program->slots - unasked) * block->stride);
    memset(block->adjoints + unasked * block->stride, 0, numbers * sizeof(double));
    for (int32_t k = 0; k < program->list.outputs; k++) {
        int32_t slot = slot_of_output(program, k);
        for (Py_ssize_t lane = 0; slot >= 0 && lane < block->count; lane++)
            block->adjoints[slot * block->stride + lane] += seeds_of(program, job, first + lane)[k];
    }
}

static bool is_needed(const Block *block, int32_t variable)
{
    return block->is_needed == NULL || block->is_needed[variable];
}

/* Of the neurons from `first` to before `end`, those that are needed. */
static void push_product(const Program *program, const Product *product, Block *block, int32_t first, int32_t end)
{
    const InstructionSet *set = program->instruction_set;
    for (int32_t j = end, last; j > first; j = last) {
        bool needed = is_needed(block, product->variables[j - 1]);
        for (last = j - 1; last > first && is_needed(block, product->variables[last - 1]) == needed;) last--;
        if (needed) set->push_to_inputs(product, block, last, j);
    }
    if (first == 0 && product->is_learned) set->push_to_weights(product, block);
}

static void walk_back(const Program *program, Block *block)
{
    for (const Part *part = program->parts + program->part_count; part-- > program->parts;) {
        const Step *step = &program->steps[part->group];
        if (step->product != NULL) push_product(program, step->product, block, part->first, part->end);
        else if (step->fans != NULL) program->instruction_set->dots_backward(step, block);
        else if (block->is_active[step->result] && is_needed(block, step->variable)) step->backward(step, block);
    }
}

static void add_up_broadcasts(const Program *program, const Block *block, double *sums)
{
    for (int32_t k = 0; k < program->broadcast_count; k++, sums += EIGHT) {
        const double *adjoint = block->adjoints + program->broadcasts[k][1] * block->stride;
        if (block->begins) memset(sums, 0, EIGHT * sizeof(double));
        double eight[EIGHT];
        Py_ssize_t lane = 0;
        memcpy(eight, sums, sizeof eight);
        for (; lane + EIGHT <= block->count; lane += EIGHT)
            for (int i = 0; i < EIGHT; i++) eight[i] += adjoint[lane + i];
        for (; lane < block->count; lane++) eight[lane % EIGHT] += adjoint[lane];
        memcpy(sums, eight, sizeof eight);
        if (block->ends) *of_variable(&block->total, program->broadcasts[k][0]) += sum_of_eight(sums);
    }
}

static void take_input_gradients(const Program *program, const Job *job, const Block *block, Py_ssize_t first)
{
    int32_t inputs = program->list.inputs;
    double *gradient = job->input_gradients + first * inputs;
    for (Py_ssize_t lane = 0; lane < block->count; lane++)
        for (int32_t k = 0; k < inputs; k++) *gradient++ = block->adjoints[k * block->stride + lane];
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

static void fill_broadcasts(const Program *program, Block *block)
{
    for (int32_t k = 0; k < program->broadcast_count; k++) {
        double number = *of_variable(&block->numbers, program->broadcasts[k][0]);
        double *slot = block->values + program->broadcasts[k][1] * block->stride;
        for (Py_ssize_t lane = 0; lane < block->stride; lane++) slot[lane] = number;
    }
}

static void run_block(const Program *program, const Job *job, Workspace *workspace, Block *block, Py_ssize_t first)
{
    if (job->kept != NULL) block->values = values_of_fold(program, job->kept, first);
    if (!job->is_computed) {
        if (job->kept != NULL) fill_broadcasts(program, block);
        fill_inputs(program, job, block, first);
        for (int32_t k = 0; k < program->step_count; k++) program->steps[k].forward(&program->steps[k], block);
    }
    if (job->outputs != NULL) take_outputs(program, job, block, first);
    if (!job->is_differentiated) return;
    sow_seeds(program, job, block, first);
    walk_back(program, block);
    add_up_broadcasts(program, block, workspace->broadcast_sums);
    if (block->for_inputs) take_input_gradients(program, job, block, first);
}

void run_chunk(const Program *program, Job *job, Workspace *workspace, Py_ssize_t chunk, Signals *signals)
{
    Py_ssize_t end = (chunk + 1) * CHUNK < job->examples ? (chunk + 1) * CHUNK : job->examples;
    bool for_inputs = job->input_gradients != NULL;
    Block block = {
        .stride = workspace->stride, .values = workspace->values, .adjoints = workspace->adjoints,
        .is_active = program->is_active[for_inputs], .for_inputs = for_inputs, .numbers = job->numbers,
        .packed = job->scalars->packed, .is_needed = job->is_needed,
        .total = is_one_chunk(job) ? job->total : workspace->total,
        .sums = workspace->product_sums, .operands = workspace->operands,
        .pushed = workspace->pushed, .kept = workspace->kept,
    };
    if (job->is_differentiated && !is_one_chunk(job)) {
        clear_uniform(&program->list, &block.total);
    }
    fill_broadcasts(program, &block);
    for (Py_ssize_t first = chunk * CHUNK; first < end && !is_stopped(job); first += block.count) {
        Py_ssize_t in_fold = first % FOLD, fold_end = first - in_fold + FOLD < end ? first - in_fold + FOLD : end;
        block.count = fold_end - first < workspace->lanes ? fold_end - first : workspace->lanes;
        block.begins = in_fold == 0;
        block.ends = first + block.count == fold_end;
        run_block(program, job, workspace, &block, first);
        ask_for_signals(job, signals, block.count);
    }
}

/* ---- A thread's memory */

Py_ssize_t most_lanes(const Program *program)
{
    if (program->product_count > 0 && 2 * (Py_ssize_t)program->slots * FOLD <= MOST_NUMBERS_OF_FOLD) return FOLD;
    Py_ssize_t lanes = CACHED_NUMBERS / (2 * (Py_ssize_t)program->slots + 1) & -(Py_ssize_t)EIGHT;
    return lanes < EIGHT ? EIGHT : lanes > FOLD ? FOLD : lanes;
}

Workspace *new_workspace(const Program *program, Py_ssize_t lanes)
{
    Py_ssize_t stride = stride_of(lanes);
    Py_ssize_t slots = program->slots * stride, kept = program->most_terms * lanes;
    Py_ssize_t broadcast_sums = (Py_ssize_t)EIGHT * program->broadcast_count;
    Py_ssize_t product_sums = most_lanes(program) < FOLD ? program->product_sum_count : 0;
    Py_ssize_t total = (Py_ssize_t)program->list.constants + program->list.variables;
    Py_ssize_t numbers = 2 * slots + broadcast_sums + product_sums + total + kept;
    Py_ssize_t pointers = 2 * (Py_ssize_t)program->most_operands;
    Workspace *workspace = PyMem_RawCalloc(1, sizeof *workspace + (size_t)numbers * sizeof(double) +
                                          (size_t)pointers * sizeof(double *) + 6 * LINE);
    if (workspace == NULL) return NULL;
    char *free = (char *)(workspace + 1);
    workspace->lanes = lanes;
    workspace->stride = stride;
    workspace->values = take_room(&free, slots);
    workspace->adjoints = take_room(&free, slots);
    workspace->broadcast_sums = take_room(&free, broadcast_sums);
    workspace->product_sums = take_room(&free, product_sums);
    double *others = take_room(&free, total) + program->list.constants;
    workspace->total = uniform_of(&program->list, others + program->list.inputs, others);
    workspace->kept = take_room(&free, kept);
    workspace->operands = (const double **)(workspace->kept + kept);
    workspace->pushed = (double **)(workspace->operands + program->most_operands);
    return workspace;
}
