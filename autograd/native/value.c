/* How a Value is made, its operators, its comparisons and its methods. What is rare it has from Python. */
#include "value.h"

#include <structmember.h>

#include "apply.h"
#include "attributes.h"
#include "backward.h"
#include "by_hand.h"
#include "documentation.h"
#include "graph.h"
#include "node.h"
#include "operands.h"
#include "recording.h"
#include "specification.h"

/* ---- making one */

/* What subclasses.py's is_checked() says. On an error, -1 with an exception. */
static int is_checked(PyTypeObject *type)
{
    static PyObject *hash;
    if (hash == NULL && (hash = PyUnicode_InternFromString("__hash__")) == NULL) return -1;
    PyObject *checked = PyDict_GetItemWithError(type->tp_dict, specification.checked);
    return checked == NULL && PyErr_Occurred() ? -1 : checked != NULL && checked == _PyType_Lookup(type, hash);
}

static int check_subclass(PyTypeObject *type)
{
    int checked = is_checked(type);
    if (checked != 0) return checked < 0 ? -1 : 0;
    PyObject *result = PyObject_CallOneArg(specification.check_subclass, (PyObject *)type);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static PyObject *value_new(PyTypeObject *type, PyObject *Py_UNUSED(arguments), PyObject *Py_UNUSED(keywords))
{
    if (type == Value_Type) {
        Node *leaf = node_leaf();
        if (leaf != NULL) leaf->data = 0.0;
        return (PyObject *)leaf;
    }
    if (check_subclass(type) < 0) return NULL;
    PyObject *nothing = PyTuple_New(0);
    if (nothing == NULL) return NULL;
    Node *node = (Node *)PyBaseObject_Type.tp_new(type, nothing, NULL); /* it refuses abstract classes */
    Py_DECREF(nothing);
    if (node != NULL) {
        node->data = 0.0;
        node_begin(node, LEAF, 0, false);
        node_make_special(node); /* the class may have a `_backward` of its own */
        node->is_tracked = 1; /* its allocation has told the collector */
    }
    return (PyObject *)node;
}

/* What operands.py's by_hand() makes of the second and third argument, (parents, symbol, local derivatives). */
static PyObject *read_by_hand(PyObject *children, PyObject *third)
{
    PyObject *nothing = PyTuple_New(0), *parts = NULL;
    if (nothing != NULL)
        parts = PyObject_CallFunctionObjArgs(specification.by_hand, children != NULL ? children : nothing,
                                             third != NULL ? third : nothing, (PyObject *)Value_Type, NULL);
    Py_XDECREF(nothing);
    return parts;
}

static int value_init(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"data", "_children", "_op", "label", NULL};
    PyObject *data, *children = NULL, *third = NULL, *label = NULL;
    Node *node = (Node *)self;
    double number;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|OOO:Value", names, &data, &children, &third, &label)) return -1;
    if (as_number(data, &number) < 0) return -1;
    int is_by_hand = children != NULL ? PyObject_IsTrue(children) : 0;
    if (is_by_hand == 0 && third != NULL) is_by_hand = PyObject_IsTrue(third);
    if (is_by_hand < 0) return -1;
    PyObject *parts = is_by_hand ? read_by_hand(children, third) : NULL;
    if (parts == NULL && PyErr_Occurred()) return -1;
    if (parts == NULL) node_drop_operands(node);
    int status = parts == NULL ? 0 : set_parts(node, parts);
    Py_XDECREF(parts);
    if (status < 0) return -1;
    if (label != NULL && node_set_label(node, label) < 0) return -1;
    if (label == NULL && is_far(node)) Py_CLEAR(node->far.label);
    node->data = number;
    node->grad = 0.0;
    changes++;
    return 0;
}

/* Most Values are made by Value(2.0), which has a way of its own; every other call goes the usual way. */
PyObject *value_call(PyObject *type, PyObject *const *arguments, size_t flagged_count, PyObject *names)
{
    Py_ssize_t given = PyVectorcall_NARGS(flagged_count);
    if (given == 1 && names == NULL && !init_is_wrapped()) {
        double number;
        if (as_number(arguments[0], &number) < 0) return NULL;
        Node *leaf = node_leaf();
        if (leaf != NULL) leaf->data = number;
        return (PyObject *)leaf;
    }
    PyObject *operands = PyTuple_New(given), *keywords = keywords_dictionary(arguments + given, names), *value = NULL;
    for (Py_ssize_t i = 0; operands != NULL && i < given; i++) PyTuple_SET_ITEM(operands, i, Py_NewRef(arguments[i]));
    if (operands != NULL && keywords != NULL) value = value_new((PyTypeObject *)type, operands, keywords);
    if (value != NULL && Value_Type->tp_init(value, operands, keywords) < 0) Py_CLEAR(value);
    Py_XDECREF(operands);
    Py_XDECREF(keywords);
    return value;
}

/* ---- operators */

static PyObject *value_negative(PyObject *self) { return apply_negative(self); }
static PyObject *value_absolute(PyObject *self) { return apply_abs(self); }
static PyObject *value_positive(PyObject *self) { return Py_NewRef(self); }

static PyObject *value_power(PyObject *left, PyObject *right, PyObject *modulus)
{
    if (modulus != Py_None && !is_value(left)) Py_RETURN_NOTIMPLEMENTED;
    if (modulus != Py_None) {
        PyErr_SetObject(PyExc_TypeError, specification.modulus);
        return NULL;
    }
    return apply_power(left, right);
}

/* ---- the number, and comparisons */

static int value_bool(PyObject *self) { return check_guard(self, "bool()") < 0 ? -1 : ((Node *)self)->data != 0; }

static const double FIRST_ROUNDED = 0x1p53; /* integers of less than this size are floats */

static PyObject *compare_with_other(PyObject *self, PyObject *other, int comparison);
static PyObject *compare_rounded(PyObject *self, PyObject *other, int comparison);

static PyObject *value_compare(PyObject *self, PyObject *other, int comparison)
{
    if (comparison == Py_NE) return PyBaseObject_Type.tp_richcompare(self, other, Py_NE); /* asks ==, which may be a class's own */
    if (comparison == Py_EQ) { /* identity, as for any object */
        const PyNumberMethods *number = Py_TYPE(other)->tp_as_number; /* of a number, or of many */
        bool is_number = !is_value(other) && number != NULL && (number->nb_float != NULL || number->nb_index != NULL);
        if (is_number && check_guard(self, "a comparison") < 0) return NULL;
        if (is_number && PyErr_WarnEx(PyExc_UserWarning, PyUnicode_AsUTF8(specification.equality), 1) < 0) return NULL;
        if (self == other) return PyBool_FromLong(comparison == Py_EQ);
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *value;
    double number;
    if (check_guard(self, "a comparison") < 0) return NULL;
    if (read_scalar(other, &value, &number) == UNUSUAL) return compare_with_other(self, other, comparison);
    if (value != NULL && check_guard(value, "a comparison") < 0) return NULL;
    const double own = ((Node *)self)->data;
    bool may_be_rounded = PyLong_CheckExact(other) && fabs(own) >= FIRST_ROUNDED;
    if (may_be_rounded && number == own) return compare_rounded(self, other, comparison);
    Py_RETURN_RICHCOMPARE(own, number, comparison);
}

/* As a float compares. */
static PyObject *compare_as_float(PyObject *self, PyObject *other, int comparison)
{
    PyObject *number = PyFloat_FromDouble(((Node *)self)->data);
    PyObject *result = number != NULL ? PyObject_RichCompare(number, other, comparison) : NULL;
    Py_XDECREF(number);
    return result;
}

/* With what is the Value's number once it is rounded: a float knows whether it was before, if it can be compared with it. */
static PyObject *compare_rounded(PyObject *self, PyObject *other, int comparison)
{
    PyObject *answer = compare_as_float(self, other, comparison);
    int truth = answer != NULL ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (truth >= 0) return PyBool_FromLong(truth);
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
    PyErr_Clear();
    Py_RETURN_RICHCOMPARE(0, 0, comparison);
}

/* The other turns out to be a Value or a float. With a number beyond all floats it compares as a float does. */
static PyObject *compare_with_other(PyObject *self, PyObject *other, int comparison)
{
    PyObject *operand = scalar_of(other), *result;
    if (operand == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return not_implemented();
        PyErr_Clear();
        return compare_as_float(self, other, comparison);
    }
    bool is_rounded = PyFloat_CheckExact(operand) && PyFloat_AS_DOUBLE(operand) == ((Node *)self)->data;
    result = is_rounded ? compare_rounded(self, other, comparison) : value_compare(self, operand, comparison);
    Py_DECREF(operand);
    return result;
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

/* A list of what is given, of Values only; with `first`, unless it is NULL, before them. NULL with an exception if that fails. */
static PyObject *list_of_values(PyObject *first, PyObject *given)
{
    PyObject *list = PySequence_List(given);
    if (list != NULL && first != NULL && PyList_Insert(list, 0, first) < 0) Py_CLEAR(list);
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *object = PyList_GET_ITEM(list, i);
        if (is_value(object)) continue;
        PyErr_Format(PyExc_TypeError, "expected Values, got %R among them", object);
        Py_CLEAR(list);
    }
    return list;
}

/* The order of the graphs of this Value and of others, without the graphs of those in `until`. */
static PyObject *value_topological_order(PyObject *self, PyObject *arguments)
{
    PyObject *others, *until, *roots, *left_out, *order = NULL;
    if (!PyArg_ParseTuple(arguments, "OO:_topological_order", &others, &until)) return NULL;
    roots = list_of_values(self, others);
    left_out = roots != NULL ? list_of_values(NULL, until) : NULL;
    if (left_out != NULL) order = topological_order(roots, left_out);
    Py_XDECREF(roots);
    Py_XDECREF(left_out);
    return order;
}

static PyMethodDef value_methods[] = {
    {"backward", (PyCFunction)(void (*)(void))value_backward, METH_FASTCALL | METH_KEYWORDS,
     "backward($self, gradient=1.0)\n--\n\n" DOC_backward},
    {"_attributes", value_read_attributes, METH_NOARGS, NULL},
    {"_backward", value_push_to_parents, METH_NOARGS, NULL},
    {"_set_by_hand", value_set_by_hand, METH_VARARGS, NULL},
    {"_set_symbol", value_set_symbol, METH_O, NULL},
    {"_topological_order", value_topological_order, METH_VARARGS,
     "_topological_order(others, until): what graph.py's topological_order() returns, of this Value and of others."},
    {.ml_name = NULL},
};

/* ---- the type */

static PyMemberDef value_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weak_references), READONLY, NULL},
    {.name = NULL},
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
    {Py_nb_add, apply_add},
    {Py_nb_subtract, apply_subtract},
    {Py_nb_multiply, apply_multiply},
    {Py_nb_true_divide, apply_divide},
    {Py_nb_power, value_power},
    {Py_nb_negative, value_negative},
    {Py_nb_absolute, value_absolute},
    {Py_nb_positive, value_positive},
    {Py_nb_bool, value_bool},
    {0, NULL},
};

PyType_Spec value_spec = {
    .name = "autograd.Value",
    .basicsize = sizeof(Node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = value_slots,
};
