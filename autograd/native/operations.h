/* The table: what operations.py has in Python. kernels.py writes its rows and their kernels from there. */
#ifndef AUTOGRAD_OPERATIONS_H
#define AUTOGRAD_OPERATIONS_H

#include "cpython.h"
#include "rows.h" /* written by kernels.py: ROW_COUNT, each row's number, ROW_add, and lists of the rows */

/* A kernel gets all operands in one array: the sequences, n numbers each, and then the scalars. A partial derivative is
   that of the result r with respect to one operand; with respect to a sequence, the kernel writes all n. */
typedef double (*Evaluation)(Py_ssize_t n, const double *operands);
typedef void (*Partial)(double r, Py_ssize_t n, const double *operands, double *derivatives);

typedef struct {
    const char *name;
    const char *symbol;
    int operands;  /* how many the function takes; each of the leading `sequences` is a sequence */
    int sequences;
    const double *defaults; /* one for each operand; nan where it has none */
    Evaluation value;
    const Partial *partials; /* one for each operand */
    bool is_bilinear;        /* of two sequences and a scalar: the derivatives by each sequence are the other's numbers */
} Row;

extern const Row ROWS[];

/* How long each sequence is among so many operands; 1 where the row has none. */
static inline Py_ssize_t sequence_length(const Row *row, Py_ssize_t count)
{
    return row->sequences ? (count - row->operands + row->sequences) / row->sequences : 1;
}

/* What kernels call beside the C library: of n numbers the one at an index, nan where there is none. */
ALWAYS_INLINE bool is_place(double index, Py_ssize_t n)
{
    return index >= 0.0 && index < (double)n && (double)(Py_ssize_t)index == index;
}

ALWAYS_INLINE double element(const double *x, Py_ssize_t n, double index)
{
    return is_place(index, n) ? x[(Py_ssize_t)index] : NAN;
}

extern const unsigned long TABLE_CHECKSUM; /* of the Python files that the table was written from */

#endif
