/* A program is made of a list: what it needs to know of it, its layout, and the room for it. */
#include "make.h"

#include "layout.h"

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

/* ---- The layout, in room that is counted before */

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
    void *memory[] = {
        program->terms, program->uniform, program->lookups, program->chain_operands, program->steps, program->step_operands,
        program->parts, program->products, program->fans, program->slot_of, program->broadcasts,
        program->is_active[0], program->is_active[1],
    };
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
