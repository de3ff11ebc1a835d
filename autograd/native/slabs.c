/* Slabs are cut from arenas, which come from the system and go back to it. */
#include "slabs.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* So many empty arenas are kept for the next graph. The first arena is small, as most programs' graphs are. */
enum { FIRST_ARENA_BYTES = 1 << 18, ARENA_BYTES = 1 << 21, KEPT_ARENAS = 3, ARENAS_OF_LARGE_PAGES = 16 };

typedef struct Arena {
    char *memory, *uncut, *end; /* slabs have been cut as far as `uncut` */
    size_t bytes;
    Slab *free;
    int used;                   /* how many slabs */
    struct Arena *next, *previous;
} Arena;

char *next_cell = NULL, *end_of_cells = NULL;
static Slab *filled = NULL; /* the slab that is being filled */
static uint64_t turns = 0;
static Arena *arenas = NULL; /* those that have a slab to give */
static int all_arenas = 0, empty_arenas = 0;

/* ---- Arenas */

static void link_arena(Arena *arena)
{
    arena->previous = NULL;
    arena->next = arenas;
    if (arenas != NULL) arenas->previous = arena;
    arenas = arena;
}

static void unlink_arena(Arena *arena)
{
    if (arena->next != NULL) arena->next->previous = arena->previous;
    if (arena->previous != NULL) arena->previous->next = arena->next;
    else arenas = arena->next;
}

static char *first_slab(const Arena *arena) { return (char *)slab_of(arena->memory + SLAB_BYTES - 1); }
static bool has_slab(const Arena *arena) { return arena->free != NULL || arena->uncut < arena->end; }

/* In pages of 4 KB, a graph of a million nodes takes longer to find memory than to be computed. The first arena has small
   pages, since a small graph is to take little memory; those of the largest graphs, since a system has only so many large
   pages at hand, and takes long to make others. */
static void ask_for_large_pages(const Arena *arena)
{
#if defined(MADV_HUGEPAGE)
    if (all_arenas > 0 && all_arenas <= ARENAS_OF_LARGE_PAGES) (void)madvise(arena->memory, arena->bytes, MADV_HUGEPAGE);
#else
    (void)arena;
#endif
}

static Arena *new_arena(void)
{
    PyObjectArenaAllocator system;
    PyObject_GetArenaAllocator(&system);
    Arena *arena = PyMem_RawCalloc(1, sizeof(Arena));
    if (arena != NULL) {
        arena->bytes = all_arenas == 0 ? FIRST_ARENA_BYTES : ARENA_BYTES;
        arena->memory = system.alloc(system.ctx, arena->bytes);
    }
    if (arena == NULL || arena->memory == NULL) {
        PyMem_RawFree(arena);
        PyErr_NoMemory();
        return NULL;
    }
    ask_for_large_pages(arena);
    all_arenas++;
    arena->uncut = first_slab(arena);
    arena->end = (char *)slab_of(arena->memory + arena->bytes);
    empty_arenas++;
    link_arena(arena);
    return arena;
}

static void free_arena(Arena *arena)
{
    PyObjectArenaAllocator system;
    PyObject_GetArenaAllocator(&system);
    ASAN_UNPOISON_MEMORY_REGION(arena->memory, arena->bytes);
    for (char *slab = first_slab(arena); slab < arena->uncut; slab += SLAB_BYTES)
        for (int cell = 0; cell < CELLS; cell++) Py_DECREF(Py_TYPE(object_at((Slab *)(void *)slab, cell)));
    unlink_arena(arena);
    all_arenas--;
    empty_arenas--;
    system.free(system.ctx, arena->memory, arena->bytes);
    PyMem_RawFree(arena);
}

/* Every cell is an object of the type, alive or not, and has a reference to it. */
static Slab *cut_slab(Arena *arena, PyTypeObject *type)
{
    Slab *slab = (Slab *)(void *)arena->uncut;
    arena->uncut += SLAB_BYTES;
    memset(slab, 0, SLAB_BYTES);
    slab->arena = arena;
    slab->has_neighbour = (char *)slab - SLAB_BYTES >= arena->memory;
    for (int cell = 0; cell < CELLS; cell++) Py_SET_TYPE(object_at(slab, cell), (PyTypeObject *)Py_NewRef(type));
    ASAN_POISON_MEMORY_REGION(first_cell(slab), (size_t)CELLS * CELL_BYTES);
    return slab;
}

static Slab *take_slab(PyTypeObject *type)
{
    Arena *arena = arenas != NULL ? arenas : new_arena();
    if (arena == NULL) return NULL;
    Slab *slab = arena->free;
    if (slab != NULL) arena->free = slab->next;
    else slab = cut_slab(arena, type);
    if (arena->used++ == 0) empty_arenas--;
    if (!has_slab(arena)) unlink_arena(arena);
    return slab;
}

static void give_back_slab(Slab *slab)
{
    Arena *arena = slab->arena;
    if (!has_slab(arena)) link_arena(arena);
    slab->next = arena->free;
    arena->free = slab;
    if (--arena->used > 0) return;
    empty_arenas++;
    if (empty_arenas > KEPT_ARENAS) free_arena(arena);
}

/* ---- Cells */

PyObject *take_first_cell(PyTypeObject *type)
{
    Slab *slab = take_slab(type);
    if (slab == NULL) return NULL;
    slab->turn = ++turns;
    slab->freed = 0;
    filled = slab;
    next_cell = first_cell(slab);
    end_of_cells = next_cell + (size_t)CELLS * CELL_BYTES;
    return take_cell(type);
}

void settle(Slab *slab)
{
    if (slab->waiting[FREEING].is_queued) return;
    if (slab != filled) {
        if (slab->freed == CELLS) give_back_slab(slab);
    } else if (next_cell == first_cell(slab) + (size_t)slab->freed * CELL_BYTES) {
        next_cell = first_cell(slab);
        slab->freed = 0;
    }
}

/* ---- The queue: a pairing heap (Fredman, Sedgewick, Sleator and Tarjan 1986), whose links are in the slabs */

static Slab *meld(Slab *x, Slab *y, Walk walk)
{
    if (x == NULL) return y;
    if (y == NULL) return x;
    Slab *later = x->turn > y->turn ? x : y, *earlier = later == x ? y : x;
    earlier->waiting[walk].beside = later->waiting[walk].below;
    later->waiting[walk].below = earlier;
    return later;
}

void enqueue(Queue *queue, Slab *slab, Walk walk)
{
    Waiting *waiting = &slab->waiting[walk];
    waiting->is_queued = true;
    waiting->below = waiting->beside = NULL;
    *queue = meld(*queue, slab, walk);
}

Slab *dequeue(Queue *queue, Walk walk)
{
    Slab *latest = *queue, *rest = latest->waiting[walk].below, *pairs = NULL, *merged = NULL;
    while (rest != NULL) {
        Slab *first = rest, *second = first->waiting[walk].beside;
        rest = second != NULL ? second->waiting[walk].beside : NULL;
        Slab *pair = meld(first, second, walk);
        pair->waiting[walk].beside = pairs;
        pairs = pair;
    }
    while (pairs != NULL) {
        Slab *next = pairs->waiting[walk].beside;
        merged = meld(merged, pairs, walk);
        pairs = next;
    }
    *queue = merged;
    return latest;
}
