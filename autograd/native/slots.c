/* Which slots there are, and where the weights of products lie. */
#include "slots.h"

int32_t slot_of(Layout *layout, int32_t variable)
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

int32_t *slots_of(Layout *layout, const int32_t *variables, int32_t count)
{
    int32_t *slots = layout->operands;
    layout->operands += count;
    for (int32_t i = 0; i < count; i++) slots[i] = slot_of(layout, variables[i]);
    return slots;
}
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

void add_product(Layout *layout, const Group *group)
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
