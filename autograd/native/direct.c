/* A tape's replays, where nothing that they are given needs to be converted: a graph of thirty nodes is replayed in a fraction
   of the time that Python takes to check arrays and to make them. */
#include "direct.h"
#include "node.h"
#include "replay.h"
#include "vectors.h"

static PyObject *array_type, *new_array; /* numpy.ndarray and numpy.empty */

/* What an array begins with by NumPy's headers, which all compiled packages rely on. Python's own way to an array's memory,
   a buffer, takes as long as making the array. */
typedef struct {
    PyObject_HEAD
    void *memory;
    int axes;
} Beginning;

static bool begins_so; /* whether arrays do; else buffers are asked for */

static int look_at_arrays(void)
{
    PyObject *array = PyObject_CallFunction(new_array, "((ii))", 2, 3);
    Py_buffer memory;
    if (array == NULL || PyObject_GetBuffer(array, &memory, PyBUF_WRITABLE) < 0) {
        Py_XDECREF(array);
        return -1;
    }
    begins_so = Py_TYPE(array)->tp_basicsize >= (Py_ssize_t)sizeof(Beginning) && ((Beginning *)array)->memory == memory.buf &&
                ((Beginning *)array)->axes == 2;
    PyBuffer_Release(&memory);
    Py_DECREF(array);
    return 0;
}

static int find_numpy(void)
{
    if (new_array != NULL) return 0;
    PyObject *numpy = PyImport_ImportModule("numpy");
    if (numpy == NULL) return -1;
    array_type = PyObject_GetAttrString(numpy, "ndarray");
    new_array = PyObject_GetAttrString(numpy, "empty");
    Py_DECREF(numpy);
    if (array_type != NULL && new_array != NULL && look_at_arrays() == 0) return 0;
    Py_CLEAR(array_type);
    Py_CLEAR(new_array); /* so that the next call looks again */
    return -1;
}

/* An array, and its memory. */
typedef struct {
    PyObject *array;
    Py_buffer memory;
} Array;

static void let_go(Array *array)
{
    PyBuffer_Release(&array->memory);
    Py_CLEAR(array->array);
}

/* An array of one axis, or if `columns` is not negative, of two. Returns -1 with an exception. */
static int make_array(Array *array, Py_ssize_t rows, Py_ssize_t columns)
{
    PyObject *shape = columns < 0 ? PyLong_FromSsize_t(rows) : Py_BuildValue("nn", rows, columns);
    array->array = shape == NULL ? NULL : PyObject_CallOneArg(new_array, shape);
    Py_XDECREF(shape);
    if (array->array == NULL) return -1;
    if (!begins_so || (PyObject *)Py_TYPE(array->array) != array_type)
        return PyObject_GetBuffer(array->array, &array->memory, PyBUF_WRITABLE);
    array->memory.buf = ((Beginning *)array->array)->memory; /* and nothing to be released */
    return 0;
}

/* Whether it is an array of float64, in one piece, with so many axes: then its memory is held. */
static bool read_array(PyObject *object, int axes, Py_buffer *memory)
{
    if ((PyObject *)Py_TYPE(object) != array_type) return false;
    if (PyObject_GetBuffer(object, memory, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return false;
    }
    if (memory->ndim == axes && strcmp(memory->format, "d") == 0 && (uintptr_t)memory->buf % _Alignof(double) == 0) return true;
    PyBuffer_Release(memory);
    return false;
}

/* The numbers of Values that are of no subclass; false if one is. */
static bool gather_leaves(PyObject *leaves, double *numbers, Py_ssize_t count)
{
    return PyTuple_CheckExact(leaves) && PyTuple_GET_SIZE(leaves) == count &&
           gather_plain(PySequence_Fast_ITEMS(leaves), numbers, count) == count;
}

enum { LEAVES, IS_SINGLE, THREADS, BOUND }; /* what the arguments of all three begin with */
enum { FEW = 64 };

/* What is read: its memory, and room for what is few. */
typedef struct {
    Py_buffer batch, parameters, gradient;
    double room[2 * FEW], *more;
    double *numbers, *seeds; /* room for one of each parameter, unless they are given, and of each output */
    Py_ssize_t examples;
} Read;

static bool make_numbers(const WengertList *list, int32_t parameters, Read *read)
{
    if (parameters <= FEW && list->outputs <= FEW) read->numbers = read->room;
    else read->numbers = read->more = PyMem_Malloc(((size_t)parameters + (size_t)list->outputs) * sizeof(double));
    if (read->numbers == NULL) return false;
    read->seeds = read->numbers + parameters;
    return true;
}

static void release(Read *read)
{
    PyBuffer_Release(&read->batch);
    PyBuffer_Release(&read->parameters);
    PyBuffer_Release(&read->gradient);
    PyMem_Free(read->more);
}

static bool has_count(const char *name, Py_ssize_t expected, Py_ssize_t count)
{
    if (count != expected) PyErr_Format(PyExc_TypeError, "%s: expected %zd arguments, got %zd", name, expected, count);
    return count == expected;
}

static Job job_of(const Read *read)
{
    return (Job){
        .examples = read->examples, .seeds = read->seeds, .batch_array = &read->batch, .parameter_array = &read->parameters,
        .batch = read->batch.buf != NULL ? read->batch.buf : read->room, /* of no inputs */
        .parameters = read->parameters.buf != NULL ? read->parameters.buf : read->numbers,
    };
}

static int replay_of(Program *program, PyObject *const *arguments, Job *job)
{
    return replay(program, job, (int)PyLong_AsLong(arguments[THREADS]));
}

static int make_outputs(const Program *program, PyObject *const *arguments, Py_ssize_t examples, Array *outputs)
{
    return make_array(outputs, examples, arguments[IS_SINGLE] == Py_True ? -1 : program->list.outputs);
}

/* ---- What is given. Returns false, mostly without an exception, where Python must see to it. */

/* Whether all indices of lookups are some; if not, Python raises the error that names the example. */
static bool are_indices(const Program *program, const double *batch, Py_ssize_t examples)
{
    for (const Lookup *lookup = program->lookups; lookup < program->lookups + program->lookup_count; lookup++)
        for (Py_ssize_t i = 0; i < examples; i++)
            if (!is_place(batch[i * program->list.inputs + lookup->input], lookup->length)) return false;
    return true;
}

static bool read_batch(const Program *program, PyObject *batch, Read *read)
{
    if (!read_array(batch, 2, &read->batch)) return false;
    read->examples = read->batch.shape[0];
    return read->batch.shape[1] == program->list.inputs && read->examples > 0 &&
           are_indices(program, read->batch.buf, read->examples);
}

static bool read_parameters(const WengertList *list, PyObject *parameters, Read *read)
{
    return read_array(parameters, 1, &read->parameters) && read->parameters.shape[0] == list->parameters;
}

/* One number for all outputs of all examples, or one for each output of a tape that has several. */
static bool read_gradient(const WengertList *list, PyObject *const *arguments, PyObject *gradient, Read *read)
{
    if (gradient == Py_None || PyFloat_CheckExact(gradient)) {
        double seed = gradient == Py_None ? 1.0 / (double)read->examples : PyFloat_AS_DOUBLE(gradient);
        for (int32_t k = 0; k < list->outputs; k++) read->seeds[k] = seed;
        return true;
    }
    if (arguments[IS_SINGLE] == Py_True || !read_array(gradient, 1, &read->gradient)) return false;
    read->seeds = read->gradient.buf;
    return read->gradient.shape[0] == list->outputs;
}

/* ---- value_and_grad() */

enum { BATCH = BOUND, PARAMETERS, GRADIENT, FOR_INPUTS, ARGUMENTS };

static bool read_arguments(const Program *program, PyObject *const *arguments, Read *read)
{
    const WengertList *list = &program->list;
    if (!make_numbers(list, arguments[PARAMETERS] == Py_None ? list->parameters : 0, read)) return false;
    if (arguments[BATCH] == Py_None) {
        if (list->inputs > 0) return false;
        read->examples = 1;
    } else if (!read_batch(program, arguments[BATCH], read)) {
        return false;
    }
    if (arguments[PARAMETERS] == Py_None) {
        if (!gather_leaves(arguments[LEAVES], read->numbers, list->parameters)) return false;
    } else if (!read_parameters(list, arguments[PARAMETERS], read)) {
        return false;
    }
    return read_gradient(list, arguments, arguments[GRADIENT], read);
}

/* outputs, gradient and, where it is asked for, that of the inputs; NULL with an exception. */
static PyObject *replayed(Program *program, PyObject *const *arguments, const Read *read, bool for_inputs)
{
    const WengertList *list = &program->list;
    Array made[3] = {{.array = NULL}};
    PyObject *result = NULL;
    if (make_outputs(program, arguments, read->examples, &made[0]) == 0 && make_array(&made[1], list->parameters, -1) == 0 &&
        (!for_inputs || make_array(&made[2], read->examples, list->inputs) == 0)) {
        Job job = job_of(read);
        job.is_differentiated = true;
        job.outputs = made[0].memory.buf;
        job.gradient = made[1].memory.buf;
        job.input_gradients = for_inputs ? made[2].memory.buf : NULL;
        if (replay_of(program, arguments, &job) == 0)
            result = for_inputs ? PyTuple_Pack(3, made[0].array, made[1].array, made[2].array)
                                : PyTuple_Pack(2, made[0].array, made[1].array);
    }
    for (int i = 0; i < 3; i++) let_go(&made[i]);
    return result;
}

PyObject *value_and_grad(Program *program, PyObject *const *arguments, Py_ssize_t count)
{
    if (!has_count("value_and_grad", ARGUMENTS, count) || find_numpy() < 0) return NULL;
    int for_inputs = PyObject_IsTrue(arguments[FOR_INPUTS]); /* before memory is held: it may run anything, and raise */
    if (for_inputs < 0) return NULL;
    Read read = {.more = NULL};
    PyObject *result = read_arguments(program, arguments, &read) ? replayed(program, arguments, &read, for_inputs)
                                                                  : Py_NewRef(Py_None);
    release(&read);
    return result;
}

/* ---- forward(): what is replayed is fixed, as bytes, for a backward() that follows */

enum { FORWARD_ARGUMENTS = PARAMETERS + 1, MOST_BYTES = 1 << 22 };

/* Holds the bytes, of which it takes the reference. */
static bool hold(PyObject *bytes, Py_buffer *memory)
{
    bool is_held = bytes != NULL && PyObject_GetBuffer(bytes, memory, PyBUF_SIMPLE) == 0;
    Py_XDECREF(bytes);
    return is_held;
}

static bool fix_batch(const Program *program, PyObject *batch, Read *fixed)
{
    Read given = {.more = NULL};
    bool is_fixed = read_batch(program, batch, &given) && given.batch.len <= MOST_BYTES &&
                    hold(PyBytes_FromStringAndSize(given.batch.buf, given.batch.len), &fixed->batch);
    fixed->examples = given.examples;
    release(&given);
    return is_fixed;
}

static bool fix_parameters(const WengertList *list, PyObject *leaves, PyObject *parameters, Read *fixed)
{
    size_t size = (size_t)list->parameters * sizeof(double);
    if (!hold(PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size), &fixed->parameters)) return false;
    if (parameters == Py_None) return gather_leaves(leaves, fixed->parameters.buf, list->parameters);
    Read given = {.more = NULL};
    bool is_read = read_parameters(list, parameters, &given);
    if (is_read) memcpy(fixed->parameters.buf, given.parameters.buf, size);
    release(&given);
    return is_read;
}

/* outputs, (batch, its bytes, those of the parameters); NULL with an exception. */
static PyObject *swept_forward(Program *program, PyObject *const *arguments, const Read *fixed)
{
    Array outputs = {NULL};
    PyObject *result = NULL;
    if (make_outputs(program, arguments, fixed->examples, &outputs) == 0) {
        Job job = job_of(fixed);
        job.outputs = outputs.memory.buf;
        if (replay_of(program, arguments, &job) == 0)
            result = Py_BuildValue("O(OOO)", outputs.array, arguments[BATCH], fixed->batch.obj, fixed->parameters.obj);
    }
    let_go(&outputs);
    return result;
}

PyObject *forward_directly(Program *program, PyObject *const *arguments, Py_ssize_t count)
{
    if (!has_count("forward", FORWARD_ARGUMENTS, count) || find_numpy() < 0) return NULL;
    Read fixed = {.more = NULL};
    PyObject *result = NULL;
    if (fix_batch(program, arguments[BATCH], &fixed) &&
        fix_parameters(&program->list, arguments[LEAVES], arguments[PARAMETERS], &fixed))
        result = swept_forward(program, arguments, &fixed);
    else if (!PyErr_Occurred())
        result = Py_NewRef(Py_None);
    release(&fixed);
    return result;
}

/* ---- backward() */

enum { REPLAYED = BOUND, SEEDS, FOR_INPUTS_TOO, BACKWARD_ARGUMENTS };

/* Whether forward() has made it, and the batch has not changed since. */
static bool read_replayed(const Program *program, PyObject *replayed, Read *read)
{
    const WengertList *list = &program->list;
    if (!PyTuple_CheckExact(replayed) || PyTuple_GET_SIZE(replayed) != 3) return false;
    PyObject *batch = PyTuple_GET_ITEM(replayed, 1), *parameters = PyTuple_GET_ITEM(replayed, 2);
    if (!PyBytes_CheckExact(batch) || !PyBytes_CheckExact(parameters)) return false;
    Read now = {.more = NULL};
    bool is_same = read_batch(program, PyTuple_GET_ITEM(replayed, 0), &now) && now.batch.len == PyBytes_GET_SIZE(batch) &&
                   memcmp(now.batch.buf, PyBytes_AS_STRING(batch), (size_t)now.batch.len) == 0;
    read->examples = now.examples;
    release(&now);
    return is_same && PyBytes_GET_SIZE(parameters) == list->parameters * (Py_ssize_t)sizeof(double) &&
           hold(Py_NewRef(batch), &read->batch) && hold(Py_NewRef(parameters), &read->parameters);
}

/* The inputs' gradient, or None; NULL with an exception. */
static PyObject *swept_backward(Program *program, PyObject *const *arguments, Read *read, bool for_inputs)
{
    Array inputs = {NULL};
    PyObject *result = NULL;
    if (!for_inputs || make_array(&inputs, read->examples, program->list.inputs) == 0) {
        Job job = job_of(read);
        job.is_differentiated = true;
        job.gradient = read->numbers;
        job.input_gradients = inputs.memory.buf;
        if (replay_of(program, arguments, &job) == 0 &&
            add_to_gradients(arguments[LEAVES], read->numbers, program->list.parameters) == 0)
            result = Py_NewRef(for_inputs ? inputs.array : Py_None);
    }
    let_go(&inputs);
    return result;
}

PyObject *backward_directly(Program *program, PyObject *const *arguments, Py_ssize_t count)
{
    if (!has_count("backward", BACKWARD_ARGUMENTS, count) || find_numpy() < 0) return NULL;
    int for_inputs = PyObject_IsTrue(arguments[FOR_INPUTS_TOO]);
    if (for_inputs < 0) return NULL;
    Read read = {.more = NULL};
    PyObject *result = NULL;
    if (make_numbers(&program->list, program->list.parameters, &read) && read_replayed(program, arguments[REPLAYED], &read) &&
        read_gradient(&program->list, arguments, arguments[SEEDS], &read))
        result = swept_backward(program, arguments, &read, for_inputs);
    else if (!PyErr_Occurred())
        result = Py_NewRef(Py_NotImplemented);
    release(&read);
    return result;
}
