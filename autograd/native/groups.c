/* The groups of a Wengert list: what tape/groups.py's grouped() does, with the same result. */
#include "groups.h"
#include "chains.h"
#include "tables.h"

/* An instruction, or a chain that is a neuron. */
typedef struct {
    int32_t row, length, result, bias;
    const int32_t *weights, *inputs; /* of a neuron */
    const int32_t *operands;         /* of any other instruction */
    int32_t count;
    int32_t group, place;            /* which of the group's results this is */
} Unit;

typedef struct {
    const WengertList *list;
    Groups *groups;
    Unit *units;
    int32_t unit_count;
    Chains chains;
    int32_t *room;             /* for the weights and inputs of chains */
    int32_t *depths;           /* of each variable */
    int32_t *marks;            /* of each variable: the latest unit that has looked at it, or part that has used it */
    int32_t *of_variables, *of_instructions, *latest_parts;
    Table table;
} Search;

static bool varies(const Search *search, int32_t variable) { return depends_on_inputs(search->list, variable); }

/* ---- Units */

/* Whether the variables are all different, and the bias too if it varies. */
static bool are_different(Search *search, const int32_t *variables, int32_t count, int32_t bias, int32_t mark)
{
    if (varies(search, bias)) search->marks[bias] = mark;
    for (int32_t i = 0; i < count; i++) {
        if (variables[i] < 0) continue;
        if (search->marks[variables[i]] == mark) return false;
        search->marks[variables[i]] = mark;
    }
    return true;
}

static int32_t count_varying(const Search *search, const int32_t *variables, int32_t count)
{
    int32_t varying = 0;
    for (int32_t i = 0; i < count; i++) varying += varies(search, variables[i]);
    return varying;
}

/* If the factors on one side depend on no input and those on the other are all different, the dot is a neuron. */
static void read_dot(Search *search, const Instruction *dot, Unit *unit, int32_t *mark)
{
    const int32_t *operands = operands_of(dot);
    int32_t n = length_of_sequences(dot), bias = operands[2 * n];
    for (int side = 0; side < 2; side++) {
        const int32_t *weights = operands + side * n, *inputs = operands + (1 - side) * n;
        if (count_varying(search, weights, n) > 0 || count_varying(search, inputs, n) == 0) continue;
        if (!are_different(search, inputs, n, bias, --*mark)) continue;
        *unit = (Unit){.row = PRODUCT, .length = n, .result = unit->result, .bias = bias, .weights = weights, .inputs = inputs};
        return;
    }
}

static void read_chain(Search *search, int32_t k, Unit *unit)
{
    int32_t n = length_of_neuron(&search->chains, k), *weights = search->room, *inputs = weights + n;
    int32_t bias = read_neuron(&search->chains, k, weights, inputs);
    search->room += 2 * n;
    *unit = (Unit){.row = PRODUCT, .length = n, .result = unit->result, .bias = bias, .weights = weights, .inputs = inputs};
}

static void find_units(Search *search)
{
    const WengertList *list = search->list;
    int32_t first = first_result(list), mark = -1;
    for (int32_t v = -list->constants; v < list->variables; v++) search->marks[v] = -1;
    for (int32_t i = 0; i < search->groups->order_count; i++) {
        int32_t k = search->groups->order[i];
        const Instruction *instruction = &list->instructions[k];
        if (!varies(search, first + k)) continue;
        Unit *unit = &search->units[search->unit_count++];
        *unit = (Unit){
            .row = instruction->row, .length = length_of_sequences(instruction), .result = first + k,
            .operands = operands_of(instruction), .count = instruction->count,
        };
        if (is_neuron(&search->chains, k)) read_chain(search, k, unit);
        else if (instruction->row == ROW_dot) read_dot(search, instruction, unit, &mark);
    }
}

/* ---- Groups */

static int32_t deepest(const Search *search, const int32_t *variables, int32_t count)
{
    int32_t depth = 0;
    for (int32_t i = 0; i < count; i++)
        if (varies(search, variables[i]) && search->depths[variables[i]] > depth) depth = search->depths[variables[i]];
    return depth;
}

static int32_t depth_of_needed(const Search *search, const Unit *unit)
{
    if (unit->row != PRODUCT) return deepest(search, unit->operands, unit->count);
    int32_t inputs = deepest(search, unit->inputs, unit->length), bias = deepest(search, &unit->bias, 1);
    return inputs > bias ? inputs : bias;
}

static bool belongs_to(const Search *search, const Unit *unit, int32_t depth, const Group *group, const Unit *first)
{
    if (group->depth != depth || group->row != unit->row || group->length != unit->length) return false;
    return unit->row != PRODUCT || (varies(search, unit->bias) == varies(search, first->bias) &&
                                    memcmp(unit->inputs, first->inputs, (size_t)unit->length * sizeof(int32_t)) == 0);
}

/* The group that the unit belongs to, if need be a new one; `firsts` has the first unit of each. */
static int32_t find_group(Search *search, const Unit *unit, int32_t depth, int32_t *firsts)
{
    size_t hash = mixed(mixed(mixed(0, (uint32_t)depth), (uint32_t)unit->row), (uint32_t)unit->length);
    for (int32_t i = 0; unit->row == PRODUCT && i < unit->length; i++) hash = mixed(hash, (uint32_t)unit->inputs[i]);
    for (size_t place = hash;; place++) {
        int32_t *number = &search->table.numbers[place & search->table.mask];
        if (*number < 0) {
            *number = search->groups->group_count++;
            search->groups->groups[*number] = (Group){.row = unit->row, .length = unit->length, .depth = depth};
            firsts[*number] = (int32_t)(unit - search->units);
            return *number;
        }
        const Group *group = &search->groups->groups[*number];
        if (belongs_to(search, unit, depth, group, &search->units[firsts[*number]])) return *number;
    }
}

/* Writes the places in the order of their depths, equal ones as they are: a counting sort. */
static void sort_by_depth(const int32_t *depths, int32_t count, int32_t *ends, int32_t deepest_of_all, int32_t *order)
{
    memset(ends, 0, ((size_t)deepest_of_all + 2) * sizeof(int32_t));
    for (int32_t i = 0; i < count; i++) ends[depths[i] + 1]++;
    for (int32_t d = 0; d <= deepest_of_all; d++) ends[d + 1] += ends[d];
    for (int32_t i = 0; i < count; i++) order[ends[depths[i]]++] = i;
}

static int sort_groups(Search *search)
{
    Groups *groups = search->groups;
    int32_t *depths = search->of_instructions, *order = depths + search->list->count + 1, deepest_of_all = 0;
    Group *sorted = PyMem_RawMalloc(((size_t)groups->group_count + 1) * sizeof *sorted);
    if (sorted == NULL) return -1;
    for (int32_t g = 0; g < groups->group_count; g++) {
        depths[g] = groups->groups[g].depth;
        if (depths[g] > deepest_of_all) deepest_of_all = depths[g];
    }
    sort_by_depth(depths, groups->group_count, order + search->list->count + 1, deepest_of_all, order);
    int32_t *rank = depths;
    for (int32_t i = 0; i < groups->group_count; i++) sorted[i] = groups->groups[order[i]];
    for (int32_t i = 0; i < groups->group_count; i++) rank[order[i]] = i;
    for (int32_t u = 0; u < search->unit_count; u++) search->units[u].group = rank[search->units[u].group];
    PyMem_RawFree(groups->groups);
    groups->groups = sorted;
    return 0;
}

/* How many variables a group names: its results, and of a product the weights, inputs and biases. */
static size_t count_numbers(const Group *group)
{
    size_t count = (size_t)group->count, length = (size_t)group->length;
    return group->row == PRODUCT ? count * (length + 2) + length : count;
}

/* Gives each group room for its members' variables, and writes these. */
static int fill_groups(Search *search)
{
    Groups *groups = search->groups;
    size_t numbers = 0;
    for (int32_t g = 0; g < groups->group_count; g++) numbers += count_numbers(&groups->groups[g]);
    int32_t *memory = groups->memory = PyMem_RawMalloc((numbers + 1) * sizeof(int32_t));
    if (memory == NULL) return -1;
    for (Group *group = groups->groups; group < groups->groups + groups->group_count; group++) {
        group->results = memory;
        memory += group->count;
        if (group->row != PRODUCT) continue;
        group->weights = memory;
        group->biases = memory + (size_t)group->count * (size_t)group->length;
        group->inputs = memory = group->biases + group->count;
        memory += group->length;
    }
    for (const Unit *unit = search->units; unit < search->units + search->unit_count; unit++) {
        Group *group = &groups->groups[unit->group];
        size_t size = (size_t)unit->length * sizeof(int32_t);
        group->results[unit->place] = unit->result;
        if (unit->row != PRODUCT) continue;
        memcpy(group->weights + (size_t)unit->place * (size_t)unit->length, unit->weights, size);
        if (unit->place == 0) memcpy(group->biases + group->count, unit->inputs, size);
        group->biases[unit->place] = unit->bias;
    }
    return 0;
}

static int make_groups(Search *search)
{
    const WengertList *list = search->list;
    int32_t *firsts = search->of_instructions;
    search->groups->groups = PyMem_RawMalloc(((size_t)search->unit_count + 1) * sizeof(Group));
    if (search->groups->groups == NULL || make_table(&search->table, search->unit_count) < 0) return -1;
    for (int32_t v = -list->constants; v < list->variables; v++) search->depths[v] = 0;
    for (Unit *unit = search->units; unit < search->units + search->unit_count; unit++) {
        int32_t depth = search->depths[unit->result] = 1 + depth_of_needed(search, unit);
        unit->group = find_group(search, unit, depth, firsts);
        unit->place = search->groups->groups[unit->group].count++;
    }
    return sort_groups(search) < 0 ? -1 : fill_groups(search);
}

/* ---- Parts, of groups for the sweep backward */

/* How deep a unit's part must be for its use of these operands. Its own part is `mine`. */
static int32_t needed_depth(const Search *search, const int32_t *variables, int32_t count, int32_t mine)
{
    int32_t needed = 1;
    for (int32_t i = 0; i < count; i++) {
        int32_t variable = variables[i], use = search->marks[variable];
        if (!varies(search, variable)) continue;
        if (search->depths[variable] >= needed) needed = search->depths[variable] + 1;
        if (use >= 0 && use != mine && search->groups->parts[use].depth >= needed)
            needed = search->groups->parts[use].depth + 1;
    }
    return needed;
}

/* Whether units of a group may be one part: those that are computed together. */
static bool stays_together(int32_t row) { return row == PRODUCT || row == ROW_dot; }

static void note_use(Search *search, const int32_t *variables, int32_t count, int32_t part)
{
    for (int32_t i = 0; i < count; i++)
        if (varies(search, variables[i])) search->marks[variables[i]] = part;
}

static void note_uses(Search *search, const Unit *unit, int32_t part)
{
    bool is_product = unit->row == PRODUCT;
    note_use(search, is_product ? unit->inputs : unit->operands, is_product ? unit->length : unit->count, part);
    if (is_product) note_use(search, &unit->bias, 1, part);
}

static void add_to_parts(Search *search, const Unit *unit)
{
    Groups *groups = search->groups;
    bool is_product = unit->row == PRODUCT;
    const int32_t *operands = is_product ? unit->inputs : unit->operands;
    int32_t count = is_product ? unit->length : unit->count, mine = search->latest_parts[unit->group];
    int32_t needed = needed_depth(search, operands, count, mine);
    if (is_product) {
        int32_t for_bias = needed_depth(search, &unit->bias, 1, mine);
        if (for_bias > needed) needed = for_bias;
    }
    if (mine < 0 || groups->parts[mine].depth < needed) {
        mine = groups->part_count++;
        groups->parts[mine] = (Part){unit->group, unit->place, unit->place, needed};
        if (stays_together(unit->row)) search->latest_parts[unit->group] = mine;
    }
    groups->parts[mine].end = unit->place + 1;
    search->depths[unit->result] = groups->parts[mine].depth;
    note_uses(search, unit, mine);
}

/* Writes the parts in the order of their depths, equal ones as they are. */
static void sort_parts(Search *search, const Part *parts, int32_t count, Part *sorted)
{
    int32_t *depths = search->of_instructions, *order = depths + search->list->count + 1, deepest_of_all = 0;
    for (int32_t p = 0; p < count; p++) {
        depths[p] = parts[p].depth;
        if (depths[p] > deepest_of_all) deepest_of_all = depths[p];
    }
    sort_by_depth(depths, count, order + search->list->count + 1, deepest_of_all, order);
    for (int32_t p = 0; p < count; p++) sorted[p] = parts[order[p]];
}

/* How deep the joined part must be of what computes these variables, or uses them before their next uses. */
static int32_t deepest_next_use(const Search *search, const Part *joined, const int32_t *variables, int32_t count, int32_t mine)
{
    int32_t needed = 1;
    for (int32_t i = 0; i < count; i++) {
        int32_t use = varies(search, variables[i]) ? search->marks[variables[i]] : -1;
        if (use >= 0 && use != mine && joined[use].depth >= needed) needed = joined[use].depth + 1;
    }
    return needed;
}

static int32_t depth_before(const Search *search, const Part *joined, const Unit *unit, int32_t mine)
{
    bool is_product = unit->row == PRODUCT;
    int32_t needed = deepest_next_use(search, joined, &unit->result, 1, mine);
    int32_t of_operands = is_product ? deepest_next_use(search, joined, unit->inputs, unit->length, mine)
                                     : deepest_next_use(search, joined, unit->operands, unit->count, mine);
    int32_t of_bias = is_product ? deepest_next_use(search, joined, &unit->bias, 1, mine) : 1;
    if (of_operands > needed) needed = of_operands;
    return of_bias > needed ? of_bias : needed;
}

/* The same from the end, as early in the sweep backward as can be, where other parts of a product come together. These are, among
   others, neurons whose biases use one variable, each after the one before. Returns how many parts there are then. */
static int32_t join_parts(Search *search, const Part *parts, Part *joined)
{
    const WengertList *list = search->list;
    const Groups *groups = search->groups;
    int32_t *firsts = search->latest_parts + list->count + 1, *units = firsts + list->count + 1; /* of each group the first place of its units */
    int32_t count = 0;
    for (int32_t g = 0, first = 0; g < groups->group_count; first += groups->groups[g++].count) {
        firsts[g] = first;
        search->latest_parts[g] = -1;
    }
    for (int32_t u = 0; u < search->unit_count; u++) units[firsts[search->units[u].group] + search->units[u].place] = u;
    for (int32_t v = -list->constants; v < list->variables; v++) search->marks[v] = -1;
    for (const Part *part = parts + groups->part_count; part-- > parts;) {
        int32_t mine = search->latest_parts[part->group], needed = 1;
        const int32_t *first = units + firsts[part->group] + part->first, *end = first + (part->end - part->first);
        for (const int32_t *u = first; u < end; u++) {
            int32_t depth = depth_before(search, joined, &search->units[*u], mine);
            if (depth > needed) needed = depth;
        }
        if (mine >= 0 && joined[mine].first == part->end && joined[mine].depth >= needed) {
            joined[mine].first = part->first;
        } else {
            mine = count++;
            joined[mine] = (Part){part->group, part->first, part->end, needed};
            if (stays_together(groups->groups[part->group].row)) search->latest_parts[part->group] = mine;
        }
        for (const int32_t *u = first; u < end; u++) note_uses(search, &search->units[*u], mine);
    }
    return count;
}

static int make_parts(Search *search)
{
    const WengertList *list = search->list;
    Groups *groups = search->groups;
    Part *parts = groups->parts = PyMem_RawMalloc(((size_t)search->unit_count + 1) * sizeof(Part));
    Part *sorted = PyMem_RawMalloc(((size_t)search->unit_count + 1) * sizeof(Part));
    if (parts == NULL || sorted == NULL) {
        PyMem_RawFree(sorted);
        return -1;
    }
    for (int32_t v = -list->constants; v < list->variables; v++) search->depths[v] = 0, search->marks[v] = -1;
    for (int32_t g = 0; g < groups->group_count; g++) search->latest_parts[g] = -1;
    for (const Unit *unit = search->units; unit < search->units + search->unit_count; unit++) add_to_parts(search, unit);
    sort_parts(search, parts, groups->part_count, sorted);
    int32_t count = join_parts(search, sorted, parts);
    if (count < groups->part_count) {
        sort_parts(search, parts, count, sorted);
        for (int32_t p = 0; p < count; p++) parts[p] = sorted[count - 1 - p];
        groups->part_count = count;
        PyMem_RawFree(sorted);
        return 0;
    }
    PyMem_RawFree(parts);
    groups->parts = sorted;
    return 0;
}

/* ---- All of it */

static int take_memory(Search *search)
{
    const WengertList *list = search->list;
    size_t count = (size_t)list->count + 1, variables = (size_t)list->constants + (size_t)list->variables + 1;
    search->units = PyMem_RawMalloc(count * sizeof(Unit));
    search->groups->order = PyMem_RawMalloc(count * sizeof(int32_t));
    search->of_variables = PyMem_RawMalloc(2 * variables * sizeof(int32_t));
    search->of_instructions = PyMem_RawMalloc((6 * (count + 1) + 2 * most_terms_of_chains(list)) * sizeof(int32_t));
    if (!search->units || !search->groups->order || !search->of_variables || !search->of_instructions) return -1;
    search->marks = search->of_variables + list->constants;
    search->depths = search->marks + variables;
    search->latest_parts = search->of_instructions + 3 * (count + 1);
    search->room = search->latest_parts + 3 * (count + 1);
    return 0;
}

int find_groups(const WengertList *list, Groups *groups)
{
    Search search = {.list = list, .groups = groups};
    *groups = (Groups){0};
    int status = take_memory(&search);
    if (status == 0) status = find_chains(list, &search.chains, groups->order, &groups->order_count);
    if (status == 0) {
        find_units(&search);
        status = make_groups(&search) < 0 || make_parts(&search) < 0 ? -1 : 0;
    }
    free_chains(&search.chains);
    void *memory[] = {search.units, search.of_variables, search.of_instructions, search.table.numbers};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_RawFree(memory[i]);
    return status;
}

void free_groups(Groups *groups)
{
    PyMem_RawFree(groups->groups);
    PyMem_RawFree(groups->parts);
    PyMem_RawFree(groups->order);
    PyMem_RawFree(groups->memory);
}

/* ---- For Python */

static void append(int32_t **numbers, const int32_t *others, size_t count)
{
    memcpy(*numbers, others, count * sizeof(int32_t));
    *numbers += count;
}

static PyObject *written(const Groups *groups, int32_t first)
{
    size_t count = 3 + 3 * ((size_t)groups->group_count + (size_t)groups->part_count) + (size_t)groups->order_count;
    for (const Group *group = groups->groups; group < groups->groups + groups->group_count; group++)
        count += count_numbers(group);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(count * sizeof(int32_t)));
    if (bytes == NULL) return NULL;
    int32_t *numbers = (int32_t *)PyBytes_AS_STRING(bytes);
    append(&numbers, &groups->group_count, 1);
    for (const Group *group = groups->groups; group < groups->groups + groups->group_count; group++) {
        append(&numbers, (int32_t[]){group->row, group->length, group->count}, 3);
        append(&numbers, group->results, (size_t)group->count);
        if (group->row != PRODUCT) continue;
        append(&numbers, group->weights, (size_t)group->count * (size_t)group->length);
        append(&numbers, group->inputs, (size_t)group->length);
        append(&numbers, group->biases, (size_t)group->count);
    }
    append(&numbers, &groups->order_count, 1);
    for (int32_t i = 0; i < groups->order_count; i++) *numbers++ = first + groups->order[i];
    append(&numbers, &groups->part_count, 1);
    for (const Part *part = groups->parts; part < groups->parts + groups->part_count; part++)
        append(&numbers, (int32_t[]){part->group, part->first, part->end}, 3);
    return bytes;
}

/* groups(inputs, parameters, constants, rows, lengths, operands, outputs) -> bytes: how many groups there are; of each its row,
   length and count, its results, and of a product the weights, inputs and biases; how long the order is, and the results in it; how
   many parts; and of each its group, first and end. */
PyObject *groups(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    WengertArrays arrays;
    WengertList list;
    Groups found = {0};
    PyObject *result = NULL;
    if (read_arrays(arguments, &arrays) < 0) return NULL;
    if (copy_list(&arrays, &list) == 0) {
        if (find_groups(&list, &found) < 0) PyErr_NoMemory();
        else result = written(&found, first_result(&list));
    }
    free_groups(&found);
    free_list(&list);
    release_arrays(&arrays);
    return result;
}
