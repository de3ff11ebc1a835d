/* An attribute is made for Python when it is asked for: a node holds no tuple and no float object. */
#include "attributes.h"

#include "documentation.h"
#include "node.h"
#include "operands.h"
#include "operations.h"
#include "specification.h"

static PyObject *get_data(PyObject *self, void *Py_UNUSED(closure)) { return PyFloat_FromDouble(((Node *)self)->data); }

static PyObject *get_grad(PyObject *self, void *Py_UNUSED(closure)) { return PyFloat_FromDouble(((Node *)self)->grad); }

/* The error of Python's own properties where an attribute cannot be set, or with NULL, cannot be deleted. */
static int refuse_to_set(PyObject *self, PyObject *given, void *name)
{
    PyObject *kind = PyType_GetQualName(Py_TYPE(self));
    if (kind == NULL) return -1;
    PyErr_Format(PyExc_AttributeError, "property '%s' of '%U' object has no %s", (const char *)name, kind,
                 given != NULL ? "setter" : "deleter");
    Py_DECREF(kind);
    return -1;
}

static int set_number(PyObject *number, double *field)
{
    double converted;
    if (as_number(number, &converted) < 0) return -1;
    *field = converted;
    return 0;
}

static int set_data(PyObject *self, PyObject *number, void *name)
{
    if (number == NULL) return refuse_to_set(self, NULL, name);
    int status = set_number(number, &((Node *)self)->data);
    changes++;
    return status;
}

static int set_grad(PyObject *self, PyObject *number, void *name)
{
    return number != NULL ? set_number(number, &((Node *)self)->grad) : refuse_to_set(self, NULL, name);
}

static PyObject *get_label(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (is_far(node) && node->far.label != NULL) return Py_NewRef(node->far.label);
    return PyUnicode_FromString("");
}

static int set_label_attribute(PyObject *self, PyObject *label, void *name)
{
    return label != NULL ? node_set_label((Node *)self, label) : refuse_to_set(self, NULL, name);
}

static PyObject *get_op(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (has_tail(node)) return Py_NewRef(tail_symbol(node));
    return PyUnicode_FromString(node->row == LEAF ? "" : ROWS[node->row].symbol);
}

PyObject *get_operation(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (has_tail(node)) return Py_NewRef(tail_operation(node));
    return Py_NewRef(node->row == LEAF ? Py_None : PyTuple_GET_ITEM(specification.operations, node->row));
}

/* A new tuple or list may run the garbage collector, and so Python code that gives the node other operands: where they are
   is asked afterwards. */

static Py_ssize_t count_parents(Node *node)
{
    Py_ssize_t parents = 0;
    for (Py_ssize_t i = 0, count = operand_count(node); i < count; i++) parents += node_slots(node)[i].parent != NULL;
    return parents;
}

static PyObject *get_parents(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    PyObject *parents = NULL;
    if (node_expand(node) < 0) return NULL;
    do {
        Py_XSETREF(parents, PyTuple_New(count_parents(node)));
        if (parents == NULL) return NULL;
    } while (PyTuple_GET_SIZE(parents) != count_parents(node));
    const Slot *slot = node_slots(node);
    for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(parents); slot++)
        if (slot->parent != NULL) PyTuple_SET_ITEM(parents, j++, Py_NewRef(slot->parent));
    return parents;
}

PyObject *get_local_derivatives(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    PyObject *list = PyList_New(0);
    if (list != NULL && node_expand(node) < 0) Py_CLEAR(list);
    Py_ssize_t count = node->row >= CUSTOM ? 0 : operand_count(node); /* of CUSTOM none is known, a LEAF has none */
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        const Slot *slot = &node_slots(node)[i];
        if (slot->parent == NULL) continue;
        PyObject *number = PyFloat_FromDouble(slot->number);
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

PyObject *flat_operands(Node *node)
{
    PyObject *operands = NULL;
    if (node_expand(node) < 0) return NULL;
    do {
        Py_XSETREF(operands, PyTuple_New(operand_count(node)));
        if (operands == NULL) return NULL;
    } while (PyTuple_GET_SIZE(operands) != operand_count(node));
    for (Py_ssize_t i = 0, count = operand_count(node); operands != NULL && i < count; i++) {
        PyObject *operand = operand_object(&node_slots(node)[i]);
        if (operand == NULL) Py_CLEAR(operands);
        else PyTuple_SET_ITEM(operands, i, operand);
    }
    return operands;
}

/* How many operands the node's operation has, and how many of them are sequences. On an error, -1 with an exception. */
static int find_arity(Node *node, int *operands, int *sequences)
{
    if (node->row < GIVEN) {
        *operands = ROWS[node->row].operands;
        *sequences = ROWS[node->row].sequences;
        return 0;
    }
    PyObject *operation = Py_NewRef(tail_operation(node)); /* its attributes' code may take it off the node */
    PyObject *names = PyObject_GetAttrString(operation, "operands"), *leading = PyObject_GetAttrString(operation, "sequences");
    if (names != NULL && leading != NULL) {
        *operands = (int)PyObject_Size(names);
        *sequences = (int)PyLong_AsLong(leading);
    }
    Py_DECREF(operation);
    Py_XDECREF(names);
    Py_XDECREF(leading);
    return PyErr_Occurred() ? -1 : 0;
}

/* The first `sequences` n operands as tuples of n, and the others as they are. */
static PyObject *grouped(PyObject *flat, int operand_total, int sequences)
{
    Py_ssize_t n = (PyTuple_GET_SIZE(flat) - (operand_total - sequences)) / sequences, start = 0;
    PyObject *operands = PyTuple_New(operand_total);
    for (int i = 0; operands != NULL && i < operand_total; i++) {
        bool is_sequence = i < sequences;
        PyObject *operand = is_sequence ? PyTuple_GetSlice(flat, start, start + n) : Py_NewRef(PyTuple_GET_ITEM(flat, start));
        if (operand == NULL) Py_CLEAR(operands);
        else PyTuple_SET_ITEM(operands, i, operand);
        start += is_sequence ? n : 1;
    }
    return operands;
}

/* The operands as the operation got them: scalars, and a tuple for each sequence. */
static PyObject *get_operands(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    int operand_total = 0, sequences = 0;
    if (node->row == LEAF || (has_tail(node) && tail_operation(node) == Py_None)) return PyTuple_New(0);
    if (find_arity(node, &operand_total, &sequences) < 0) return NULL;
    PyObject *flat = flat_operands(node);
    if (flat == NULL || sequences == 0) return flat;
    PyObject *operands = PyTuple_GET_SIZE(flat) >= operand_total - sequences ? grouped(flat, operand_total, sequences) : NULL;
    Py_DECREF(flat);
    if (operands == NULL && !PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "the node was given other operands meanwhile");
    return operands;
}

/* Whoever only reads the dictionary does not make the garbage collector know the node; setting an attribute does. */
static PyObject *get_attributes(PyObject *self, void *Py_UNUSED(closure))
{
    node_make_special((Node *)self); /* whoever has the dictionary may put a `_backward` into it */
    return Py_XNewRef(node_attributes((Node *)self));
}

static int set_attributes(PyObject *self, PyObject *dictionary, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (dictionary != NULL && !PyDict_Check(dictionary)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(dictionary)->tp_name);
        return -1;
    }
    Far *far = node_far(node);
    if (far == NULL) return -1;
    node_make_special(node);
    Py_XSETREF(far->attributes, Py_XNewRef(dictionary));
    if (!node->tracks_results) node_track(node);
    return 0;
}

PyObject *value_read_attributes(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    Node *node = (Node *)self;
    if (Py_TYPE(self)->tp_dictoffset != 0) return PyObject_GenericGetDict(self, NULL);
    return is_far(node) && node->far.attributes != NULL ? Py_NewRef(node->far.attributes) : PyDict_New();
}

PyGetSetDef value_attributes[] = {
    {"data", get_data, set_data, DOC_data, "data"},
    {"_number", get_data, NULL, NULL, NULL}, /* also where a subclass has a `data` of its own */
    {"grad", get_grad, set_grad, DOC_grad, "grad"},
    {"label", get_label, set_label_attribute, DOC_label, "label"},
    {"op", get_op, refuse_to_set, DOC_op, "op"},
    {"operation", get_operation, refuse_to_set, DOC_operation, "operation"},
    {"operands", get_operands, refuse_to_set, DOC_operands, "operands"},
    {"parents", get_parents, refuse_to_set, DOC_parents, "parents"},
    {"local_derivatives", get_local_derivatives, refuse_to_set, DOC_local_derivatives, "local_derivatives"},
    {"__dict__", get_attributes, set_attributes, NULL, NULL},
    {.name = NULL},
};

/* ---- those that users set */

/* As for any object, a data descriptor of the class comes first, then the instance's own attributes, then the class's. Most
   subclasses' instances have a dictionary of the usual kind. Few instances of Value itself have one, so it is far. */
static bool has_own_dictionary(PyObject *self) { return Py_TYPE(self)->tp_dictoffset == 0; }

static bool is_data_descriptor(PyObject *self, PyObject *name)
{
    PyObject *attribute = _PyType_Lookup(Py_TYPE(self), name);
    return attribute != NULL && Py_TYPE(attribute)->tp_descr_set != NULL;
}

/* Whether setting the attribute may give the instance a `_backward` of its own. */
static bool may_name_backward(PyObject *name)
{
    return !PyUnicode_CheckExact(name) || PyUnicode_CompareWithASCIIString(name, "_backward") == 0 ||
           PyUnicode_CompareWithASCIIString(name, "__class__") == 0;
}

PyObject *value_getattro(PyObject *self, PyObject *name)
{
    Node *node = (Node *)self;
    bool has_attributes = has_own_dictionary(self) && is_far(node) && node->far.attributes != NULL;
    if (has_attributes && PyUnicode_Check(name) && !is_data_descriptor(self, name)) {
        PyObject *attributes = Py_NewRef(node->far.attributes); /* a name's own __hash__ or __eq__ may put another there */
        PyObject *attribute = Py_XNewRef(PyDict_GetItemWithError(attributes, name));
        Py_DECREF(attributes);
        if (attribute != NULL || PyErr_Occurred()) return attribute;
    }
    return PyObject_GenericGetAttr(self, name);
}

static bool is_class(PyObject *name) { return PyUnicode_CompareWithASCIIString(name, "__class__") == 0; }

/* The garbage collector is to know the node: CPython tells it of an object whose class's finaliser has kept it alive. */
static int set_class(PyObject *self, PyObject *name, PyObject *class)
{
    if (node_far((Node *)self) == NULL || PyObject_GenericSetAttr(self, name, class) < 0) return -1;
    ((Node *)self)->is_tracked = PyObject_GC_IsTracked(self) != 0;
    node_track((Node *)self);
    return 0;
}

/* Whether the attribute would be new, and has the name of another, misspelt. On an error, -1 with an exception. */
static int is_misspelt(PyObject *self, PyObject *name)
{
    if (!PyUnicode_CheckExact(name)) return 0;
    int is_known = PyDict_Contains(specification.misspellings, name);
    return is_known > 0 ? _PyType_Lookup(Py_TYPE(self), name) == NULL : is_known;
}

/* On an error, which the warning may be, -1 with an exception. */
static int check_spelling(PyObject *self, PyObject *name)
{
    int is_to_be_checked = is_misspelt(self, name);
    if (is_to_be_checked <= 0) return is_to_be_checked;
    PyObject *result = PyObject_CallFunctionObjArgs(specification.check_spelling, (PyObject *)Py_TYPE(self), name, NULL);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int value_setattro(PyObject *self, PyObject *name, PyObject *attribute)
{
    if (!PyUnicode_Check(name)) return PyObject_GenericSetAttr(self, name, attribute); /* which raises */
    if (may_name_backward(name)) node_make_special((Node *)self);
    if (is_class(name)) return set_class(self, name, attribute);
    if (is_data_descriptor(self, name)) return PyObject_GenericSetAttr(self, name, attribute);
    if (attribute != NULL && check_spelling(self, name) < 0) return -1;
    if (!has_own_dictionary(self)) return PyObject_GenericSetAttr(self, name, attribute);
    PyObject *attributes = Py_XNewRef(node_attributes((Node *)self)); /* as above */
    if (attributes == NULL) return -1;
    if (attribute != NULL && !((Node *)self)->tracks_results) node_track((Node *)self);
    int status = attribute != NULL ? PyDict_SetItem(attributes, name, attribute) : PyDict_DelItem(attributes, name);
    Py_DECREF(attributes);
    if (attribute == NULL && status < 0 && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(self)->tp_name, name);
    return status;
}
