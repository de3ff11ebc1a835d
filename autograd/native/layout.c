/* Which steps there are, and in which order. */
#include "layout.h"

#include "dots.h"

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

void lay_out(Layout *layout, int32_t *of_instructions)
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
