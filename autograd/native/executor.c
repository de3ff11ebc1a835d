/* The type Program, as Python has it: what tape/executors/executor.py asks of it. The length of every array is checked here,
   and what stands in the list's is checked by wengert.c. */
#include "executor.h"
#include "direct.h"
#include "make.h"
#include "replay.h"

typedef struct {
    PyObject_HEAD
    Program program;
} ProgramObject;

static Program *program_of(PyObject *self) { return &((ProgramObject *)self)->program; }

/* Program((inputs, parameters, constants, rows, lengths, operands, outputs), instruction_set or None, fast_math=False) */
static PyObject *program_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(keywords))
{
    PyObject *parts;
    const char *instruction_set;
    int is_fast = false;
    WengertArrays arrays;
    if (!PyArg_ParseTuple(arguments, "O!z|p", &PyTuple_Type, &parts, &instruction_set, &is_fast)) return NULL;
    PyObject *self = NULL;
    if (read_arrays(parts, &arrays) == 0) {
        self = type->tp_alloc(type, 0);
        if (self != NULL && make_program(program_of(self), &arrays, instruction_set, is_fast) < 0) Py_CLEAR(self);
        release_arrays(&arrays);
    }
    return self;
}

static void program_dealloc(PyObject *self)
{
    free_kept(program_of(self)->kept_values);
    free_program(program_of(self));
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *get_instruction_set(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(program_of(self)->instruction_set->name);
}

static bool is_none(const Py_buffer *buffer) { return buffer->obj == NULL; }

static bool has_length(const Py_buffer *buffer, Py_ssize_t numbers)
{
    return buffer->len == numbers * (Py_ssize_t)sizeof(double) && (uintptr_t)buffer->buf % _Alignof(double) == 0;
}

static bool can_be_written(const Py_buffer *buffer, Py_ssize_t numbers)
{
    return !buffer->readonly && has_length(buffer, numbers);
}

/* replay(examples, batch, parameters, outputs, seeds, gradient, input_gradients, threads): all but the counts are arrays of
   float64, the three before `threads` may be None. Without seeds nothing is differentiated. */
static PyObject *program_replay(PyObject *self, PyObject *arguments)
{
    Program *program = program_of(self);
    const WengertList *list = &program->list;
    Py_ssize_t n;
    int threads, status = -1;
    Py_buffer batch, parameters, outputs, seeds, gradient, input_gradients;
    if (!PyArg_ParseTuple(arguments, "ny*y*w*z*z*z*i", &n, &batch, &parameters, &outputs, &seeds, &gradient,
                          &input_gradients, &threads))
        return NULL;
    Job job = {
        .examples = n, .batch = batch.buf, .parameters = parameters.buf, .outputs = outputs.buf, .seeds = seeds.buf,
        .batch_array = &batch, .parameter_array = &parameters,
        .is_differentiated = !is_none(&seeds), .has_own_seeds = !has_length(&seeds, list->outputs),
        .gradient = gradient.buf, .input_gradients = is_none(&seeds) ? NULL : input_gradients.buf,
    };
    bool fits = n >= 0 && n <= PY_SSIZE_T_MAX / 8 / ((Py_ssize_t)list->inputs + list->outputs + 1) &&
                has_length(&batch, n * list->inputs) && has_length(&parameters, list->parameters) &&
                can_be_written(&outputs, n * list->outputs) &&
                (is_none(&input_gradients) || can_be_written(&input_gradients, n * list->inputs));
    if (job.is_differentiated)
        fits = fits && has_length(&seeds, (job.has_own_seeds ? n : 1) * list->outputs) &&
               can_be_written(&gradient, list->parameters);
    if (!fits) PyErr_SetString(PyExc_ValueError, "replay: arrays of these lengths do not fit the program");
    else status = replay(program, &job, threads);
    Py_buffer *all[] = {&batch, &parameters, &outputs, &seeds, &gradient, &input_gradients};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) PyBuffer_Release(all[i]);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *program_value_and_grad(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    return value_and_grad(program_of(self), arguments, count);
}

static PyObject *program_forward(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    return forward_directly(program_of(self), arguments, count);
}

static PyObject *program_backward(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    return backward_directly(program_of(self), arguments, count);
}

static PyMethodDef program_methods[] = {
    {"value_and_grad", (PyCFunction)(void (*)(void))program_value_and_grad, METH_FASTCALL,
     "What Tape.value_and_grad returns, where nothing that it is given needs to be converted; else None."},
    {"forward", (PyCFunction)(void (*)(void))program_forward, METH_FASTCALL,
     "What Tape.forward returns, and what has been replayed, where nothing that it is given needs to be converted; else None."},
    {"backward", (PyCFunction)(void (*)(void))program_backward, METH_FASTCALL,
     "What Tape.backward returns, of what forward() has replayed, where nothing needs to be converted; else NotImplemented."},
    {"replay", program_replay, METH_VARARGS, "Computes a batch's outputs, and its gradient where there are seeds."},
    {.ml_name = NULL},
};

static PyGetSetDef program_attributes[] = {
    {"instruction_set", get_instruction_set, NULL, "What its blocks of examples are compiled for.", NULL},
    {.name = NULL},
};

static PyType_Slot program_slots[] = {
    {Py_tp_doc, "A Wengert list made ready for replays; executors/executor.py says what replay() is given."},
    {Py_tp_new, program_new},
    {Py_tp_dealloc, program_dealloc},
    {Py_tp_methods, program_methods},
    {Py_tp_getset, program_attributes},
    {0, NULL},
};

PyType_Spec program_spec = {
    "autograd.native.engine.Program", sizeof(ProgramObject), 0, Py_TPFLAGS_DEFAULT, program_slots,
};
