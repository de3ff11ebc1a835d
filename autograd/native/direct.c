/* A tape's value_and_grad(), where nothing that it is given needs to be converted: a graph of thirty nodes is replayed in a
   fraction of the time that Python takes to check arrays and to make them. */
#include "direct.h"
#include "node.h"
#include "replay.h"

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
static bool gather_plain(PyObject *leaves, double *numbers, Py_ssize_t count)
{
    if (!PyTuple_CheckExact(leaves) || PyTuple_GET_SIZE(leaves) != count) return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *leaf = PyTuple_GET_ITEM(leaves, i);
        if (!Py_IS_TYPE(leaf, Value_Type)) return false;
        numbers[i] = ((Node *)leaf)->data;
    }
    return true;
}

enum { LEAVES, IS_SINGLE, THREADS, BATCH, PARAMETERS, GRADIENT, FOR_INPUTS, ARGUMENTS };
enum { FEW = 64 };

/* What is read: its memory, and room for what is few. */
typedef struct {
    Py_buffer batch, parameters, gradient;
    double room[2 * FEW], *more;
    double *gathered, *seeds;
    Py_ssize_t examples;
    int threads;
} Read;

/* One number for all outputs of all examples, or one for each output of a tape that has several. */
static bool read_gradient(const WengertList *list, PyObject *const *arguments, Read *read)
{
    PyObject *gradient = arguments[GRADIENT];
    if (gradient == Py_None || PyFloat_CheckExact(gradient)) {
        double seed = gradient == Py_None ? 1.0 / (double)read->examples : PyFloat_AS_DOUBLE(gradient);
        for (int32_t k = 0; k < list->outputs; k++) read->seeds[k] = seed;
        return true;
    }
    if (arguments[IS_SINGLE] == Py_True || !read_array(gradient, 1, &read->gradient)) return false;
    read->seeds = read->gradient.buf;
    return read->gradient.shape[0] == list->outputs;
}

/* Returns false, without an exception, where Python must see to it. */
static bool read_arguments(const Program *program, PyObject *const *arguments, Read *read)
{
    const WengertList *list = &program->list;
    if (list->parameters <= FEW && list->outputs <= FEW) read->gathered = read->room;
    else read->gathered = read->more = PyMem_Malloc(((size_t)list->parameters + (size_t)list->outputs) * sizeof(double));
    if (read->gathered == NULL) return false;
    read->seeds = read->gathered + list->parameters;
    if (arguments[BATCH] == Py_None) {
        if (list->inputs > 0) return false;
        read->examples = 1;
    } else {
        if (!read_array(arguments[BATCH], 2, &read->batch)) return false;
        read->examples = read->batch.shape[0];
        if (read->batch.shape[1] != list->inputs || read->examples == 0) return false;
    }
    if (arguments[PARAMETERS] == Py_None) {
        if (!gather_plain(arguments[LEAVES], read->gathered, list->parameters)) return false;
    } else if (!read_array(arguments[PARAMETERS], 1, &read->parameters) || read->parameters.shape[0] != list->parameters) {
        return false;
    }
    read->threads = (int)PyLong_AsLong(arguments[THREADS]);
    return read_gradient(list, arguments, read);
}

static void release(Read *read)
{
    PyBuffer_Release(&read->batch);
    PyBuffer_Release(&read->parameters);
    PyBuffer_Release(&read->gradient);
    PyMem_Free(read->more);
}

/* outputs, gradient and, where it is asked for, that of the inputs; NULL with an exception. */
static PyObject *replayed(Program *program, const Read *read, bool is_single, bool for_inputs)
{
    const WengertList *list = &program->list;
    Array made[3] = {{.array = NULL}};
    PyObject *result = NULL;
    if (make_array(&made[0], read->examples, is_single ? -1 : list->outputs) == 0 &&
        make_array(&made[1], list->parameters, -1) == 0 &&
        (!for_inputs || make_array(&made[2], read->examples, list->inputs) == 0)) {
        Job job = {
            .examples = read->examples, .seeds = read->seeds,
            .batch = read->batch.buf != NULL ? read->batch.buf : read->room, /* of no inputs */
            .parameters = read->parameters.buf != NULL ? read->parameters.buf : read->gathered,
            .batch_array = &read->batch, .parameter_array = &read->parameters, .is_differentiated = true,
            .outputs = made[0].memory.buf, .gradient = made[1].memory.buf,
            .input_gradients = for_inputs ? made[2].memory.buf : NULL,
        };
        if (replay(program, &job, read->threads) == 0)
            result = for_inputs ? PyTuple_Pack(3, made[0].array, made[1].array, made[2].array)
                                : PyTuple_Pack(2, made[0].array, made[1].array);
    }
    for (int i = 0; i < 3; i++) let_go(&made[i]);
    return result;
}

PyObject *value_and_grad(Program *program, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != ARGUMENTS)
        return PyErr_Format(PyExc_TypeError, "value_and_grad: expected %d arguments, got %zd", ARGUMENTS, count);
    if (find_numpy() < 0) return NULL;
    int for_inputs = PyObject_IsTrue(arguments[FOR_INPUTS]); /* before memory is held: it may run anything, and raise */
    if (for_inputs < 0) return NULL;
    Read read = {.more = NULL};
    PyObject *result = read_arguments(program, arguments, &read)
                           ? replayed(program, &read, arguments[IS_SINGLE] == Py_True, for_inputs)
                           : Py_NewRef(Py_None);
    release(&read);
    return result;
}
