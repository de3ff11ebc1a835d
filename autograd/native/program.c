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

/* ---- The instructions that depend on the inputs, as steps over slots */

typedef struct {
    Program *program;
    int32_t *broadcast_of; /* the slot of each variable, constants before, that has been given one; else -1 */
} Layout;

/* One for each use, so that each has its sum over the examples, whose order depends on nothing else. */
static int32_t new_import(Program *program, int32_t variable)
{
    program->is_learned[program->import_count] = (program->list.dependences[variable] & ON_PARAMETERS) != 0;
    program->imports[program->import_count] = variable;
    return program->import_count++;
}

static int32_t slot_of(Layout *layout, int32_t variable)
{
    Program *program = layout->program;
    if (depends_on_inputs(&program->list, variable)) return program->slot_of[variable];
    if (layout->broadcast_of[variable] < 0) {
        layout->broadcast_of[variable] = program->slots;
        int32_t *broadcast = program->broadcasts[program->broadcast_count++];
        broadcast[0] = new_import(program, variable);
        broadcast[1] = program->slots++;
    }
    return layout->broadcast_of[variable];
}

/* How many of the variables depend on the inputs. */
static int32_t count_dependent(const WengertList *list, const int32_t *variables, int32_t count)
{
    int32_t dependent = 0;
    for (int32_t i = 0; i < count; i++) dependent += depends_on_inputs(list, variables[i]);
    return dependent;
}

/* The weights of a dot whose other factors alone depend on the inputs; else NULL. */
static const int32_t *imported_weights(const WengertList *list, const Instruction *dot)
{
    const int32_t *operands = operands_of(dot);
    int32_t n = length_of_sequences(dot);
    if (dot->row != ROW_dot || depends_on_inputs(list, operands[2 * n])) return NULL;
    int32_t left = count_dependent(list, operands, n), right = count_dependent(list, operands + n, n);
    if (left == 0 && right == n) return operands;
    return left == n && right == 0 ? operands + n : NULL;
}

static void add_step(Layout *layout, const Instruction *instruction, int32_t result, int32_t *slots)
{
    Program *program = layout->program;
    const InstructionSet *set = program->instruction_set;
    const Row *row = &ROWS[instruction->row];
    const int32_t *operands = operands_of(instruction), *weights = imported_weights(&program->list, instruction);
    int32_t n = length_of_sequences(instruction);
    Step *step = &program->steps[program->step_count++];
    *step = (Step){
        weights ? set->imported_dot_forward : set->forward[instruction->row],
        weights ? set->imported_dot_backward : set->backward[instruction->row],
        row->value, row->partials, n, instruction->count, row->sequences, program->slot_of[result], result, slots,
    };
    if (weights == NULL) {
        for (int32_t i = 0; i < instruction->count; i++) slots[i] = slot_of(layout, operands[i]);
    } else {
        const int32_t *inputs = weights == operands ? weights + n : operands;
        for (int32_t i = 0; i < n; i++) slots[i] = new_import(program, weights[i]);
        for (int32_t i = 0; i < n; i++) slots[n + i] = program->slot_of[inputs[i]];
        slots[2 * n] = new_import(program, operands[2 * n]);
    }
}

static void lay_out(Program *program, int32_t *broadcast_memory)
{
    const WengertList *list = &program->list;
    Layout layout = {program, broadcast_memory + list->constants};
    for (int32_t v = -list->constants; v < list->variables; v++) layout.broadcast_of[v] = -1;
    for (int32_t v = 0; v < list->variables; v++) program->slot_of[v] = depends_on_inputs(list, v) ? program->slots++ : -1;
    int32_t *slots = program->step_operands;
    for (int32_t k = 0; k < list->count; k++) {
        int32_t result = first_result(list) + k;
        if (!depends_on_inputs(list, result)) continue;
        add_step(&layout, &list->instructions[k], result, slots);
        slots += list->instructions[k].count;
        program->step_operand_count += list->instructions[k].count;
    }
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
            program->is_active[wanted][program->broadcasts[k][1]] = program->is_learned[program->broadcasts[k][0]];
}

static int make_steps(Program *program, Py_ssize_t operands)
{
    const WengertList *list = &program->list;
    Py_ssize_t all = (Py_ssize_t)list->constants + list->variables;
    int32_t *broadcast_of = room_for(all, sizeof(int32_t));
    program->uniform = room_for(list->count, sizeof(int32_t));
    program->slot_of = room_for(list->variables, sizeof(int32_t));
    program->broadcasts = room_for(all, sizeof *program->broadcasts);
    program->imports = room_for(operands, sizeof(int32_t));
    program->is_learned = room_for(operands, 1);
    program->step_operands = room_for(operands, sizeof(int32_t));
    bool complete = broadcast_of && program->uniform && program->slot_of && program->broadcasts && program->imports &&
                    program->is_learned && program->step_operands;
    if (complete) {
        find_uniform(program);
        program->steps = room_for(list->count - program->uniform_count, sizeof(Step));
        complete = program->steps != NULL;
    }
    if (complete) {
        lay_out(program, broadcast_of);
        for (int wanted = 0; wanted < 2; wanted++) program->is_active[wanted] = room_for(program->slots, 1);
        complete = program->is_active[0] && program->is_active[1];
    }
    PyMem_Free(broadcast_of);
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
#if defined(HAS_AVX2_KERNELS)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && (name == NULL || strcmp(name, AVX2.name) == 0)) return &AVX2;
#endif
    if (name == NULL || strcmp(name, BASELINE.name) == 0) return &BASELINE;
    PyErr_Format(PyExc_ValueError, "instruction set: expected baseline, or avx2 where there is one, got '%s'", name);
    return NULL;
}

int make_program(Program *program, const WengertArrays *arrays, const char *instruction_set)
{
    program->instruction_set = best_instruction_set(instruction_set);
    if (program->instruction_set == NULL || copy_list(arrays, &program->list) < 0) return -1;
    return make_steps(program, arrays->operands);
}

void free_program(Program *program)
{
    void *memory[] = {program->uniform, program->steps, program->step_operands, program->slot_of, program->imports,
                      program->broadcasts, program->is_learned, program->is_active[0], program->is_active[1]};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_Free(memory[i]);
    free_list(&program->list);
    PyMem_RawFree(program->kept_scalars);
    while (program->kept != NULL) {
        Workspace *next = program->kept->next;
        PyMem_RawFree(program->kept);
        program->kept = next;
    }
}
