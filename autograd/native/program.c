/* A program: which instructions are steps, where their operands lie, and whose adjoints are asked for. */
#include "program.h"


static void *room_for(Py_ssize_t count, size_t size) { return PyMem_Calloc((size_t)count + 1, size); }

static bool depends_on_inputs(const WengertList *list, int32_t variable)
{
    return list->dependences[variable] & ON_INPUTS;
}

static void find_uniform(Program *program)
{
    int32_t first = first_result(&program->list);
    for (int32_t k = 0; k < program->list.count; k++)
        if (!depends_on_inputs(&program->list, first + k)) program->uniform[program->uniform_count++] = k;
}

/* ---- Chains, as dots, for single examples */

static bool is_chain(const WengertList *list, const Group *group, int32_t neuron)
{
    return group->row == PRODUCT && list->instructions[group->results[neuron] - first_result(list)].row == ROW_add;
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

/* `is_single` has room for a mark of each instruction. */
static void make_singles(Program *program, int32_t *is_single)
{
    WengertList *list = &program->list;
    int32_t first = first_result(list), *operands = program->chain_operands;
    for (int32_t k = 0; k < list->count; k++) is_single[k] = !depends_on_inputs(list, first + k);
    for (int32_t g = 0; g < program->groups.group_count; g++) {
        const Group *group = &program->groups.groups[g];
        for (int32_t i = 0; i < group->count; i++) {
            is_single[group->results[i] - first] = true;
            if (is_chain(list, group, i)) operands = write_dot(program, group, i, operands);
        }
    }
    for (int32_t k = 0; k < list->count; k++)
        if (is_single[k]) program->singles[program->single_count++] = k;
}

static Py_ssize_t count_chain_operands(const WengertList *list, const Groups *groups)
{
    Py_ssize_t count = 0;
    for (int32_t g = 0; g < groups->group_count; g++)
        for (int32_t i = 0; i < groups->groups[g].count; i++)
            if (is_chain(list, &groups->groups[g], i)) count += 2 * (Py_ssize_t)groups->groups[g].length + 1;
    return count;
}

/* ---- The instructions that depend on the inputs, as steps over slots */

typedef struct {
    Program *program;
    int32_t *broadcast_of; /* the slot of each variable, constants before, that has been given one; else -1 */
    int32_t *latest;       /* for each variable the latest product that has packed weights, this one first; or -1 */
    int32_t *operands;     /* room for the next step's */
} Layout;

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

/* Products with the same weights, as those of a recurrence's steps or a convolution's places, have them packed once. */
static void place_weights(Layout *layout, Product *product)
{
    Program *program = layout->program;
    int32_t *latest = &layout->latest[product->weights[0]];
    Py_ssize_t count = (Py_ssize_t)product->neurons * product->length;
    Product *other = *latest < 0 ? NULL : &program->products[*latest];
    if (other != NULL && other->neurons == product->neurons && other->length == product->length &&
        memcmp(other->weights, product->weights, (size_t)count * sizeof(int32_t)) == 0) {
        product->packed = other->packed;
        product->transposed = other->transposed;
        product->shares_weights = true;
    } else {
        other = product;
        *latest = (int32_t)(product - program->products);

        product->packed = program->packed_count;
        product->transposed = product->packed + count;
        program->packed_count += 2 * count;
    }
    for (int wanted = 0; wanted < 2; wanted++) other->is_transposed[wanted] |= product->is_pushed[wanted];
}

/* Whether the variables of each row follow each other. */
static bool are_in_rows(const int32_t *variables, int32_t rows, int32_t length)
{
    for (int32_t j = 0; j < rows; j++, variables += length)
        for (int32_t k = 1; k < length; k++)
            if (variables[k] != variables[0] + k) return false;
    return true;
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
        .has_rows = are_in_rows(group->weights, neurons, length),
        .is_learned = some_are_learned(list, group->weights, (Py_ssize_t)neurons * length),
        .sums = program->product_sum_count,
    };
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

static Lanes kernel_of(const InstructionSet *set, int32_t row, bool is_backward)
{
    if (row == ROW_sum) return set->sum[is_backward];
    if (row == ROW_dot) return set->dot[is_backward];
    if (row == ROW_take) return set->lookup[is_backward];
    return is_backward ? set->backward[row] : set->forward[row];
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

static void add_step(Layout *layout, int32_t result)
{
    Program *program = layout->program;
    const WengertList *list = &program->list;
    const Instruction *instruction = &list->instructions[result - first_result(list)];
    const Row *row = &ROWS[instruction->row];
    const int32_t *operands = operands_of(instruction);
    int32_t length = length_of_sequences(instruction);
    bool is_lookup = instruction->row == ROW_take;
    program->steps[program->step_count++] = (Step){
        kernel_of(program->instruction_set, instruction->row, false),
        kernel_of(program->instruction_set, instruction->row, true),
        row->value, row->partials, length, instruction->count, row->sequences, program->slot_of[result], result,
        is_lookup ? operands_of_lookup(layout, operands, length) : slots_of(layout, operands, instruction->count), NULL,
    };
    program->step_operand_count += is_lookup ? 2 : instruction->count;
}

/* Group by group. The parts are those of the groups, each of which has its first step in `first_steps`. */
static void lay_out_groups(Layout *layout, int32_t *first_steps)
{
    Program *program = layout->program;
    const Groups *groups = &program->groups;
    for (int32_t g = 0; g < groups->group_count; g++)
        for (int32_t i = 0; i < groups->groups[g].count; i++)
            program->slot_of[groups->groups[g].results[i]] = program->slots++;
    for (int32_t g = 0; g < groups->group_count; g++) {
        const Group *group = &groups->groups[g];
        first_steps[g] = program->step_count;
        if (group->row == PRODUCT) add_product(layout, group);
        else
            for (int32_t i = 0; i < group->count; i++) add_step(layout, group->results[i]);
    }
    for (int32_t p = 0; p < groups->part_count; p++) {
        Part part = groups->parts[p];
        bool is_product = groups->groups[part.group].row == PRODUCT;
        int32_t step = first_steps[part.group] + (is_product ? 0 : part.first);
        program->parts[program->part_count++] = (Part){step, part.first, part.end, 0};
    }
}

/* Where no product has several neurons: one by one, as they stand in the list, so that what is used soon is near. */
static void lay_out_list(Layout *layout, int32_t *group_of)
{
    Program *program = layout->program;
    const WengertList *list = &program->list;
    for (int32_t k = 0; k < list->count; k++) group_of[k] = -1;
    for (int32_t g = 0; g < program->groups.group_count; g++)
        for (int32_t i = 0; i < program->groups.groups[g].count; i++)
            group_of[program->groups.groups[g].results[i] - first_result(list)] = g;
    for (int32_t k = 0; k < list->count; k++)
        if (group_of[k] >= 0) program->slot_of[first_result(list) + k] = program->slots++;
    for (int32_t k = 0; k < list->count; k++) {
        if (group_of[k] < 0) continue;
        const Group *group = &program->groups.groups[group_of[k]];
        program->parts[program->part_count++] = (Part){program->step_count, 0, 1, 0};
        if (group->row == PRODUCT) add_product(layout, group);
        else add_step(layout, first_result(list) + k);
    }
}

static bool has_layers(const Groups *groups)
{
    for (int32_t g = 0; g < groups->group_count; g++)
        if (groups->groups[g].row == PRODUCT && groups->groups[g].count > 1) return true;
    return false;
}

static void lay_out(Layout *layout, int32_t *of_instructions)
{
    Program *program = layout->program;
    const WengertList *list = &program->list;
    for (int32_t v = -list->constants; v < list->variables; v++) layout->broadcast_of[v] = layout->latest[v] = -1;
    for (int32_t v = 0; v < list->variables; v++) program->slot_of[v] = v < list->inputs ? program->slots++ : -1;
    if (has_layers(&program->groups)) lay_out_groups(layout, of_instructions);
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

/* How many slots the steps name as operands, those of products as results too. */
static Py_ssize_t count_step_operands(const Groups *groups, Py_ssize_t operands)
{
    Py_ssize_t count = operands;
    for (int32_t g = 0; g < groups->group_count; g++)
        if (groups->groups[g].row == PRODUCT) count += 3 * (Py_ssize_t)groups->groups[g].count + groups->groups[g].length;
    return count;
}

static int32_t count_products(const Groups *groups)
{
    int32_t count = 0;
    for (int32_t g = 0; g < groups->group_count; g++) count += groups->groups[g].row == PRODUCT;
    return count;
}

static int make_steps(Program *program, Py_ssize_t operands)
{
    const WengertList *list = &program->list;
    const Groups *groups = &program->groups;
    Py_ssize_t all = (Py_ssize_t)list->constants + list->variables;
    int32_t *of_variables = room_for(2 * all, sizeof(int32_t)), *of_instructions = room_for(list->count, sizeof(int32_t));
    program->uniform = room_for(list->count, sizeof(int32_t));
    program->singles = room_for(list->count, sizeof(int32_t));
    program->chain_operands = room_for(count_chain_operands(list, groups), sizeof(int32_t));
    program->slot_of = room_for(list->variables, sizeof(int32_t));
    program->broadcasts = room_for(all, sizeof *program->broadcasts);
    program->step_operands = room_for(count_step_operands(groups, operands), sizeof(int32_t));
    program->steps = room_for(list->count, sizeof(Step));
    program->parts = room_for(list->count, sizeof(Part));
    program->products = room_for(count_products(groups), sizeof(Product));
    bool complete = of_variables && of_instructions && program->uniform && program->singles &&
                    program->chain_operands && program->slot_of && program->broadcasts &&
                    program->step_operands && program->steps && program->parts && program->products;
    if (complete) {
        find_uniform(program);
        make_singles(program, of_instructions);
        int32_t *first = of_variables + list->constants;
        Layout layout = {program, first, first + all, program->step_operands};
        lay_out(&layout, of_instructions);
        for (int wanted = 0; wanted < 2; wanted++) program->is_active[wanted] = room_for(program->slots, 1);
        complete = program->is_active[0] && program->is_active[1];
    }
    PyMem_Free(of_variables);
    PyMem_Free(of_instructions);
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

int make_program(Program *program, const WengertArrays *arrays, const char *instruction_set)
{
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
    void *memory[] = {program->uniform, program->singles, program->chain_operands, program->steps, program->step_operands, program->parts, program->products,
                      program->slot_of, program->broadcasts, program->is_active[0], program->is_active[1]};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_Free(memory[i]);
    free_groups(&program->groups);
    free_list(&program->list);
    PyMem_RawFree(program->kept_scalars);
    PyMem_RawFree(program->kept_values);
    while (program->kept != NULL) {
        Workspace *next = program->kept->next;
        PyMem_RawFree(program->kept);
        program->kept = next;
    }
}
