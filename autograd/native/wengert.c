/* A Wengert list, read from Python's arrays, and what its variables depend on: what tape/wengert.py's find_dependences()
   does, with the same result and the same errors. All that is used as an index later is checked here. */
#include "wengert.h"


static const int32_t *rows_of(const WengertArrays *arrays) { return arrays->rows.buf; }
static const int32_t *lengths_of(const WengertArrays *arrays) { return arrays->lengths.buf; }
static const int32_t *operands_in(const WengertArrays *arrays) { return arrays->all_operands.buf; }

/* How many operands an instruction has whose sequences are of this length. */
static int64_t count_operands(int32_t row, int32_t length)
{
    return (int64_t)ROWS[row].sequences * length + ROWS[row].operands - ROWS[row].sequences;
}

/* ---- Checked */

static int refuse(const char *what, Py_ssize_t instruction)
{
    if (instruction < 0) PyErr_Format(PyExc_ValueError, "the Wengert list is damaged: %s", what);
    else PyErr_Format(PyExc_ValueError, "the Wengert list is damaged: instruction %zd %s", instruction, what);
    return -1;
}

static bool is_aligned(const Py_buffer *buffer, size_t size) { return (uintptr_t)buffer->buf % size == 0; }

static int check_arrays(const WengertArrays *arrays)
{
    const Py_ssize_t counts[] = {arrays->inputs, arrays->parameters, arrays->constants, arrays->instructions};
    Py_ssize_t sum = 0;
    bool fits = arrays->operands <= MOST && arrays->outputs <= MOST && arrays->lengths.len == arrays->rows.len &&
                is_aligned(&arrays->constant_numbers, _Alignof(double)) && is_aligned(&arrays->rows, _Alignof(int32_t)) &&
                is_aligned(&arrays->lengths, _Alignof(int32_t)) && is_aligned(&arrays->all_operands, _Alignof(int32_t)) &&
                is_aligned(&arrays->output_variables, _Alignof(int32_t));
    for (int i = 0; fits && i < 4; i++) {
        fits = counts[i] >= 0 && counts[i] <= MOST - sum;
        sum += counts[i];
    }
    return fits ? 0 : refuse("its arrays do not fit each other", -1);
}

ALWAYS_INLINE bool all_stand_before(const int32_t *variables, Py_ssize_t count, Py_ssize_t constants, Py_ssize_t end)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (variables[i] < -constants || variables[i] >= end) return false;
    return true;
}

/* How many operands the instruction k has, which stand from `start` on. On an error, -1 with an exception. */
ALWAYS_INLINE Py_ssize_t checked_count(const WengertArrays *arrays, Py_ssize_t k, Py_ssize_t start)
{
    int32_t row = rows_of(arrays)[k], length = lengths_of(arrays)[k];
    if (row < 0 || row >= ROW_COUNT || length < 0) return refuse("has no operation of the table", k);
    if (ROWS[row].sequences == 0 && length != 1) return refuse("has a length, but no sequence", k);
    int64_t count = count_operands(row, length); /* more than a Py_ssize_t may hold */
    Py_ssize_t result = arrays->inputs + arrays->parameters + k;
    if (count > arrays->operands - start || !all_stand_before(operands_in(arrays) + start, (Py_ssize_t)count, arrays->constants, result))
        return refuse("has an operand that does not stand before it", k);
    return (Py_ssize_t)count;
}

/* What is left when all instructions have been checked, whose operands end here. */
static int check_rest(const WengertArrays *arrays, Py_ssize_t end)
{
    if (end == arrays->operands && all_stand_before(arrays->output_variables.buf, arrays->outputs, arrays->constants,
                                                    variables_of(arrays)))
        return 0;
    return refuse("it has operands of no instruction, or an output that is not computed", -1);
}

int read_arrays(PyObject *parts, WengertArrays *arrays)
{
    if (!PyArg_ParseTuple(parts, "nny*y*y*y*y*", &arrays->inputs, &arrays->parameters, &arrays->constant_numbers,
                          &arrays->rows, &arrays->lengths, &arrays->all_operands, &arrays->output_variables))
        return -1;
    arrays->constants = arrays->constant_numbers.len / (Py_ssize_t)sizeof(double);
    arrays->instructions = arrays->rows.len / (Py_ssize_t)sizeof(int32_t);
    arrays->operands = arrays->all_operands.len / (Py_ssize_t)sizeof(int32_t);
    arrays->outputs = arrays->output_variables.len / (Py_ssize_t)sizeof(int32_t);
    if (check_arrays(arrays) == 0) return 0;
    release_arrays(arrays);
    return -1;
}

void release_arrays(WengertArrays *arrays)
{
    Py_buffer *all[] = {&arrays->constant_numbers, &arrays->rows, &arrays->lengths, &arrays->all_operands,
                        &arrays->output_variables};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) PyBuffer_Release(all[i]);
}

/* ---- What its variables depend on */

static int find_dependences(const WengertArrays *arrays, uint8_t *found)
{
    memset(found, ON_INPUTS, (size_t)arrays->inputs);
    memset(found + arrays->inputs, ON_PARAMETERS, (size_t)arrays->parameters);
    uint8_t *result = found + arrays->inputs + arrays->parameters;
    Py_ssize_t start = 0;
    for (Py_ssize_t k = 0; k < arrays->instructions; k++) {
        Py_ssize_t count = checked_count(arrays, k, start);
        if (count < 0) return -1;
        uint8_t depends = 0;
        for (const int32_t *operand = operands_in(arrays) + start; operand < operands_in(arrays) + start + count; operand++)
            if (*operand >= 0) depends |= found[*operand];
        *result++ = depends;
        start += count;
    }
    return check_rest(arrays, start);
}

/* dependences(inputs, parameters, constants, rows, lengths, operands, outputs) -> bytes, one for each variable. */
PyObject *dependences(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    WengertArrays arrays;
    if (read_arrays(arguments, &arrays) < 0) return NULL;
    PyObject *found = PyBytes_FromStringAndSize(NULL, variables_of(&arrays));
    if (found != NULL && find_dependences(&arrays, (uint8_t *)PyBytes_AS_STRING(found)) < 0) Py_CLEAR(found);
    release_arrays(&arrays);
    return found;
}

/* ---- Copied */

/* With room for some bytes behind. */
static void *copied(const Py_buffer *buffer, size_t room)
{
    void *copy = PyMem_Malloc((size_t)buffer->len + room + 1);
    return copy == NULL ? NULL : memcpy(copy, buffer->buf, (size_t)buffer->len);
}

/* Those of arrays that find_dependences() has checked. */
static void copy_instructions(const WengertArrays *arrays, WengertList *list)
{
    const int32_t *operands = list->operands;
    for (int32_t k = 0; k < list->count; k++) {
        int32_t row = rows_of(arrays)[k], count = (int32_t)count_operands(row, lengths_of(arrays)[k]);
        list->instructions[k] = (Instruction){.row = row, .count = count, .many = operands};
        if (count <= 2) memcpy(list->instructions[k].few, operands, (size_t)count * sizeof(int32_t));
        if (2 * count > list->scratch) list->scratch = 2 * count;
        operands += count;
    }
}

int copy_list(const WengertArrays *arrays, WengertList *list)
{
    const double added[ADDED] = {[NOTHING] = -0.0, [ZERO] = 0.0, [ONE] = 1.0};
    *list = (WengertList){
        .inputs = (int32_t)arrays->inputs, .parameters = (int32_t)arrays->parameters,
        .constants = (int32_t)arrays->constants + ADDED, .count = (int32_t)arrays->instructions,
        .outputs = (int32_t)arrays->outputs, .variables = (int32_t)variables_of(arrays),
        .constant_numbers = copied(&arrays->constant_numbers, sizeof added),
        .operands = copied(&arrays->all_operands, 0),
        .output_variables = copied(&arrays->output_variables, 0),
        .instructions = PyMem_Malloc((size_t)arrays->instructions * sizeof(Instruction) + 1),
        .memory_of_dependences = PyMem_Calloc((size_t)(arrays->constants + ADDED + variables_of(arrays)) + 1, 1),
    };
    if (!list->constant_numbers || !list->operands || !list->output_variables || !list->instructions ||
        !list->memory_of_dependences) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(list->constant_numbers + arrays->constants, added, sizeof added);
    list->dependences = list->memory_of_dependences + list->constants;
    if (find_dependences(arrays, list->dependences) < 0) return -1;
    copy_instructions(arrays, list);
    return 0;
}

void free_list(WengertList *list)
{
    void *memory[] = {list->constant_numbers, list->operands, list->output_variables, list->instructions,
                      list->memory_of_dependences};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_Free(memory[i]);
}
