/* Memory for computed nodes: cells that lie side by side in the order of their creation.

   A slab is a stretch of cells. It is filled from its beginning, and used again when all of its cells are free. So within a
   slab, and from slab to slab by their turns, cells follow each other as they were taken. A walk from the latest node back
   goes through the slabs that have cells which wait for it, and no others. It allocates nothing.

   Nothing here knows what is in a cell, but that it is an object of a type with a header for the garbage collector. */
#ifndef AUTOGRAD_SLABS_H
#define AUTOGRAD_SLABS_H

#include "cpython.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

/* Without the global lock, the garbage collector finds objects by where Python's own allocator has put them. */
#if defined(Py_GIL_DISABLED) || defined(AUTOGRAD_WITHOUT_SLABS)
#define HAS_SLABS 0
#else
#define HAS_SLABS 1
#endif

enum {
    HEADER_BYTES = 2 * sizeof(void *), /* of the garbage collector, before each object */
    CELL_BYTES = 80 + HEADER_BYTES,
    SLAB_BYTES = 1 << 14,
    HEAD_BYTES = 160,
    CELLS = (SLAB_BYTES - HEAD_BYTES) / CELL_BYTES,
    WORDS = (CELLS + 63) / 64,
};

/* The walks that cells may wait for. */
typedef enum { BACKWARD, FREEING } Walk;

struct Slab;

typedef struct {
    uint64_t bits[WORDS];         /* of the cells that wait */
    struct Slab *below, *beside;  /* in the queue */
    bool is_queued;               /* or it is the walk's turn in this slab: it will come to each cell that waits */
} Waiting;

typedef struct Slab {
    uint64_t turn;                /* a later one has later cells */
    Waiting waiting[2];           /* for each kind of walk */
    int32_t freed;                /* how many of the cells that were taken */
    bool has_neighbour;           /* another slab lies before it */
    uint64_t epoch;               /* of the walk that has set the marks */
    uint64_t marks[WORDS];
    struct Arena *arena;
    struct Slab *next;            /* of those that are free */
} Slab;

_Static_assert(sizeof(Slab) <= HEAD_BYTES, "a slab's head is before its first cell");

static inline Slab *slab_of(const void *object) { return (Slab *)((uintptr_t)object & ~(uintptr_t)(SLAB_BYTES - 1)); }
static inline char *first_cell(Slab *slab) { return (char *)slab + HEAD_BYTES; }
static inline PyObject *object_at(Slab *slab, int cell)
{
    return (PyObject *)(void *)(first_cell(slab) + cell * CELL_BYTES + HEADER_BYTES);
}
static inline unsigned cell_of(const Slab *slab, const void *object)
{
    return (unsigned)((const char *)object - (const char *)slab - HEAD_BYTES) / CELL_BYTES;
}

/* ---- Taking cells, and giving them back */

extern char *next_cell, *end_of_cells; /* of the slab that is being filled */

/* The first cell of another slab, of this type's objects. NULL with an exception if memory is short. */
PyObject *take_first_cell(PyTypeObject *type);

/* An object of the type, without references to it and not known to the garbage collector; the rest is anything. */
ALWAYS_INLINE PyObject *take_cell(PyTypeObject *type)
{
    if (next_cell == end_of_cells) return take_first_cell(type);
    char *cell = next_cell;
    next_cell += CELL_BYTES;
    ASAN_UNPOISON_MEMORY_REGION(cell, CELL_BYTES);
    return (PyObject *)(void *)(cell + HEADER_BYTES);
}

/* What the garbage collector noted there, such as that the object's finaliser has run, is not true of the cell's next one. */
static inline void clear_header(PyObject *object) { memset((char *)object - HEADER_BYTES, 0, HEADER_BYTES); }

/* A sanitiser is to see who uses an object that has been freed. */
static inline void poison_cell(const PyObject *object)
{
    ASAN_POISON_MEMORY_REGION((const char *)object - HEADER_BYTES, CELL_BYTES);
}

/* Once cells have been freed, and counted: the slab is used again, if that were all, and no walk is to come to others. */
void settle(Slab *slab);

/* ---- Walks from the latest cell back */

/* The slabs that have waiting cells; NULL if there are none. */
typedef Slab *Queue;

void enqueue(Queue *queue, Slab *slab, Walk walk);
Slab *dequeue(Queue *queue, Walk walk); /* the one whose turn was the latest */

/* Returns whether it has not waited before. */
ALWAYS_INLINE bool let_wait(Queue *queue, const void *object, Walk walk)
{
    Slab *slab = slab_of(object);
    unsigned cell = cell_of(slab, object);
    uint64_t *word = &slab->waiting[walk].bits[cell / 64], bit = (uint64_t)1 << cell % 64;
    if (*word & bit) return false;
    *word |= bit;
    if (!slab->waiting[walk].is_queued) enqueue(queue, slab, walk);
    return true;
}

/* Asks for a cell that a walk comes to so many steps later: a graph is larger than the nearer caches. Not for one before all
   slabs: to look for memory that is not there takes longer than to read it. */
enum { CELLS_AHEAD = 32 };
static inline void prefetch_cell_before(const Slab *slab, const void *object)
{
#if defined(__GNUC__)
    const char *before = (const char *)object - CELLS_AHEAD * CELL_BYTES;
    if (before < (const char *)slab && !slab->has_neighbour) return;
    __builtin_prefetch(before, 1);
    __builtin_prefetch(before + 64, 1);
#else
    (void)slab, (void)object;
#endif
}

static inline int last_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return 63 - __builtin_clzll(bits);
#else
    int place = 63;
    while (!(bits >> place & 1)) place--;
    return place;
#endif
}

/* Visits the waiting cells of the slab whose turn was the latest, from its latest cell back. A visit may let other cells
   wait, in this slab too. */
ALWAYS_INLINE void walk_slab(Queue *queue, Walk walk, void (*visit)(void *context, PyObject *object), void *context)
{
    Slab *slab = dequeue(queue, walk);
    uint64_t *bits = slab->waiting[walk].bits, any;
    do {
        for (int word = WORDS - 1; word >= 0; word--) {
            uint64_t done = 0, left;
            for (int place = 63; (left = bits[word] & ~done) != 0; place = (place - 1) & 63) {
                if (!(left >> place & 1)) place = last_bit(left); /* mostly, the next cell waits: a processor foresees that */
                done |= (uint64_t)1 << place;
                PyObject *object = object_at(slab, 64 * word + place);
                prefetch_cell_before(slab, object);
                visit(context, object);
            }
            bits[word] = 0;
        }
        any = 0;
        for (int word = 0; word < WORDS; word++) any |= bits[word];
    } while (any != 0);
    slab->waiting[walk].is_queued = false;
}

/* ---- Marks */

/* Marks the cell in a walk with this epoch. Returns whether it was not marked. */
static inline bool mark_cell(const void *object, uint64_t epoch)
{
    Slab *slab = slab_of(object);
    unsigned cell = cell_of(slab, object);
    if (slab->epoch != epoch) {
        slab->epoch = epoch;
        for (int w = 0; w < WORDS; w++) slab->marks[w] = 0;
    }
    uint64_t *word = &slab->marks[cell / 64], bit = (uint64_t)1 << cell % 64;
    if (*word & bit) return false;
    *word |= bit;
    return true;
}

static inline bool is_cell_marked(const void *object, uint64_t epoch)
{
    const Slab *slab = slab_of(object);
    unsigned cell = cell_of(slab, object);
    return slab->epoch == epoch && (slab->marks[cell / 64] >> cell % 64 & 1);
}

#endif
