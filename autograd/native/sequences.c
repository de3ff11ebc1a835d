/* A layer's neurons share their inputs, and a neuron's weights are the same for every example.

   Only bilinear operations, such as dot, share sequences: the derivatives with respect to each sequence are the other's
   numbers, so a node needs no more than the two sequences. Each call compares the given list with the sequence, operand by
   operand. It compares the operands' numbers only if any Value's data has been set since it last did so. */
#include "sequences.h"

/* The latest sequence for each (hashed) first operand. Where it is freed, node.c takes it away from here. */
enum { LATEST_BITS = 10 };
static Sequence *latest[1 << LATEST_BITS];

static Sequence **place_of(const PyObject *first)
{
    return &latest[((uint64_t)(uintptr_t)first * 0x9E3779B97F4A7C15u) >> (64 - LATEST_BITS)];
}

static inline bool is_same_number(double x, double y) { return memcmp(&x, &y, sizeof x) == 0; }

static inline bool is_constant(const Slot *slot, PyObject *object)
{
    return slot->parent == NULL && PyFloat_CheckExact(object) && is_same_number(slot->number, PyFloat_AS_DOUBLE(object));
}

/* Whether the Values among the operands still have the numbers that they had. */
static bool is_current(const Sequence *sequence)
{
    if (sequence->changes == changes) return true;
    for (Py_ssize_t i = 0; i < sequence->count; i++) {
        const Slot *slot = &sequence->slots[i];
        const Node *parent = (Node *)slot->parent;
        if (parent != NULL && (!is_same_number(slot->number, parent->data) || parent->tracks_results)) return false;
    }
    return true;
}

/* Whether the objects are the sequence's operands. If so, their numbers have been written. */
static bool holds(Sequence *sequence, PyObject *const *objects, Py_ssize_t n, double *numbers)
{
    if (sequence == NULL || sequence->count != n || !is_current(sequence)) return false;
    sequence->changes = changes;
    for (Py_ssize_t i = 0; i < n; i++) {
        const Slot *slot = &sequence->slots[i];
        if (slot->parent != objects[i] && !is_constant(slot, objects[i])) return false;
        numbers[i] = slot->number;
    }
    return true;
}

static Sequence *sequence_new(PyObject *const *objects, Py_ssize_t n, const double *numbers, Sequence **place)
{
    Sequence *sequence = PyMem_Malloc(sizeof(Sequence) + (size_t)n * sizeof(Slot));
    if (sequence == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    sequence->references = 1;
    sequence->place = place;
    sequence->mark = 0;
    sequence->changes = changes;
    sequence->count = n;
    sequence->holds_value = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *parent = is_value(objects[i]) ? Py_NewRef(objects[i]) : NULL;
        sequence->slots[i] = (Slot){parent, numbers[i]};
        sequence->holds_value |= parent != NULL;
    }
    *place = sequence;
    return sequence;
}

Reading take_sequence(PyObject *const *objects, Py_ssize_t n, double *numbers, Sequence **sequence)
{
    Sequence **place = place_of(objects[0]);
    if (holds(*place, objects, n, numbers)) {
        *sequence = *place;
        (*sequence)->references++;
        return DONE;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *parent = NULL;
        if (read_scalar(objects[i], &parent, &numbers[i]) == UNUSUAL) return UNUSUAL;
        if (parent != NULL && ((Node *)parent)->tracks_results) return UNUSUAL;
    }
    *sequence = sequence_new(objects, n, numbers, place);
    return *sequence != NULL ? DONE : UNUSUAL;
}
