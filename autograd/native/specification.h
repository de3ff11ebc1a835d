/* What the engine takes from Python, its specification: what is rare, and so is not written again in C. */
#ifndef AUTOGRAD_SPECIFICATION_H
#define AUTOGRAD_SPECIFICATION_H

#include "cpython.h"

typedef struct {
    PyObject *real_number; /* the float of any real number, or TypeError */
    PyObject *scalar;      /* an operand as the engine takes it: a Value, or the float of any real number; or TypeError */
    PyObject *arguments;   /* a function's operands as the engine takes them, or the error that says why not */
    PyObject *by_hand;     /* the parents, symbol and local derivatives that were given to a constructor */
    PyObject *own_gradient_error; /* a TypeError that no operator leaves to the other operand */
    PyObject *equality;    /* the warning where a Value is compared with a number by == */
    PyObject *modulus;     /* the error where a power of a Value gets a modulus */
    PyObject *is_recording; /* whether operations record, where a block has been open */
    PyObject *end_stale_blocks; /* ends the blocks of suspended generators */
    PyObject *evaluate;    /* the value by the table's own rule: inf, nan, or the error that says why */
    PyObject *open_blocks; /* the context variable that has the open blocks, in a tuple */
    PyObject *misspellings; /* what misspelt names of attributes are taken to mean: a dictionary */
    PyObject *check_spelling; /* warns that an instance of a class gets an attribute with a misspelt name */
    PyObject *checked;     /* the name of the attribute that has the hash which a subclass had when it was last checked */
    PyObject *check_subclass; /* completes a subclass that has been changed since it was made */
    PyObject *operations;  /* the rows as Python has them, in the order of ROWS: a tuple */
} Specification;

extern Specification specification;

/* Called when the module is made. On an error, -1 with an exception. */
int take_specification(void);

#endif
