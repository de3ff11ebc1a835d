/* Which dots are computed together, and how. */
#include "dots.h"

/* ---- With gates: side by side with others of the same inputs they are products, whose tiles take gates from their slots */

enum { TERMS_PER_GATE = 8 };

static int32_t bias_of(const Instruction *dot) { return operands_of(dot)[dot->count - 1]; }

static const int32_t *factors_of(const Layout *layout, int32_t result, int32_t side)
{
    const Instruction *dot = instruction_of(layout, result);
    return operands_of(dot) + (Py_ssize_t)side * length_of_sequences(dot);
}

bool are_all_different(Layout *layout, int32_t result)
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
void find_gated(Layout *layout, const Group *group)
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
void add_gated(Layout *layout, const int32_t *results, int32_t count)
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

/* ---- Two sequences that vary: as fans */

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

void add_dots(Layout *layout, const int32_t *results, int32_t count)
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
