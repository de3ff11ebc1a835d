/* A graph, written down as a Wengert list: what tape/record.py's write_down() does, with the same result. */
#include "record.h"
#include "backward.h"
#include "graph.h"
#include "tables.h"
#include "wengert.h"


typedef struct {
    Order order;
    Table nodes; /* the place of a node among `keys` */
    PyObject **keys;
    int32_t *variables; /* of each key */
    int32_t key_count;
    Table instructions, constants;
    double *constant_numbers;
    int32_t *rows, *lengths, *operands;
    int64_t *starts;
    int32_t first, instruction_count, constant_count;
    int64_t operand_total;
} Writer;

/* Where the table has the number of the node, or has room for it. */
static int32_t *find_node(const Writer *writer, const PyObject *node)
{
    for (size_t place = mixed(0, (uintptr_t)node >> 4);; place++) {
        int32_t *number = &writer->nodes.numbers[place & writer->nodes.mask];
        if (*number < 0 || writer->keys[*number] == node) return number;
    }
}

static void set_variable(Writer *writer, PyObject *node, int32_t variable)
{
    writer->keys[writer->key_count] = node;
    writer->variables[writer->key_count] = variable;
    *find_node(writer, node) = writer->key_count++;
}

static int32_t variable_of(const Writer *writer, const PyObject *node) { return writer->variables[*find_node(writer, node)]; }

static int32_t constant_variable(Writer *writer, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    for (size_t place = mixed(1, bits);; place++) {
        int32_t *known = &writer->constants.numbers[place & writer->constants.mask];
        if (*known < 0) {
            *known = writer->constant_count++;
            writer->constant_numbers[*known] = number;
        }
        if (memcmp(&writer->constant_numbers[*known], &number, sizeof number) == 0) return -1 - *known;
    }
}

/* The number of the instruction that has been written last, or of the same one before. */
static int32_t *find_instruction(Writer *writer)
{
    int32_t last = writer->instruction_count;
    const int32_t *operands = writer->operands + writer->starts[last];
    size_t count = (size_t)(writer->starts[last + 1] - writer->starts[last]), hash = (size_t)writer->rows[last];
    for (size_t i = 0; i < count; i++) hash = mixed(hash, (uint32_t)operands[i]);
    for (size_t place = hash;; place++) {
        int32_t *known = &writer->instructions.numbers[place & writer->instructions.mask];
        if (*known < 0) return known;
        const int64_t *starts = writer->starts + *known;
        if (writer->rows[*known] == writer->rows[last] && (size_t)(starts[1] - starts[0]) == count &&
            memcmp(writer->operands + starts[0], operands, count * sizeof *operands) == 0)
            return known;
    }
}

typedef struct {
    const Slot *slots;
    Py_ssize_t count;
} Part;

enum { PARTS = 3 };

/* Where the operands are, one part after the other. */
static void find_parts(Node *node, Part parts[PARTS])
{
    if (!is_shared(node)) {
        parts[0] = (Part){node_slots(node), operand_count(node)};
        parts[1] = parts[2] = (Part){NULL, 0};
        return;
    }
    for (int i = 0; i < 2; i++) parts[i] = (Part){node->shared.sequences[i]->slots, node->shared.sequences[i]->count};
    parts[2] = (Part){&node->shared.scalar, 1};
}

static void write_instruction(Writer *writer, Node *node)
{
    const Row *row = &ROWS[node->row];
    Part parts[PARTS];
    Py_ssize_t count = operand_count(node);
    find_parts(node, parts);
    int32_t k = writer->instruction_count;
    int64_t start = writer->starts[k];
    writer->rows[k] = (int32_t)node->row;
    writer->lengths[k] = (int32_t)sequence_length(row, count);
    writer->starts[k + 1] = start + count;
    int32_t *operand = writer->operands + start;
    for (const Part *part = parts; part < parts + PARTS; part++)
        for (const Slot *slot = part->slots; slot < part->slots + part->count; slot++)
            *operand++ = slot->parent != NULL ? variable_of(writer, slot->parent) : constant_variable(writer, slot->number);
    int32_t *known = find_instruction(writer);
    if (*known < 0) *known = writer->instruction_count++;
    set_variable(writer, (PyObject *)node, writer->first + *known);
}

/* The error is common.py's. */
static void raise_uncomputable(Node *node)
{
    PyObject *common = PyImport_ImportModule("autograd.common"), *error = NULL;
    if (common != NULL)
        error = PyObject_CallMethod(common, "uncomputable", "Os", node, "so a tape cannot compute it again");
    if (error != NULL) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(common);
    Py_XDECREF(error);
}

/* Counts what is to be written, and makes room for it. Where nobody has looked for a `_backward` of their own, nodes that may
   have one are left to Python. */
static int make_room(Writer *writer, Py_ssize_t inputs, bool are_checked)
{
    Py_ssize_t nodes = writer->order.count, operands = 0, constants = 0;
    for (Py_ssize_t i = 0; i < nodes; i++) {
        Node *node = writer->order.nodes[i];
        Py_ssize_t count = operand_count(node);
        Part parts[PARTS];
        if (has_tail(node) && count > 0) {
            if (tail_operation(node) == Py_None) raise_uncomputable(node);
            return -1; /* without an error: Python writes this list */
        }
        if (!are_checked && (count > 0 ? may_override(node) : Py_TYPE(node) != Value_Type)) return -1;
        operands += count;
        find_parts(node, parts);
        for (const Part *part = parts; part < parts + PARTS; part++)
            for (Py_ssize_t k = 0; k < part->count; k++) constants += part->slots[k].parent == NULL;
    }
    if (inputs + nodes + constants > MOST || operands > MOST) {
        PyErr_SetString(PyExc_ValueError, "the graph is too large for a tape: 1,000,000,000 nodes or operands are the limit");
        return -1;
    }
    size_t keys = (size_t)(inputs + nodes) + 1;
    writer->keys = PyMem_RawMalloc(keys * sizeof *writer->keys);
    writer->variables = PyMem_RawMalloc(keys * sizeof *writer->variables);
    writer->constant_numbers = PyMem_RawMalloc(((size_t)constants + 1) * sizeof(double));
    writer->rows = PyMem_RawMalloc(keys * sizeof(int32_t));
    writer->lengths = PyMem_RawMalloc(keys * sizeof(int32_t));
    writer->starts = PyMem_RawCalloc(keys + 1, sizeof(int64_t));
    writer->operands = PyMem_RawMalloc(((size_t)operands + 1) * sizeof(int32_t));
    if (writer->keys && writer->variables && writer->constant_numbers && writer->rows && writer->lengths && writer->starts &&
        writer->operands && make_table(&writer->nodes, inputs + nodes) == 0 &&
        make_table(&writer->instructions, nodes) == 0 && make_table(&writer->constants, constants) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static int add_parameters(Writer *writer, PyObject *parameters)
{
    for (Py_ssize_t i = 0; i < writer->order.count; i++) {
        PyObject *node = (PyObject *)writer->order.nodes[i];
        if (operand_count((Node *)node) > 0 || *find_node(writer, node) >= 0) continue;
        set_variable(writer, node, writer->key_count);
        if (PyList_Append(parameters, node) < 0) return -1;
    }
    writer->first = writer->key_count;
    return 0;
}

static PyObject *written(const Writer *writer, PyObject *outputs, PyObject *parameters)
{
    Py_ssize_t instructions = writer->instruction_count, count = PyList_GET_SIZE(outputs);
    PyObject *variables = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int32_t));
    if (variables == NULL) return NULL;
    int32_t *numbers = (int32_t *)PyBytes_AS_STRING(variables);
    for (Py_ssize_t i = 0; i < count; i++) numbers[i] = variable_of(writer, PyList_GET_ITEM(outputs, i));
    return Py_BuildValue("Oy#y#y#y#N", parameters,
                         writer->constant_numbers, (Py_ssize_t)(writer->constant_count * sizeof(double)),
                         writer->rows, (Py_ssize_t)(instructions * sizeof(int32_t)),
                         writer->lengths, (Py_ssize_t)(instructions * sizeof(int32_t)),
                         writer->operands, (Py_ssize_t)(writer->starts[instructions] * sizeof(int32_t)), variables);
}

/* The parameters' list is empty yet. It is made before the graph is walked: a new list may run the garbage collector. */
static PyObject *write_down(Writer *writer, PyObject *outputs, PyObject *inputs, PyObject *parameters, bool are_checked)
{
    if (make_room(writer, PyList_GET_SIZE(inputs), are_checked) < 0) return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(inputs); i++) set_variable(writer, PyList_GET_ITEM(inputs, i), (int32_t)i);
    if (add_parameters(writer, parameters) < 0) return NULL;
    for (Py_ssize_t i = 0; i < writer->order.count; i++)
        if (operand_count(writer->order.nodes[i]) > 0) write_instruction(writer, writer->order.nodes[i]);
    return written(writer, outputs, parameters);
}

/* record(outputs, inputs, are_checked), lists of Values -> (parameters, constants, rows, lengths, operands, outputs): a list of
   Values and the arrays of a WengertList as bytes. None if there is a node whose operation is known to Python alone; or, unless
   they are checked, one that may have a `_backward` of its own. tape.py has checked that the inputs are leaves, each there once. */
PyObject *record(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *outputs, *inputs, *lists[2];
    int are_checked;
    if (!PyArg_ParseTuple(arguments, "O!O!p", &PyList_Type, &outputs, &PyList_Type, &inputs, &are_checked)) return NULL;
    lists[0] = outputs, lists[1] = inputs;
    for (int l = 0; l < 2; l++)
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(lists[l]); i++)
            if (!is_value(PyList_GET_ITEM(lists[l], i))) return PyErr_Format(PyExc_TypeError, "expected Values");
    Writer writer = {0};
    PyObject *parameters = PyList_New(0), *result = NULL;
    if (parameters == NULL) return NULL;
    const Graph graph = {.roots = ((PyListObject *)outputs)->ob_item, .root_count = PyList_GET_SIZE(outputs)};
    if (find_order(&graph, &writer.order, false) < 0) {
        Py_DECREF(parameters);
        return NULL;
    }
    result = write_down(&writer, outputs, inputs, parameters, are_checked);
    Py_DECREF(parameters);
    give_back_order(&writer.order);
    void *memory[] = {writer.nodes.numbers, writer.keys, writer.variables, writer.instructions.numbers,
                      writer.constants.numbers, writer.constant_numbers, writer.rows, writer.lengths, writer.operands,
                      writer.starts};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_RawFree(memory[i]);
    return result == NULL && !PyErr_Occurred() ? Py_NewRef(Py_None) : result;
}
