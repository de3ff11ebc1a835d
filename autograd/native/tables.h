/* Tables of numbers from 0 on, found by the hash of what they stand for: open addressing, at most half full. */
#ifndef AUTOGRAD_TABLES_H
#define AUTOGRAD_TABLES_H

#include "cpython.h"

typedef struct {
    int32_t *numbers; /* -1 where there is none */
    size_t mask;
} Table;

/* With room for so many numbers. Returns -1, without an exception, if memory is short. */
static inline int make_table(Table *table, Py_ssize_t count)
{
    size_t size = 16;
    while (size < 2 * (size_t)count) size *= 2;
    table->mask = size - 1;
    table->numbers = PyMem_RawMalloc(size * sizeof(int32_t));
    if (table->numbers == NULL) return -1;
    memset(table->numbers, 0xFF, size * sizeof(int32_t));
    return 0;
}

static inline size_t mixed(size_t hash, uint64_t part)
{
    uint64_t mix = ((uint64_t)hash ^ part) * 0x9E3779B97F4A7C15u; /* 2^64 over the golden ratio (TAOCP 3, 6.4) */
    return (size_t)(mix ^ mix >> 29);
}

#endif
