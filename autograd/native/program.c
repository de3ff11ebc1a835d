/* A program: which instructions are steps, where their operands lie, and whose adjoints are asked for. */
#include "program.h"


static void *room_for(Py_ssize_t count, size_t size) { return PyMem_Calloc((size_t)count + 1, size); }

static void find_uniform(Program *program)
{
    int32_t first = first_result(&program->list);
    for (int32_t k = 0; k < program->list.count; k++)
        if (!depends_on_inputs(&program->list, first + k)) program->uniform[program->uniform_count++] = k;
}

/* The inputs that are indices of lookups, each with the length of its shortest. Returns -1 if memory is short. */
static int find_lookups(Program *program)
{
    const WengertList *list = &program->list;
    int32_t *shortest = room_for(list->inputs, sizeof(int32_t)), count = 0;
    for (int32_t k = 0; shortest != NULL && k < list->count; k++) {
        const Instruction *instruction = &list->instructions[k];
        int32_t input = instruction->row == ROW_take ? operands_of(instruction)[instruction->count - 1] : -1;
        int32_t length = length_of_sequences(instruction);
        if (input < 0 || input >= list->inputs) continue;
        count += shortest[input] == 0;
        if (shortest[input] == 0 || length < shortest[input]) shortest[input] = length;
    }
    program->lookups = room_for(count, sizeof(Lookup));
    for (int32_t i = 0; shortest != NULL && program->lookups != NULL && i < list->inputs; i++)
        if (shortest[i] > 0) program->lookups[program->lookup_count++] = (Lookup){i, shortest[i]};
    bool is_complete = shortest != NULL && program->lookups != NULL;
    PyMem_Free(shortest);
    return is_complete ? 0 : -1;
}

/* ---- Chains, as dots, for single examples */

static bool is_chain(const WengertList *list, const Group *group, int32_t neuron)
{
    return group->row == PRODUCT && list->instructions[group->results[neuron] - first_result(list)].row != ROW_dot;
}

static int32_t *write_dot(Program *program, const Group *group, int32_t neuron, int32_t *operands)
{
    int32_t n = group->length, k = group->results[neuron] - first_result(&program->list);
    program->list.instructions[k] = (Instruction){.row = ROW_dot, .count = 2 * n + 1, .many = operands};
    memcpy(operands, group->weights + (Py_ssize_t)neuron * n, (size_t)n * sizeof(int32_t));
    memcpy(operands + n, group->inputs, (size_t)n * sizeof(int32_t));
    operands[2 * n] = group->biases[neuron];
    return operands + 2 * n + 1;
}

static void write_chains(Program *program)
{
    WengertList *list = &program->list;
    int32_t *operands = program->chain_operands;
    for (const Group *group = program->groups.groups; group < program->groups.groups + program->groups.group_count; group++)
        for (int32_t i = 0; i < group->count; i++)
            if (is_chain(list, group, i)) operands = write_dot(program, group, i, operands);
}

static Py_ssize_t count_chain_operands(const WengertList *list, const Groups *groups)
{
    Py_ssize_t count = 0;
    for (int32_t g = 0; g < groups->group_count; g++)
        for (int32_t i = 0; i < groups->groups[g].count; i++)
            if (is_chain(list, &groups->groups[g], i)) count += 2 * (Py_ssize_t)groups->groups[g].length + 1;
    return count;
}

enum { LARGE_PRODUCTS = 512 };

static bool has_large_products(const Groups *groups)
{
    Py_ssize_t size = 0;
    for (const Group *group = groups->groups; group < groups->groups + groups->group_count; group++)
        size += group->row == PRODUCT ? (Py_ssize_t)group->count * group->length : 0;
    return size >= LARGE_PRODUCTS;
}

/* `is_used` has room for a mark of each variable. */
static bool has_single_uses(const WengertList *list, int32_t *is_used)
{
    for (int32_t v = -list->constants; v < list->variables; v++) is_used[v] = false;
    for (int32_t k = 0; k < list->count; k++) {
        const int32_t *operands = operands_of(&list->instructions[k]);
        for (int32_t i = 0; i < list->instructions[k].count; i++) {
            int32_t v = operands[i];
            if (v < list->inputs || depends_on_inputs(list, v)) continue;
            if (is_used[v]) return false;
            is_used[v] = true;
        }
    }
    for (int32_t k = 0; k < list->outputs; k++)
        if (!depends_on_inputs(list, list->output_variables[k])) return false;
    return true;
}

/* ---- The instructions that depend on the inputs, as steps over slots */

/* Of an instruction: the side of its inputs, if it is a dot with gates, or NO_SIDE; which it is among so many that are computed
   together; and its step, or theirs. */
typedef struct {
    int32_t side, neuron, neurons, step;
} Place;

enum { NO_SIDE = -1 };

typedef struct {
    Program *program;
    Place *places; /* of each instruction */
    int32_t *broadcast_of; /* the slot of each variable, constants before, that has been given one; else -1 */
    int32_t *latest;       /* for each variable the latest product that has packed weights, this one first; or -1 */
    int32_t *operands;     /* room for the next step's */
    int32_t *seen;         /* for each variable the latest mark that it was given */
    int32_t mark;          /* the latest one: each question has a mark of its own */
    int32_t *terms;        /* room for the weights, biases and results of the next dots with gates */
    int32_t *exponentials; /* for each variable the slot of its latest exponential, */
    int32_t *shares;       /* and the result that this was computed for, whose other operands share the shift; or -1 */
} Layout;

static const Instruction *instruction_of(const Layout *layout, int32_t result)
{
    const WengertList *list = &layout->program->list;
    return &list->instructions[result - first_result(list)];
}

/* Marks a variable. Whether it had not been marked since the question began. */
static bool mark(Layout *layout, int32_t variable)
{
    bool is_new = layout->seen[variable] != layout->mark;
    layout->seen[variable] = layout->mark;
    return is_new;
}

/* Marks operands. Returns false if one of them was so before: then not all are marked. */
static bool mark_all(Layout *layout, const int32_t *operands, int32_t count)
{
    for (int32_t k = 0; k < count; k++)
        if (operands[k] >= 0 && !mark(layout, operands[k])) return false; /* a constant has no adjoint */
    return true;
}

static Place *place_of(const Layout *layout, int32_t result)
{
    return &layout->places[result - first_result(&layout->program->list)];
}

static int32_t slot_of(Layout *layout, int32_t variable)
{
    Program *program = layout->program;
    if (depends_on_inputs(&program->list, variable)) return program->slot_of[variable];
    if (layout->broadcast_of[variable] < 0) {
        layout->broadcast_of[variable] = program->slots;
        int32_t *broadcast = program->broadcasts[program->broadcast_count++];
        broadcast[0] = variable;
        broadcast[1] = program->slots++;
    }
    return layout->broadcast_of[variable];
}

static int32_t *slots_of(Layout *layout, const int32_t *variables, int32_t count)
{
    int32_t *slots = layout->operands;
    layout->operands += count;
    for (int32_t i = 0; i < count; i++) slots[i] = slot_of(layout, variables[i]);
    return slots;
}

static bool is_learned(const WengertList *list, int32_t variable) { return list->dependences[variable] & ON_PARAMETERS; }

static bool some_are_learned(const WengertList *list, const int32_t *variables, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (is_learned(list, variables[i])) return true;
    return false;
}

/* Whether the weights are parameters, and those of each neuron follow each other. */
static bool have_rows(const WengertList *list, const int32_t *weights, int32_t neurons, int32_t length)
{
    for (int32_t j = 0; j < neurons; j++, weights += length) {
        if (weights[0] < list->inputs || weights[length - 1] >= first_result(list)) return false;
        for (int32_t k = 1; k < length; k++)
            if (weights[k] != weights[0] + k) return false;
    }
    return true;
}

/* Products with the same weights, as those of a recurrence's steps or a convolution's places, have them packed once. */
static int32_t place_packed(Layout *layout, Product *product)
{
    Program *program = layout->program;
    int32_t *latest = &layout->latest[product->weights[0]];
    Py_ssize_t count = (Py_ssize_t)product->neurons * product->length;
    const Product *other = *latest < 0 ? NULL : &program->products[*latest];
    product->shares_weights = other != NULL && other->neurons == product->neurons && other->length == product->length &&
                              memcmp(other->weights, product->weights, (size_t)count * sizeof(int32_t)) == 0;
    if (product->shares_weights) return other->starts[0];
    *latest = (int32_t)(product - program->products);
    program->packed_count += count;
    return (int32_t)(program->packed_count - count);
}

static void place_weights(Layout *layout, Product *product)
{
    int32_t first = product->has_rows ? 0 : place_packed(layout, product), inputs = layout->program->list.inputs;
    for (int32_t j = 0; j < product->neurons; j++) {
        const int32_t *weights = product->weights + (Py_ssize_t)j * product->length;
        product->starts[j] = product->has_rows ? weights[0] - inputs : first + j * product->length;
    }
}

static void add_product(Layout *layout, const Group *group)
{
    Program *program = layout->program;
    const WengertList *list = &program->list;
    int32_t neurons = group->count, length = group->length;
    Product *product = &program->products[program->product_count];
    *product = (Product){
        .neurons = neurons, .length = length, .weights = group->weights, .biases = group->biases,
        .variables = group->results, .results = slots_of(layout, group->results, neurons),
        .reversed_results = slots_of(layout, group->results, neurons), .inputs = slots_of(layout, group->inputs, length),
        .has_rows = have_rows(list, group->weights, neurons, length),
        .is_learned = some_are_learned(list, group->weights, (Py_ssize_t)neurons * length),
        .sums = program->product_sum_count,
    };
    product->starts = layout->operands;
    layout->operands += neurons;
    for (int32_t j = 0; j < neurons; j++) product->reversed_results[j] = product->results[neurons - 1 - j];
    for (int32_t k = 0; k < length; k++) {
        bool varies = depends_on_inputs(list, group->inputs[k]), learned = is_learned(list, group->inputs[k]);
        product->is_pushed[0] |= learned;
        product->is_pushed[1] |= learned || varies;
    }
    if (depends_on_inputs(list, group->biases[0])) product->bias_slots = slots_of(layout, group->biases, neurons);
    else product->is_learned |= some_are_learned(list, group->biases, neurons);
    place_weights(layout, product);
    program->product_count++;
    program->product_sum_count += neurons * ((Py_ssize_t)length + 1) * EIGHT;
    program->steps[program->step_count++] = (Step){
        .forward = program->instruction_set->product_forward, .length = length, .count = neurons,
        .result = product->results[0], .variable = group->results[0], .product = product,
    };
    program->step_operand_count += neurons * (2 * length + 1);
}

static Lanes kernel_of(const Program *program, int32_t row, bool is_backward)
{
    const InstructionSet *set = program->instruction_set;
    Lanes fast = (is_backward ? set->fast_backward : set->fast_forward)[row];
    if (program->is_fast && fast != NULL) return fast;
    if (row == ROW_take) return set->lookup[is_backward];
    if (is_backward) return set->backward[row];
    return row == ROW_sum ? set->sum : row == ROW_dot ? set->dot : set->forward[row];
}

static void count_operands(Program *program, int32_t count)
{
    program->step_operand_count += count;
    if (count > program->most_operands) program->most_operands = count;
}

/* The elements of a lookup that depend on no input have no slots, which would be filled for every block. */
static int32_t *operands_of_lookup(Layout *layout, const int32_t *variables, int32_t length)
{
    int32_t *operands = layout->operands;
    layout->operands += length;
    for (int32_t i = 0; i < length; i++) {
        int32_t v = variables[i];
        operands[i] = depends_on_inputs(&layout->program->list, v) ? slot_of(layout, v) : without_slot(v);
    }
    slots_of(layout, variables + length, 1);
    return operands;
}

/* Whether the latest exponentials of the operands are there for another instruction with the same ones. */
static bool has_shared_exponentials(Layout *layout, const Instruction *instruction)
{
    const int32_t *operands = operands_of(instruction);
    int32_t first = instruction->count > 0 ? layout->shares[operands[0]] : -1;
    if (first < 0 || instruction_of(layout, first)->row != instruction->row ||
        instruction_of(layout, first)->count != instruction->count)
        return false;
    layout->mark++;
    for (int32_t k = 0; k < instruction->count; k++) /* all are different: so they are all of the other's */
        if (layout->shares[operands[k]] != first || !mark(layout, operands[k])) return false;
    return true;
}

/* The exponentials of an instruction's operands, for it and for those that follow with the same ones. */
static void add_exponentials(Layout *layout, int32_t result)
{
    Program *program = layout->program;
    const InstructionSet *set = program->instruction_set;
    const Instruction *instruction = instruction_of(layout, result);
    const int32_t *variables = operands_of(instruction);
    int32_t count = instruction->count;
    if (set->exponentials[instruction->row] == NULL || has_shared_exponentials(layout, instruction)) return;
    program->steps[program->step_count++] = (Step){
        .forward = (program->is_fast ? set->fast_exponentials : set->exponentials)[instruction->row],
        .length = length_of_sequences(instruction), .count = count, .variable = result,
        .operands = slots_of(layout, variables, count), .has_exponentials = true,
    };
    program->has_fast_steps |= program->is_fast;
    for (int32_t k = 0; k < count; k++) {
        int32_t v = variables[k];
        if (layout->shares[v] != result) layout->exponentials[v] = program->slots++;
        layout->shares[v] = result;
        *layout->operands++ = layout->exponentials[v];
    }
    count_operands(program, 2 * count);
}

static void add_step(Layout *layout, int32_t result)
{
    Program *program = layout->program;
    const Instruction *instruction = instruction_of(layout, result);
    const Row *row = &ROWS[instruction->row];
    int32_t length = length_of_sequences(instruction);
    program->has_fast_steps |= program->is_fast && program->instruction_set->fast_backward[instruction->row] != NULL;
    bool is_lookup = instruction->row == ROW_take;
    const int32_t *operands = operands_of(instruction);
    bool has_exponentials = program->instruction_set->exponentials[instruction->row] != NULL;
    program->steps[program->step_count++] = (Step){
        .forward = kernel_of(program, instruction->row, false), .backward = kernel_of(program, instruction->row, true),
        .length = length, .count = instruction->count, .result = program->slot_of[result], .variable = result,
        .operands = is_lookup ? operands_of_lookup(layout, operands, length) : slots_of(layout, operands, instruction->count),
        .has_exponentials = has_exponentials,
    };
    for (int32_t k = 0; has_exponentials && k < instruction->count; k++)
        *layout->operands++ = layout->exponentials[operands[k]];
    if (is_lookup) {
        program->step_operand_count += 2; /* the element and the index: what is not looked up costs nothing */
        return;
    }
    count_operands(program, instruction->count << has_exponentials);
    bool keeps_terms = row->sequences > 0 && instruction->row != ROW_sum && !row->is_bilinear && !has_exponentials;
    if (keeps_terms && length > program->most_terms) program->most_terms = length;
}

/* ---- Dots that are no neurons, since a few of their weights depend on inputs: these are gates */

enum { TERMS_PER_GATE = 8 };

static int32_t bias_of(const Instruction *dot) { return operands_of(dot)[dot->count - 1]; }

static const int32_t *factors_of(const Layout *layout, int32_t result, int32_t side)
{
    const Instruction *dot = instruction_of(layout, result);
    return operands_of(dot) + (Py_ssize_t)side * length_of_sequences(dot);
}

/* Whether no variable is there twice: else the order in which the sweep backward adds to its adjoint is the dot's own. */
static bool are_all_different(Layout *layout, int32_t result)
{
    const Instruction *dot = instruction_of(layout, result);
    layout->mark++;
    return mark_all(layout, operands_of(dot), dot->count);
}

/* On which side a dot has its inputs, whose other factors are weights but for a few gates. */
static int32_t side_of_inputs(Layout *layout, int32_t result)
{
    const WengertList *list = &layout->program->list;
    const int32_t *left = factors_of(layout, result, 0), *right = factors_of(layout, result, 1);
    int32_t n = length_of_sequences(instruction_of(layout, result)), lefts = 0, rights = 0, gates = 0;
    for (int32_t k = 0; k < n; k++) {
        bool is_left = depends_on_inputs(list, left[k]), is_right = depends_on_inputs(list, right[k]);
        lefts += is_left, rights += is_right, gates += is_left && is_right;
    }
    if (gates == 0 || gates > n / TERMS_PER_GATE || !are_all_different(layout, result)) return NO_SIDE;
    return rights == gates ? 0 : lefts == gates ? 1 : NO_SIDE;
}

enum { GATE, BIAS, KINDS };

/* Marks a variable as of a kind. Returns false if it is of another one since the question began. */
static bool mark_as(Layout *layout, int32_t variable, int32_t kind)
{
    int32_t *seen = &layout->seen[variable];
    if (*seen > layout->mark - KINDS && *seen != layout->mark - kind) return false;
    *seen = layout->mark - kind;
    return true;
}

/* Marks the gates and the bias of a dot. */
static bool mark_gates(Layout *layout, int32_t result, int32_t side)
{
    const WengertList *list = &layout->program->list;
    const int32_t *weights = factors_of(layout, result, 1 - side), bias = bias_of(instruction_of(layout, result));
    for (int32_t k = 0; k < length_of_sequences(instruction_of(layout, result)); k++)
        if (depends_on_inputs(list, weights[k]) && !mark_as(layout, weights[k], GATE)) return false;
    return !depends_on_inputs(list, bias) || mark_as(layout, bias, BIAS);
}

/* How many dots with gates have the same inputs. The sweep backward goes through the neurons for the inputs, then for the gates,
   then for the biases: so that each adjoint is added to in their order, no variable is of two of these kinds. (No gate or bias
   is an input, or it would stand twice in its dot.) */
static int32_t count_gated(Layout *layout, const int32_t *results, int32_t count)
{
    const WengertList *list = &layout->program->list;
    const Instruction *first = instruction_of(layout, results[0]);
    int32_t side = place_of(layout, results[0])->side, n = length_of_sequences(first), dots = 0;
    const int32_t *inputs = factors_of(layout, results[0], side);
    layout->mark += KINDS;
    for (; dots < count && place_of(layout, results[dots])->side == side; dots++) {
        const int32_t *others = factors_of(layout, results[dots], side), bias = bias_of(instruction_of(layout, results[dots]));
        if (memcmp(others, inputs, (size_t)n * sizeof(int32_t)) != 0) break;
        if (depends_on_inputs(list, bias) != depends_on_inputs(list, bias_of(first))) break;
        if (!mark_gates(layout, results[dots], side)) break;
    }
    return dots;
}

/* Those that follow each other in a group are computed together. */
static void find_gated(Layout *layout, const Group *group)
{
    for (int32_t i = 0; i < group->count; i++) {
        int32_t side = group->row == ROW_dot ? side_of_inputs(layout, group->results[i]) : NO_SIDE;
        *place_of(layout, group->results[i]) = (Place){side, 0, 1, 0};
    }
    for (int32_t i = 0, count; i < group->count; i += count) {
        int32_t side = place_of(layout, group->results[i])->side;
        count = side == NO_SIDE ? 1 : count_gated(layout, group->results + i, group->count - i);
        for (int32_t j = 0; j < count; j++) *place_of(layout, group->results[i + j]) = (Place){side, j, count, 0};
    }
}

static int32_t *take_operands(Layout *layout, int32_t count)
{
    int32_t *operands = layout->operands;
    layout->operands += count;
    return operands;
}

static Gate *take_gates(Layout *layout, int32_t count)
{
    return (Gate *)take_operands(layout, count * (int32_t)(sizeof(Gate) / sizeof(int32_t)));
}

/* By tiles of rows, gates that are given in the order of their terms: a counting sort. */
static Gates in_tiles(Layout *layout, const Gate *gates, int32_t count, int32_t rows)
{
    int32_t tiles = count_tiles(rows, layout->program->instruction_set->tile_rows);
    int32_t *starts = take_operands(layout, tiles + 1), *ends = take_operands(layout, tiles);
    Gate *sorted = take_gates(layout, count + tiles);
    memset(ends, 0, (size_t)tiles * sizeof(int32_t));
    for (int32_t g = 0; g < count; g++) ends[tile_of(rows, tiles, gates[g].row)]++;
    for (int32_t tile = 0, next = 0; tile < tiles; tile++) {
        starts[tile] = next;
        next += ends[tile] + 1;
        ends[tile] = starts[tile];
    }
    for (int32_t g = 0; g < count; g++) sorted[ends[tile_of(rows, tiles, gates[g].row)]++] = gates[g];
    for (int32_t tile = 0; tile < tiles; tile++) sorted[ends[tile]] = (Gate){.row = -1, .term = INT32_MAX};
    starts[tiles] = count + tiles;
    return (Gates){starts, sorted};
}

static void write_gates(Layout *layout, Product *product, const int32_t *results, int32_t side)
{
    const WengertList *list = &layout->program->list;
    int32_t neurons = product->neurons, n = product->length, count = 0;
    for (int32_t j = 0; j < neurons; j++)
        for (int32_t k = 0; k < n; k++) count += depends_on_inputs(list, factors_of(layout, results[j], 1 - side)[k]);
    Gate *of_neurons = take_gates(layout, count), *by_inputs = take_gates(layout, count), *reversed = take_gates(layout, count);
    product->gates = of_neurons;
    product->gate_count = count;
    product->gates_before = take_operands(layout, neurons + 1);
    product->gates_before[neurons] = count;
    for (int32_t j = 0; j < neurons; j++) {
        const int32_t *weights = factors_of(layout, results[j], 1 - side);
        product->gates_before[j] = (int32_t)(of_neurons - product->gates);
        for (int32_t k = 0; k < n; k++)
            if (depends_on_inputs(list, weights[k])) *of_neurons++ = (Gate){j, k, slot_of(layout, weights[k])};
    }
    for (int32_t k = 0; k < n; k++)
        for (int32_t j = 0; j < neurons; j++) {
            int32_t weight = factors_of(layout, results[j], 1 - side)[k];
            if (depends_on_inputs(list, weight)) *by_inputs++ = (Gate){j, k, slot_of(layout, weight)};
        }
    product->of_neurons = in_tiles(layout, by_inputs - count, count, neurons);
    for (int32_t j = neurons; j-- > 0;) {
        const int32_t *weights = factors_of(layout, results[j], 1 - side);
        for (int32_t k = 0; k < n; k++)
            if (depends_on_inputs(list, weights[k])) *reversed++ = (Gate){k, neurons - 1 - j, slot_of(layout, weights[k])};
    }
    product->of_inputs = in_tiles(layout, reversed - count, count, n);
}

/* A product of dots with gates, in whose place there are weights that are not read: their adjoints are a constant's. */
static void add_gated(Layout *layout, const int32_t *results, int32_t count)
{
    const WengertList *list = &layout->program->list;
    int32_t side = place_of(layout, results[0])->side, n = length_of_sequences(instruction_of(layout, results[0]));
    int32_t *weights = layout->terms, *biases = weights + (Py_ssize_t)count * n, *variables = biases + count;
    layout->terms = variables + count;
    memcpy(variables, results, (size_t)count * sizeof(int32_t));
    for (int32_t j = 0; j < count; j++) {
        const int32_t *given = factors_of(layout, results[j], 1 - side);
        biases[j] = bias_of(instruction_of(layout, results[j]));
        for (int32_t k = 0; k < n; k++)
            weights[(Py_ssize_t)j * n + k] = depends_on_inputs(list, given[k]) ? added_constant(list, ONE) : given[k];
    }
    Product *product = &layout->program->products[layout->program->product_count];
    add_product(layout, &(Group){
        .row = PRODUCT, .length = n, .count = count, .results = variables, .weights = weights, .biases = biases,
        .inputs = factors_of(layout, results[0], side),
    });
    write_gates(layout, product, results, side);
}

/* ---- Dots of which both factors vary, as fans */

/* How many of the dots have one sequence in common, on this side, and no variable beside it. */
static int32_t count_fan(Layout *layout, const int32_t *results, int32_t count, int32_t side)
{
    const Instruction *first = instruction_of(layout, results[0]);
    const int32_t *shared = factors_of(layout, results[0], side), *operands = operands_of(first);
    int32_t n = length_of_sequences(first), dots = 1;
    layout->mark++;
    mark_all(layout, operands, first->count);
    for (; dots < count; dots++) {
        if (memcmp(factors_of(layout, results[dots], side), shared, (size_t)n * sizeof(int32_t)) != 0) break;
        int32_t bias = bias_of(instruction_of(layout, results[dots]));
        if (!mark_all(layout, factors_of(layout, results[dots], 1 - side), n) || !mark_all(layout, &bias, 1)) break;
    }
    return dots;
}

static Fan make_fan(Layout *layout, const int32_t *results, int32_t count)
{
    int32_t n = length_of_sequences(instruction_of(layout, results[0]));
    int32_t side = 0, dots = count_fan(layout, results, count, 0), others = dots > 1 ? 0 : count_fan(layout, results, count, 1);
    if (others > dots) side = 1, dots = others;
    Fan fan = {.dots = dots, .result = layout->program->slot_of[results[0]], .variables = results};
    fan.shared = slots_of(layout, factors_of(layout, results[0], side), n);
    fan.others = layout->operands;
    for (int32_t j = 0; j < dots; j++) slots_of(layout, factors_of(layout, results[j], 1 - side), n);
    fan.biases = layout->operands;
    for (int32_t j = 0; j < dots; j++) *layout->operands++ = slot_of(layout, bias_of(instruction_of(layout, results[j])));
    return fan;
}

/* Dots that are computed together, in fans: of each those that follow each other and share a sequence. */
static void add_dots(Layout *layout, const int32_t *results, int32_t count)
{
    Program *program = layout->program;
    int32_t n = length_of_sequences(instruction_of(layout, results[0]));
    Step step = {
        .forward = program->instruction_set->dots_forward, .length = n, .result = program->slot_of[results[0]],
        .variable = results[0], .fans = program->fans + program->fan_count,
    };
    for (int32_t j = 0; j < count; j += program->fans[program->fan_count++].dots, step.fan_count++)
        program->fans[program->fan_count] = make_fan(layout, results + j, count - j);
    program->steps[program->step_count++] = step;
    program->step_operand_count += count * (2 * n + 1);
}

/* The step of instructions that are computed together, or of a single one. */
static void add_steps(Layout *layout, const int32_t *results, int32_t count)
{
    add_exponentials(layout, results[0]);
    for (int32_t j = 0; j < count; j++) place_of(layout, results[j])->step = layout->program->step_count;
    if (place_of(layout, results[0])->side != NO_SIDE) add_gated(layout, results, count);
    else if (count > 1) add_dots(layout, results, count);
    else add_step(layout, results[0]);
}

static void add_layer(Layout *layout, const Group *group)
{
    place_of(layout, group->results[0])->step = layout->program->step_count;
    add_product(layout, group);
}

static void add_part(Layout *layout, int32_t result, int32_t first, int32_t end)
{
    layout->program->parts[layout->program->part_count++] = (Part){place_of(layout, result)->step, first, end, 0};
}

/* Dots that are walked back together are computed together, but for those with gates or with a variable twice. */
static void find_dots_together(Layout *layout)
{
    const Groups *groups = &layout->program->groups;
    for (const Part *part = groups->parts; part < groups->parts + groups->part_count; part++) {
        const Group *group = &groups->groups[part->group];
        for (int32_t i = part->first, count; group->row == ROW_dot && i < part->end; i += count > 0 ? count : 1) {
            const int32_t *results = group->results + i;
            for (count = 0; i + count < part->end; count++)
                if (place_of(layout, results[count])->side != NO_SIDE || !are_all_different(layout, results[count])) break;
            for (int32_t j = 0; j < count; j++) *place_of(layout, results[j]) = (Place){NO_SIDE, j, count, 0};
        }
    }
}

static void add_parts_of_group(Layout *layout, const Group *group, const Part *part)
{
    if (group->row == PRODUCT) {
        add_part(layout, group->results[0], part->first, part->end);
        return;
    }
    for (int32_t i = part->first, count; i < part->end; i += count) {
        const Place *place = place_of(layout, group->results[i]);
        bool is_gated = place->side != NO_SIDE;
        count = !is_gated ? 1 : part->end - i < place->neurons - place->neuron ? part->end - i : place->neurons - place->neuron;
        if (is_gated) add_part(layout, group->results[i], place->neuron, place->neuron + count);
        else if (place->neuron == 0) add_part(layout, group->results[i], 0, 1);
    }
}

/* Group by group. The parts are those of the groups. */
static void lay_out_groups(Layout *layout)
{
    Program *program = layout->program;
    const Groups *groups = &program->groups;
    find_dots_together(layout);
    for (int32_t g = 0; g < groups->group_count; g++)
        for (int32_t i = 0; i < groups->groups[g].count; i++)
            program->slot_of[groups->groups[g].results[i]] = program->slots++;
    for (int32_t g = 0; g < groups->group_count; g++) {
        const Group *group = &groups->groups[g];
        if (group->row == PRODUCT) add_layer(layout, group);
        for (int32_t i = 0, count; group->row != PRODUCT && i < group->count; i += count) {
            count = place_of(layout, group->results[i])->neurons;
            add_steps(layout, group->results + i, count);
        }
    }
    for (int32_t p = 0; p < groups->part_count; p++)
        add_parts_of_group(layout, &groups->groups[groups->parts[p].group], &groups->parts[p]);
}

/* Where no product has several neurons: one by one, in the list's order, so that what is used soon is near. */
static void lay_out_list(Layout *layout, int32_t *group_at)
{
    Program *program = layout->program;
    int32_t count = program->list.count, first = first_result(&program->list);
    for (int32_t k = 0; k < count; k++) group_at[k] = -1;
    for (int32_t g = 0; g < program->groups.group_count; g++)
        for (int32_t i = 0; i < program->groups.groups[g].count; i++)
            group_at[program->groups.groups[g].results[i] - first] = g;
    const int32_t *order = program->groups.order, *end = order + program->groups.order_count;
    for (const int32_t *k = order; k < end; k++)
        if (group_at[*k] >= 0) program->slot_of[first + *k] = program->slots++;
    for (const int32_t *k = order; k < end; k++) {
        if (group_at[*k] < 0) continue;
        const Group *group = &program->groups.groups[group_at[*k]];
        int32_t result = first + *k;
        if (group->row == PRODUCT) add_layer(layout, group);
        else add_steps(layout, &result, 1);
        add_part(layout, result, 0, 1);
    }
}

static bool has_layers(const Layout *layout)
{
    const Groups *groups = &layout->program->groups;
    for (const Group *group = groups->groups; group < groups->groups + groups->group_count; group++) {
        if (group->row == PRODUCT && group->count > 1) return true;
        for (int32_t i = 0; group->row == ROW_dot && i < group->count; i++)
            if (place_of(layout, group->results[i])->neurons > 1) return true;
    }
    return false;
}

static void lay_out(Layout *layout, int32_t *of_instructions)
{
    Program *program = layout->program;
    const WengertList *list = &program->list;
    for (int32_t v = -list->constants; v < list->variables; v++)
        layout->broadcast_of[v] = layout->latest[v] = layout->seen[v] = layout->shares[v] = -1;
    for (int32_t v = 0; v < list->variables; v++) program->slot_of[v] = v < list->inputs ? program->slots++ : -1;
    for (int32_t g = 0; g < program->groups.group_count; g++) find_gated(layout, &program->groups.groups[g]);
    if (has_layers(layout)) lay_out_groups(layout);
    else lay_out_list(layout, of_instructions);
}

static void find_active_slots(Program *program)
{
    for (int32_t v = 0; v < program->list.variables; v++) {
        if (program->slot_of[v] < 0) continue;
        program->is_active[0][program->slot_of[v]] = (program->list.dependences[v] & ON_PARAMETERS) != 0;
        program->is_active[1][program->slot_of[v]] = 1;
    }
    for (int32_t k = 0; k < program->broadcast_count; k++)
        for (int wanted = 0; wanted < 2; wanted++)
            program->is_active[wanted][program->broadcasts[k][1]] = is_learned(&program->list, program->broadcasts[k][0]);
}

/* How much room the layout needs at most: numbers of steps, which are slots, and of products also where weights begin. */
typedef struct {
    Py_ssize_t steps, products, operands, terms;
} Room;

static Py_ssize_t count_operands_of(const Group *group)
{
    const Row *row = &ROWS[group->row];
    return row->sequences * (Py_ssize_t)group->length + row->operands - row->sequences;
}

static Room count_room(const Program *program, Py_ssize_t operands)
{
    const Groups *groups = &program->groups;
    Room room = {.operands = operands};
    for (const Group *group = groups->groups; group < groups->groups + groups->group_count; group++) {
        Py_ssize_t count = group->count, length = group->length;
        bool is_product = group->row == PRODUCT, is_dot = group->row == ROW_dot;
        room.steps += is_product ? 1 : count;
        room.products += is_product ? 1 : is_dot ? count : 0;
        room.operands += is_product ? 4 * count + length : is_dot ? count * (3 * length + 20) : 0; /* gates are few */
        room.terms += is_dot ? count * (length + 2) : 0;
        if (is_product || program->instruction_set->exponentials[group->row] == NULL) continue;
        room.steps += count;
        room.operands += 3 * count * count_operands_of(group);
    }
    return room;
}

static int make_steps(Program *program, Py_ssize_t operands)
{
    const WengertList *list = &program->list;
    const Groups *groups = &program->groups;
    Py_ssize_t all = (Py_ssize_t)list->constants + list->variables;
    Room room = count_room(program, operands);
    int32_t *of_variables = room_for(5 * all, sizeof(int32_t)), *of_instructions = room_for(list->count, sizeof(int32_t));
    Place *places = room_for(list->count, sizeof(Place));
    program->uniform = room_for(list->count, sizeof(int32_t));
    program->chain_operands = room_for(count_chain_operands(list, groups), sizeof(int32_t));
    program->slot_of = room_for(list->variables, sizeof(int32_t));
    program->broadcasts = room_for(all, sizeof *program->broadcasts);
    program->step_operands = room_for(room.operands, sizeof(int32_t));
    program->terms = room_for(room.terms, sizeof(int32_t));
    program->steps = room_for(room.steps, sizeof(Step));
    program->parts = room_for(room.steps + groups->part_count, sizeof(Part));
    program->products = room_for(room.products, sizeof(Product));
    program->fans = room_for(room.products, sizeof(Fan));
    bool complete = find_lookups(program) == 0 && of_variables && of_instructions && places && program->uniform &&
                    program->chain_operands && program->slot_of && program->broadcasts &&
                    program->step_operands && program->terms && program->steps && program->parts && program->products &&
                    program->fans;
    if (complete) {
        find_uniform(program);
        program->has_large_products = has_large_products(groups);
        program->has_single_uses = has_single_uses(list, of_variables + list->constants);
        write_chains(program);
        int32_t *first = of_variables + list->constants;
        Layout layout = {
            program, places, first, first + all, program->step_operands, first + 2 * all, 0, program->terms,
            first + 3 * all, first + 4 * all,
        };
        lay_out(&layout, of_instructions);
        for (int wanted = 0; wanted < 2; wanted++) program->is_active[wanted] = room_for(program->slots, 1);
        complete = program->is_active[0] && program->is_active[1];
    }
    PyMem_Free(of_variables);
    PyMem_Free(of_instructions);
    PyMem_Free(places);
    if (!complete) {
        PyErr_NoMemory();
        return -1;
    }
    find_active_slots(program);
    return 0;
}

/* ---- Made and freed */

static const InstructionSet *best_instruction_set(const char *name)
{
    const InstructionSet *sets[3];
    int count = 0;
#if defined(HAS_X86_KERNELS)
    __builtin_cpu_init();
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq");
    if (has_avx512) sets[count++] = &AVX512;
    if (__builtin_cpu_supports("avx2")) sets[count++] = &AVX2;
#endif
    sets[count++] = &BASELINE;
    for (int i = 0; i < count; i++)
        if (name == NULL || strcmp(name, sets[i]->name) == 0) return sets[i];
    PyErr_Format(PyExc_ValueError, "instruction set: expected baseline, or avx2 or avx512 where there is one, got '%s'", name);
    return NULL;
}

int make_program(Program *program, const WengertArrays *arrays, const char *instruction_set, bool is_fast)
{
    program->is_fast = is_fast;
    program->instruction_set = best_instruction_set(instruction_set);
    if (program->instruction_set == NULL || copy_list(arrays, &program->list) < 0) return -1;
    if (find_groups(&program->list, &program->groups) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return make_steps(program, arrays->operands);
}

void free_program(Program *program)
{
    void *memory[] = {program->terms, program->uniform, program->lookups, program->chain_operands, program->steps, program->step_operands, program->parts, program->products, program->fans,
                      program->slot_of, program->broadcasts, program->is_active[0], program->is_active[1]};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_Free(memory[i]);
    free_groups(&program->groups);
    free_list(&program->list);
    PyMem_RawFree(program->kept_scalars);
    while (program->kept != NULL) {
        Workspace *next = program->kept->next;
        PyMem_RawFree(program->kept);
        program->kept = next;
    }
}
