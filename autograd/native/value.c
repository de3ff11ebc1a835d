/* The type Value: its attributes, operators and comparisons. What is rare it has from value.py's class. */
#include "native.h"

#include "documentation.h"

/* ---- making one */

static PyObject *value_new(PyTypeObject *type, PyObject *Py_UNUSED(arguments), PyObject *Py_UNUSED(keywords))
{
    if (type == Value_Type) return (PyObject *)node_new(LEAF, 0);
    PyObject *nothing = PyTuple_New(0);
    if (nothing == NULL) return NULL;
    Node *node = (Node *)PyBaseObject_Type.tp_new(type, nothing, NULL); /* it refuses abstract classes */
    Py_DECREF(nothing);
    if (node != NULL) {
        node->row = LEAF;
        node->is_tracked = 1; /* its allocation has told the collector */
    }
    return (PyObject *)node;
}

/* The operands of a node that was not computed by the table, and behind them its symbol. */
static int set_custom_operands(Node *node, PyObject *children, PyObject *symbol)
{
    PyObject *parents = PySequence_Tuple(children);
    if (parents == NULL) return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(parents);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (is_value(PyTuple_GET_ITEM(parents, i))) continue;
        PyErr_Format(PyExc_TypeError, "expected Values as _children, got %R; a label is given as label=",
                     PyTuple_GET_ITEM(parents, i));
        Py_DECREF(parents);
        return -1;
    }
    Far *far = node_far(node);
    Slot *slots = far != NULL ? PyMem_Calloc((size_t)count + 1, sizeof(Slot)) : NULL;
    if (slots == NULL) {
        Py_DECREF(parents);
        if (far != NULL) PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) slots[i].parent = Py_NewRef(PyTuple_GET_ITEM(parents, i));
    slots[count].parent = Py_NewRef(symbol);
    Py_DECREF(parents);
    far->slots = slots;
    far->count = count + 1;
    node->row = CUSTOM;
    return 0;
}

static int set_label(Node *node, PyObject *label)
{
    Far *far = node_far(node);
    if (far == NULL) return -1;
    Py_XSETREF(far->label, Py_NewRef(label));
    return 0;
}

static int value_init(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"data", "_children", "_op", "label", NULL};
    PyObject *data, *children = NULL, *symbol = NULL, *label = NULL;
    Node *node = (Node *)self;
    double number;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|OUO:Value", names, &data, &children, &symbol, &label))
        return -1;
    if (as_number(data, &number) < 0) return -1;
    if (node->row != LEAF) {
        PyErr_SetString(PyExc_TypeError, "Value.__init__: this Value was computed; make a new one");
        return -1;
    }
    int has_children = children != NULL ? PyObject_IsTrue(children) : 0;
    if (has_children < 0) return -1;
    if (has_children || (symbol != NULL && PyUnicode_GET_LENGTH(symbol) > 0)) {
        PyObject *none = PyTuple_New(0), *empty = PyUnicode_FromString("");
        int status = none == NULL || empty == NULL
                         ? -1
                         : set_custom_operands(node, children != NULL ? children : none, symbol != NULL ? symbol : empty);
        Py_XDECREF(none);
        Py_XDECREF(empty);
        if (status < 0) return -1;
    }
    if (label != NULL && set_label(node, label) < 0) return -1;
    if (label == NULL && is_far(node)) Py_CLEAR(node->far.label);
    node->data = number;
    node->grad = 0.0;
    changes++;
    return 0;
}

/* Value(2.0), which is what most are made by; anything else goes the usual way. */
PyObject *value_call(PyObject *type, PyObject *const *arguments, size_t flagged_count, PyObject *names)
{
    Py_ssize_t given = PyVectorcall_NARGS(flagged_count);
    if (given == 1 && names == NULL) {
        double number;
        if (as_number(arguments[0], &number) < 0) return NULL;
        Node *leaf = node_new(LEAF, 0);
        if (leaf != NULL) leaf->data = number;
        return (PyObject *)leaf;
    }
    PyObject *operands = PyTuple_New(given), *keywords = keywords_dictionary(arguments + given, names), *value = NULL;
    for (Py_ssize_t i = 0; operands != NULL && i < given; i++) PyTuple_SET_ITEM(operands, i, Py_NewRef(arguments[i]));
    if (operands != NULL && keywords != NULL) value = value_new((PyTypeObject *)type, operands, keywords);
    if (value != NULL && value_init(value, operands, keywords) < 0) Py_CLEAR(value);
    Py_XDECREF(operands);
    Py_XDECREF(keywords);
    return value;
}

/* ---- attributes */

static PyObject *get_data(PyObject *self, void *Py_UNUSED(closure)) { return PyFloat_FromDouble(((Node *)self)->data); }

static PyObject *get_grad(PyObject *self, void *Py_UNUSED(closure)) { return PyFloat_FromDouble(((Node *)self)->grad); }

static int set_number(PyObject *number, double *field)
{
    double converted;
    if (number == NULL) {
        PyErr_SetString(PyExc_AttributeError, "a Value's data and grad cannot be deleted");
        return -1;
    }
    if (as_number(number, &converted) < 0) return -1;
    *field = converted;
    return 0;
}

static int set_data(PyObject *self, PyObject *number, void *Py_UNUSED(closure))
{
    int status = set_number(number, &((Node *)self)->data);
    changes++;
    return status;
}

static int set_grad(PyObject *self, PyObject *number, void *Py_UNUSED(closure))
{
    return set_number(number, &((Node *)self)->grad);
}

static PyObject *get_label(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (is_far(node) && node->far.label != NULL) return Py_NewRef(node->far.label);
    return PyUnicode_FromString("");
}

static int set_label_attribute(PyObject *self, PyObject *label, void *Py_UNUSED(closure))
{
    if (label != NULL) return set_label((Node *)self, label);
    PyErr_SetString(PyExc_AttributeError, "a Value's label cannot be deleted");
    return -1;
}

static PyObject *get_op(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (node->row == LEAF) return PyUnicode_FromString("");
    if (node->row == CUSTOM) return Py_NewRef(node->far.slots[node->far.count - 1].parent);
    return PyUnicode_FromString(ROWS[node->row].symbol);
}

static PyObject *get_operation(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (node->row >= CUSTOM) Py_RETURN_NONE;
    return Py_NewRef(PyTuple_GET_ITEM(specification.operations, node->row));
}

static PyObject *get_parents(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (node_expand(node) < 0) return NULL;
    Slot *slots = node_slots(node);
    Py_ssize_t count = node_count(node) - (node->row == CUSTOM), length = 0;
    for (Py_ssize_t i = 0; i < count; i++) length += slots[i].parent != NULL;
    PyObject *parents = PyTuple_New(length);
    if (parents == NULL) return NULL;
    for (Py_ssize_t i = 0, j = 0; i < count; i++)
        if (slots[i].parent != NULL) PyTuple_SET_ITEM(parents, j++, Py_NewRef(slots[i].parent));
    return parents;
}

static PyObject *get_local_derivatives(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (node_expand(node) < 0) return NULL;
    if (node->row >= CUSTOM) return PyTuple_New(0);
    Slot *slots = node_slots(node);
    Py_ssize_t count = node_count(node);
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        if (slots[i].parent == NULL) continue;
        PyObject *number = PyFloat_FromDouble(slots[i].number);
        if (number == NULL || PyList_Append(list, number) < 0) Py_CLEAR(list);
        Py_XDECREF(number);
    }
    PyObject *derivatives = list != NULL ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return derivatives;
}

static PyObject *operand_object(const Slot *slot)
{
    return slot->parent != NULL ? Py_NewRef(slot->parent) : PyFloat_FromDouble(slot->number);
}

static PyObject *operand_objects(const Slot *slots, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyObject *operand = operand_object(&slots[i]);
        if (operand == NULL) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, i, operand);
    }
    return tuple;
}

/* The operands as the operation got them: scalars, and a tuple for each sequence. */
static PyObject *get_operands(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (node_expand(node) < 0) return NULL;
    if (node->row >= CUSTOM) return PyTuple_New(0);
    const Row *operation = &ROWS[node->row];
    if (operation->sequences == 0) return operand_objects(node_slots(node), node_count(node));
    Py_ssize_t n = (node_count(node) - (operation->operands - operation->sequences)) / operation->sequences;
    Slot *slots = node_slots(node);
    PyObject *operands = PyTuple_New(operation->operands);
    for (int i = 0; operands != NULL && i < operation->operands; i++) {
        bool is_sequence = i < operation->sequences;
        PyObject *operand = is_sequence ? operand_objects(slots, n) : operand_object(slots);
        if (operand == NULL) Py_CLEAR(operands);
        else PyTuple_SET_ITEM(operands, i, operand);
        slots += is_sequence ? n : 1;
    }
    return operands;
}

static PyObject *get_attributes(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_XNewRef(node_attributes((Node *)self));
}

/* As for any object: a data descriptor of the class, then the instance's own attributes, then the class's. Most subclasses'
   instances have a dictionary of the usual kind; that of Value itself is kept apart, since few Values have one. */
static bool has_own_dictionary(PyObject *self) { return Py_TYPE(self)->tp_dictoffset == 0; }

static bool is_data_descriptor(PyObject *self, PyObject *name)
{
    PyObject *attribute = _PyType_Lookup(Py_TYPE(self), name);
    return attribute != NULL && Py_TYPE(attribute)->tp_descr_set != NULL;
}

static PyObject *value_getattro(PyObject *self, PyObject *name)
{
    Node *node = (Node *)self;
    if (has_own_dictionary(self) && is_far(node) && node->far.attributes != NULL && !is_data_descriptor(self, name)) {
        PyObject *attribute = PyDict_GetItemWithError(node->far.attributes, name);
        if (attribute != NULL) return Py_NewRef(attribute);
        if (PyErr_Occurred()) return NULL;
    }
    return PyObject_GenericGetAttr(self, name);
}

static int value_setattro(PyObject *self, PyObject *name, PyObject *attribute)
{
    if (!has_own_dictionary(self) || is_data_descriptor(self, name)) return PyObject_GenericSetAttr(self, name, attribute);
    PyObject *attributes = node_attributes((Node *)self);
    if (attributes == NULL) return -1;
    if (attribute != NULL) return PyDict_SetItem(attributes, name, attribute);
    int status = PyDict_DelItem(attributes, name);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(self)->tp_name, name);
    return status;
}

/* ---- operators: rows of the table, found by name when the module is made */

static struct {
    const char *name;
    int row;
} operators[] = {{"add", 0}, {"subtract", 0}, {"multiply", 0}, {"divide", 0}, {"power", 0}, {"negative", 0}, {"abs", 0}};

enum { ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, NEGATIVE, ABS };

int find_operators(void)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        int row = 0;
        while (row < ROW_COUNT && strcmp(ROWS[row].name, operators[i].name) != 0) row++;
        if (row == ROW_COUNT) {
            PyErr_Format(PyExc_ImportError, "the table has no operation %s", operators[i].name);
            return -1;
        }
        operators[i].row = row;
    }
    return 0;
}

/* NotImplemented for an operand that is no real number, whereupon Python asks that operand's class. */
static PyObject *infix(int which, PyObject *left, PyObject *right)
{
    PyObject *parents[2];
    double numbers[2];
    if (as_operand(left, &parents[0], &numbers[0]) < 0 || as_operand(right, &parents[1], &numbers[1]) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (parents[0] != NULL) numbers[0] = ((Node *)parents[0])->data; /* the other's __float__ may have set it */
    return ROWS[operators[which].row].apply(parents, numbers);
}

static PyObject *prefix(int which, PyObject *self)
{
    return ROWS[operators[which].row].apply(&self, &((Node *)self)->data);
}

static PyObject *value_add(PyObject *left, PyObject *right) { return infix(ADD, left, right); }
static PyObject *value_subtract(PyObject *left, PyObject *right) { return infix(SUBTRACT, left, right); }
static PyObject *value_multiply(PyObject *left, PyObject *right) { return infix(MULTIPLY, left, right); }
static PyObject *value_divide(PyObject *left, PyObject *right) { return infix(DIVIDE, left, right); }
static PyObject *value_negative(PyObject *self) { return prefix(NEGATIVE, self); }
static PyObject *value_absolute(PyObject *self) { return prefix(ABS, self); }
static PyObject *value_positive(PyObject *self) { return Py_NewRef(self); }

static PyObject *value_power(PyObject *left, PyObject *right, PyObject *modulus)
{
    if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
    return infix(POWER, left, right);
}

PyObject *guard_function = NULL;

PyObject *guard(PyObject *Py_UNUSED(module), PyObject *check)
{
    PyObject *before = guard_function;
    guard_function = check == Py_None ? NULL : Py_NewRef(check);
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

int ask_guard(PyObject *value, const char *what)
{
    PyObject *check = Py_NewRef(guard_function), *passed = PyObject_CallFunction(check, "Os", value, what);
    Py_DECREF(check);
    Py_XDECREF(passed);
    return passed == NULL ? -1 : 0;
}

static int value_bool(PyObject *self) { return check_guard(self, "bool()") < 0 ? -1 : ((Node *)self)->data != 0; }

static PyObject *value_float(PyObject *self)
{
    return check_guard(self, "float()") < 0 ? NULL : PyFloat_FromDouble(((Node *)self)->data);
}

static PyObject *value_compare(PyObject *self, PyObject *other, int comparison)
{
    if (comparison == Py_EQ || comparison == Py_NE) { /* identity, as for any object */
        const PyNumberMethods *number = Py_TYPE(other)->tp_as_number; /* of a number, or of many */
        bool is_number = !is_value(other) && number != NULL && (number->nb_float != NULL || number->nb_index != NULL);
        if (is_number && check_guard(self, "a comparison") < 0) return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    double number, data = ((Node *)self)->data;
    if (check_guard(self, "a comparison") < 0 || check_guard(other, "a comparison") < 0) return NULL;
    if (as_number(other, &number) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_RETURN_RICHCOMPARE(data, number, comparison);
}

static Py_hash_t value_hash(PyObject *self) { return PyBaseObject_Type.tp_hash(self); }

/* ---- methods */

static PyObject *value_backward(PyObject *self, PyObject *const *arguments, Py_ssize_t given, PyObject *names)
{
    Py_ssize_t named = names != NULL ? PyTuple_GET_SIZE(names) : 0;
    double seed = 1.0;
    if (given + named > 1 || (named == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "gradient") != 0)) {
        PyErr_SetString(PyExc_TypeError, "expected backward(gradient=1.0)");
        return NULL;
    }
    if (given + named == 1 && as_number(arguments[0], &seed) < 0) return NULL;
    return backward((Node *)self, seed);
}

static PyObject *value_push_to_parents(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    push_to_parents((Node *)self);
    Py_RETURN_NONE;
}

/* Of the graph of this Value and of others, the arguments. */
static PyObject *value_topological_order(PyObject *self, PyObject *const *others, Py_ssize_t count)
{
    PyObject **roots = PyMem_Malloc((size_t)(count + 1) * sizeof(PyObject *)), *order = NULL;
    if (roots == NULL) return PyErr_NoMemory();
    roots[0] = self;
    Py_ssize_t i = 0;
    for (; i < count && is_value(others[i]); i++) roots[i + 1] = others[i];
    if (i == count) order = topological_order(roots, count + 1);
    else PyErr_Format(PyExc_TypeError, "expected Values, got %R among them", others[i]);
    PyMem_Free(roots);
    return order;
}

/* Of a leaf: what __reduce_ex__ in value.py has kept. */
static PyObject *value_setstate(PyObject *self, PyObject *state)
{
    Node *node = (Node *)self;
    double data, grad;
    PyObject *label, *attributes;
    if (!PyTuple_Check(state)) {
        PyErr_Format(PyExc_TypeError, "cannot unpack non-iterable %.100s object", Py_TYPE(state)->tp_name);
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "ddOO!:__setstate__", &data, &grad, &label, &PyDict_Type, &attributes)) return NULL;
    PyObject *name, *attribute;
    for (Py_ssize_t position = 0; PyDict_Next(attributes, &position, &name, &attribute);)
        if (PyObject_SetAttr(self, name, attribute) < 0) return NULL;
    bool is_empty = PyUnicode_Check(label) && PyUnicode_GET_LENGTH(label) == 0;
    if (!is_empty && set_label(node, label) < 0) return NULL;
    node->data = data;
    node->grad = grad;
    changes++;
    Py_RETURN_NONE;
}

static PyMethodDef value_methods[] = {
    {"backward", (PyCFunction)(void (*)(void))value_backward, METH_FASTCALL | METH_KEYWORDS,
     "backward($self, gradient=1.0)\n--\n\n" DOC_backward},
    {"_backward", value_push_to_parents, METH_NOARGS, NULL},
    {"__setstate__", value_setstate, METH_O, NULL},
    {"_topological_order", (PyCFunction)(void (*)(void))value_topological_order, METH_FASTCALL,
     "What graph.py's topological_order() returns, of this Value and of others."},
    {NULL},
};

static PyGetSetDef value_attributes[] = {
    {"data", get_data, set_data, DOC_data, NULL},
    {"grad", get_grad, set_grad, DOC_grad, NULL},
    {"label", get_label, set_label_attribute, DOC_label, NULL},
    {"op", get_op, NULL, DOC_op, NULL},
    {"operation", get_operation, NULL, DOC_operation, NULL},
    {"operands", get_operands, NULL, DOC_operands, NULL},
    {"parents", get_parents, NULL, DOC_parents, NULL},
    {"local_derivatives", get_local_derivatives, NULL, DOC_local_derivatives, NULL},
    {"__dict__", get_attributes, NULL, NULL, NULL},
    {NULL},
};

static PyMemberDef value_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weak_references), READONLY, NULL},
    {NULL},
};

static PyType_Slot value_slots[] = {
    {Py_tp_doc, "Value(data, _children=(), _op='', label='')\n--\n\n" DOC_class},
    {Py_tp_new, value_new},
    {Py_tp_init, value_init},
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse},
    {Py_tp_clear, node_clear},
    {Py_tp_getattro, value_getattro},
    {Py_tp_setattro, value_setattro},
    {Py_tp_getset, value_attributes},
    {Py_tp_members, value_members},
    {Py_tp_methods, value_methods},
    {Py_tp_richcompare, value_compare},
    {Py_tp_hash, value_hash},
    {Py_nb_add, value_add},
    {Py_nb_subtract, value_subtract},
    {Py_nb_multiply, value_multiply},
    {Py_nb_true_divide, value_divide},
    {Py_nb_power, value_power},
    {Py_nb_negative, value_negative},
    {Py_nb_absolute, value_absolute},
    {Py_nb_positive, value_positive},
    {Py_nb_bool, value_bool},
    {Py_nb_float, value_float},
    {0, NULL},
};

PyType_Spec value_spec = {
    .name = "autograd.Value",
    .basicsize = sizeof(Node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = value_slots,
};
