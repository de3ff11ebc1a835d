/* The type Program: a Wengert list made ready to be replayed. It knows what depends on the inputs, which is replayed for
   blocks of examples, and what does not, which is evaluated once. */
#include "tape.h"

#include <string.h>

/* How many numbers of all slots of a block together, values and adjoints, stay in the nearer caches. */
enum { CACHED_NUMBERS = 1 << 17, MOST_LANES = 128 };

static void *copied(const Py_buffer *buffer)
{
    void *copy = PyMem_Malloc((size_t)buffer->len + 1);
    return copy == NULL ? NULL : memcpy(copy, buffer->buf, (size_t)buffer->len);
}

static void *room_for(Py_ssize_t count, size_t size) { return PyMem_Calloc((size_t)count + 1, size); }

static int32_t operands_of_row(const Row *row, int32_t length)
{
    return row->sequences * length + row->operands - row->sequences;
}

/* Reads the instructions. Returns -1 with an exception where they do not make sense. */
static int take_instructions(Program *self, const int32_t *rows, const int32_t *lengths, Py_ssize_t operands)
{
    int64_t start = 0;
    int32_t first = self->inputs + self->parameters;
    for (int32_t k = 0; k < self->instructions; k++) {
        if (rows[k] < 0 || rows[k] >= ROW_COUNT || lengths[k] < 0) goto damaged;
        int64_t end = start + (int64_t)ROWS[rows[k]].sequences * lengths[k] + ROWS[rows[k]].operands;
        if (end - ROWS[rows[k]].sequences > operands) goto damaged;
        int32_t count = operands_of_row(&ROWS[rows[k]], lengths[k]);
        for (int32_t i = 0; i < count; i++) {
            int32_t operand = self->all_operands[start + i];
            if (operand < -self->constants || operand >= first + k) goto damaged;
        }
        self->list[k] = (Instruction){.row = rows[k], .count = count, .many = self->all_operands + start};
        if (count <= 2) memcpy(self->list[k].few, self->all_operands + start, (size_t)count * sizeof(int32_t));
        if (2 * count > self->scratch) self->scratch = 2 * count;
        start += count;
    }
    for (int32_t k = 0; k < self->outputs; k++)
        if (self->output_variables[k] < -self->constants || self->output_variables[k] >= self->variables) goto damaged;
    if (start == operands) return 0;
damaged:
    PyErr_SetString(PyExc_ValueError, "the Wengert list is damaged");
    return -1;
}

static void find_dependences(Program *self)
{
    for (int32_t v = 0; v < self->inputs; v++) self->traits[v] = ON_INPUTS;
    for (int32_t v = self->inputs; v < self->inputs + self->parameters; v++) self->traits[v] = ON_PARAMETERS;
    for (int32_t k = 0; k < self->instructions; k++) {
        const int32_t *operands = operands_of(&self->list[k]);
        uint8_t traits = 0;
        for (int32_t i = 0; i < self->list[k].count; i++) traits |= self->traits[operands[i]];
        self->traits[first_result(self) + k] = traits;
        if (!(traits & ON_INPUTS)) self->uniform[self->uniform_count++] = k;
    }
}

/* ---- The instructions that depend on the inputs, as steps over slots */

typedef struct {
    Program *program;
    int32_t *broadcast_of; /* the slot of each variable, constants before, that has been given one; else -1 */
} Layout;

static bool depends_on_inputs(const Program *self, int32_t variable) { return self->traits[variable] & ON_INPUTS; }

/* One for each use, so that each has its sum over the examples, whose order depends on nothing else. */
static int32_t new_import(Program *self, int32_t variable)
{
    self->is_learned[self->import_count] = (self->traits[variable] & ON_PARAMETERS) != 0;
    self->imports[self->import_count] = variable;
    return self->import_count++;
}

static int32_t slot_of(Layout *layout, int32_t variable)
{
    Program *self = layout->program;
    if (depends_on_inputs(self, variable)) return self->slot_of[variable];
    if (layout->broadcast_of[variable] < 0) {
        layout->broadcast_of[variable] = self->slots;
        int32_t *broadcast = self->broadcasts[self->broadcast_count++];
        broadcast[0] = new_import(self, variable);
        broadcast[1] = self->slots++;
    }
    return layout->broadcast_of[variable];
}

/* How many of the variables depend on the inputs. */
static int32_t count_dependent(const Program *self, const int32_t *variables, int32_t count)
{
    int32_t dependent = 0;
    for (int32_t i = 0; i < count; i++) dependent += depends_on_inputs(self, variables[i]);
    return dependent;
}

/* The weights of a dot whose other factors alone depend on the inputs; else NULL. */
static const int32_t *imported_weights(const Program *self, const Instruction *dot)
{
    const int32_t *operands = operands_of(dot);
    int32_t n = length_of_sequences(dot);
    if (strcmp(ROWS[dot->row].name, "dot") != 0 || depends_on_inputs(self, operands[2 * n])) return NULL;
    int32_t left = count_dependent(self, operands, n), right = count_dependent(self, operands + n, n);
    if (left == 0 && right == n) return operands;
    return left == n && right == 0 ? operands + n : NULL;
}

static void add_step(Layout *layout, const Instruction *instruction, int32_t result, int32_t *slots)
{
    Program *self = layout->program;
    const InstructionSet *set = self->instruction_set;
    const Row *row = &ROWS[instruction->row];
    const int32_t *operands = operands_of(instruction), *weights = imported_weights(self, instruction);
    int32_t n = length_of_sequences(instruction);
    Step *step = &self->steps[self->step_count++];
    *step = (Step){
        weights ? set->imported_dot_forward : set->forward[instruction->row],
        weights ? set->imported_dot_backward : set->backward[instruction->row],
        row->value, row->partials, n, instruction->count, row->sequences, self->slot_of[result], result, slots,
    };
    if (weights == NULL) {
        for (int32_t i = 0; i < instruction->count; i++) slots[i] = slot_of(layout, operands[i]);
    } else {
        const int32_t *inputs = weights == operands ? weights + n : operands;
        for (int32_t i = 0; i < n; i++) slots[i] = new_import(self, weights[i]);
        for (int32_t i = 0; i < n; i++) slots[n + i] = self->slot_of[inputs[i]];
        slots[2 * n] = new_import(self, operands[2 * n]);
    }
}

static void lay_out(Program *self, int32_t *broadcast_memory)
{
    Layout layout = {self, broadcast_memory + self->constants};
    for (int32_t v = -self->constants; v < self->variables; v++) layout.broadcast_of[v] = -1;
    for (int32_t v = 0; v < self->variables; v++) self->slot_of[v] = depends_on_inputs(self, v) ? self->slots++ : -1;
    int32_t *slots = self->step_operands;
    for (int32_t k = 0; k < self->instructions; k++) {
        int32_t result = first_result(self) + k;
        if (!depends_on_inputs(self, result)) continue;
        add_step(&layout, &self->list[k], result, slots);
        slots += self->list[k].count;
        self->step_operand_count += self->list[k].count;
    }
}

static void find_active_slots(Program *self)
{
    for (int32_t v = 0; v < self->variables; v++) {
        if (self->slot_of[v] < 0) continue;
        self->is_active[0][self->slot_of[v]] = (self->traits[v] & ON_PARAMETERS) != 0;
        self->is_active[1][self->slot_of[v]] = 1;
    }
    for (int32_t k = 0; k < self->broadcast_count; k++)
        for (int wanted = 0; wanted < 2; wanted++)
            self->is_active[wanted][self->broadcasts[k][1]] = self->is_learned[self->broadcasts[k][0]];
}

static int make_steps(Program *self, Py_ssize_t operands)
{
    Py_ssize_t all = (Py_ssize_t)self->constants + self->variables;
    int32_t *broadcast_of = room_for(all, sizeof(int32_t));
    self->steps = room_for(self->instructions - self->uniform_count, sizeof(Step));
    self->step_operands = room_for(operands, sizeof(int32_t));
    self->slot_of = room_for(self->variables, sizeof(int32_t));
    self->imports = room_for(all + operands, sizeof(int32_t));
    self->broadcasts = room_for(all, sizeof *self->broadcasts);
    self->is_learned = room_for(all + operands, 1);
    bool complete = broadcast_of && self->steps && self->step_operands && self->slot_of && self->imports &&
                    self->broadcasts && self->is_learned;
    if (complete) {
        lay_out(self, broadcast_of);
        for (int wanted = 0; wanted < 2; wanted++) self->is_active[wanted] = room_for(self->slots, 1);
        complete = self->is_active[0] && self->is_active[1];
    }
    PyMem_Free(broadcast_of);
    if (!complete) {
        PyErr_NoMemory();
        return -1;
    }
    find_active_slots(self);
    return 0;
}

/* ---- The type */

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

static int take_buffers(Program *self, const Py_buffer *constants, const Py_buffer *rows, const Py_buffer *lengths,
                        const Py_buffer *operands, const Py_buffer *outputs)
{
    self->constants = (int32_t)(constants->len / (Py_ssize_t)sizeof(double));
    self->instructions = (int32_t)(rows->len / (Py_ssize_t)sizeof(int32_t));
    self->outputs = (int32_t)(outputs->len / (Py_ssize_t)sizeof(int32_t));
    self->variables = self->inputs + self->parameters + self->instructions;
    self->constant_numbers = copied(constants);
    self->all_operands = copied(operands);
    self->output_variables = copied(outputs);
    self->list = room_for(self->instructions, sizeof(Instruction));
    self->uniform = room_for(self->instructions, sizeof(int32_t));
    self->memory_of_traits = room_for((Py_ssize_t)self->constants + self->variables, 1);
    if (!self->constant_numbers || !self->all_operands || !self->output_variables || !self->list || !self->uniform ||
        !self->memory_of_traits) {
        PyErr_NoMemory();
        return -1;
    }
    self->traits = self->memory_of_traits + self->constants;
    if (lengths->len != rows->len || self->inputs < 0 || self->parameters < 0) {
        PyErr_SetString(PyExc_ValueError, "the Wengert list is damaged");
        return -1;
    }
    Py_ssize_t count = operands->len / (Py_ssize_t)sizeof(int32_t);
    if (take_instructions(self, rows->buf, lengths->buf, count) < 0) return -1;
    find_dependences(self);
    return make_steps(self, count);
}

static PyObject *program_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(keywords))
{
    int inputs, parameters;
    const char *instruction_set;
    Py_buffer buffers[5];
    if (!PyArg_ParseTuple(arguments, "iiy*y*y*y*y*z", &inputs, &parameters, &buffers[0], &buffers[1], &buffers[2],
                          &buffers[3], &buffers[4], &instruction_set))
        return NULL;
    Program *self = (Program *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->inputs = inputs;
        self->parameters = parameters;
        self->instruction_set = best_instruction_set(instruction_set);
        if (self->instruction_set == NULL ||
            take_buffers(self, &buffers[0], &buffers[1], &buffers[2], &buffers[3], &buffers[4]) < 0)
            Py_CLEAR(self);
    }
    for (int i = 0; i < 5; i++) PyBuffer_Release(&buffers[i]);
    return (PyObject *)self;
}

static void program_dealloc(PyObject *object)
{
    Program *self = (Program *)object;
    void *memory[] = {self->constant_numbers, self->all_operands, self->output_variables, self->list, self->uniform,
                      self->memory_of_traits, self->steps, self->step_operands, self->slot_of, self->imports,
                      self->broadcasts, self->is_learned, self->is_active[0], self->is_active[1]};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_Free(memory[i]);
    PyMem_RawFree(self->kept_scalars);
    while (self->kept != NULL) {
        Workspace *next = self->kept->next;
        free_workspace(self->kept);
        self->kept = next;
    }
    PyTypeObject *type = Py_TYPE(object);
    type->tp_free(object);
    Py_DECREF(type);
}

Py_ssize_t lanes_of(const Program *self)
{
    Py_ssize_t lanes = CACHED_NUMBERS / (2 * (Py_ssize_t)self->slots + 1) & -(Py_ssize_t)EIGHT;
    return lanes < EIGHT ? EIGHT : lanes > MOST_LANES ? MOST_LANES : lanes;
}

static PyObject *get_instruction_set(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((Program *)self)->instruction_set->name);
}

static PyMethodDef program_methods[] = {
    {"replay", replay, METH_VARARGS, "Evaluates a batch, and differentiates it where gradients are asked for."},
    {NULL},
};

static PyGetSetDef program_attributes[] = {
    {"instruction_set", get_instruction_set, NULL, "What its blocks of examples are compiled for.", NULL},
    {NULL},
};

static PyType_Slot program_slots[] = {
    {Py_tp_doc, "A Wengert list made ready to be replayed; tape.py says what its parts are."},
    {Py_tp_new, program_new},
    {Py_tp_dealloc, program_dealloc},
    {Py_tp_methods, program_methods},
    {Py_tp_getset, program_attributes},
    {0, NULL},
};

PyType_Spec program_spec = {"autograd.native.engine.Program", sizeof(Program), 0, Py_TPFLAGS_DEFAULT, program_slots};
