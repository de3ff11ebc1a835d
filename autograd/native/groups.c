/* The groups of a Wengert list: what tape/groups.py's grouped() does, with the same result. */
#include "groups.h"
#include "tables.h"

enum { NEVER = INT32_MAX };

/* An instruction, or a chain that is a neuron. */
typedef struct {
    int32_t row, length, result, bias;
    const int32_t *weights, *inputs; /* of a neuron */
    const int32_t *operands;         /* of any other instruction */
    int32_t count;
    int32_t group, place;            /* which of the group's results this is */
    int32_t stands;                  /* the result in whose place it is computed */
} Unit;

/* Of an instruction, the chain of sums that it ends: how many terms it has and how many of these are products; the last term,
   unless it is a whole sum; what that was added to, another chain if `goes_on`; the first instruction that uses an input, a
   weight or the bias after the chain has; the instruction at whose place the neuron stands; the latest of its products; the
   latest variable of what it adds that is no product; and whether nothing else uses that, so that its use may stand anywhere.
   Of an instruction that is the place of a neuron, `end` is the one that ends its chain: it may add a bias later. */
typedef struct {
    int32_t terms, products, term, start, next_use, place, end, last_product, known;
    bool goes_on, is_inner, can_be_early;
} Link;

enum { NO_END = 0 }; /* no chain ends with the first instruction */

typedef struct {
    const WengertList *list;
    Groups *groups;
    Unit *units;
    int32_t unit_count;
    Link *links;
    int32_t *uses, *next_uses; /* of each variable; of each operand of an instruction of two, of a sum the earliest */
    int32_t *room;             /* for the weights and inputs of chains */
    int32_t *depths;           /* of each variable */
    int32_t *marks;            /* of each variable: the latest unit that has looked at it, or part that has used it */
    int32_t *of_variables, *of_instructions, *latest_parts;
    Table table;
} Search;

static bool varies(const Search *search, int32_t variable)
{
    return search->list->dependences[variable] & ON_INPUTS;
}

static const Instruction *instruction_of(const Search *search, int32_t variable)
{
    int32_t k = variable - first_result(search->list);
    return k < 0 ? NULL : &search->list->instructions[k];
}

/* ---- Chains */

static int32_t earlier(int32_t x, int32_t y) { return x < y ? x : y; }

static void find_uses(Search *search)
{
    const WengertList *list = search->list;
    int32_t *latest = search->marks;
    for (int32_t v = -list->constants; v < list->variables; v++) latest[v] = NEVER, search->uses[v] = 0;
    for (int32_t i = 0; i < list->outputs; i++) search->uses[list->output_variables[i]]++;
    for (int32_t k = list->count; k-- > 0;) {
        const Instruction *instruction = &list->instructions[k];
        const int32_t *operands = operands_of(instruction);
        int32_t *next_uses = &search->next_uses[2 * k];
        if (instruction->row == ROW_sum) {
            *next_uses = NEVER;
            for (int32_t i = 0; i < instruction->count; i++) *next_uses = earlier(*next_uses, latest[operands[i]]);
        } else if (instruction->count == 2) {
            for (int i = 0; i < 2; i++) next_uses[i] = latest[operands[i]];
        }
        for (int32_t i = 0; i < instruction->count; i++) {
            search->uses[operands[i]]++;
            if (operands[i] >= 0) latest[operands[i]] = k; /* a constant has no adjoint: its order does not matter */
        }
    }
}

/* Whether it is a product of what varies with what does not, for the chain alone. */
static bool is_product(const Search *search, int32_t variable)
{
    const Instruction *instruction = instruction_of(search, variable);
    return instruction != NULL && search->uses[variable] == 1 && instruction->row == ROW_multiply &&
           varies(search, instruction->few[0]) != varies(search, instruction->few[1]);
}

static bool is_term(const Search *search, int32_t variable) { return !varies(search, variable) || is_product(search, variable); }

static Link *link_of(const Search *search, int32_t variable)
{
    return instruction_of(search, variable) == NULL ? NULL : &search->links[variable - first_result(search->list)];
}

static void count_other(const Search *search, int32_t variable, Link *link)
{
    if (variable > link->known) link->known = variable;
    link->can_be_early &= variable < 0 || search->uses[variable] == 1;
}

static void count_term(const Search *search, int32_t term, Link *link)
{
    link->terms++;
    if (!varies(search, term)) {
        count_other(search, term, link);
        return;
    }
    int32_t product = term - first_result(search->list);
    const int32_t *next_uses = &search->next_uses[2 * product];
    link->products++;
    link->next_use = earlier(link->next_use, earlier(next_uses[0], next_uses[1]));
    if (product > link->last_product) link->last_product = product;
}

static bool may_stand_by_its_products(const Search *search, const Link *link)
{
    return link->can_be_early && link->known < first_result(search->list) + link->last_product &&
           link->last_product < link->next_use;
}

/* With the addition k. It stands there; or where its last product does, if its inputs are used in between. */
static void settle(const Search *search, int32_t k, Link *link)
{
    link->place = link->next_use <= k && may_stand_by_its_products(search, link) ? link->last_product : k;
}

/* What is added later, when other neurons have used the inputs, is a bias that was there before and that nothing else uses; or
   a product that was there before. */
static bool can_go_on(const Search *search, int32_t k, int place)
{
    const int32_t *both = search->list->instructions[k].few;
    int32_t start = both[place], term = both[1 - place];
    const Link *link = link_of(search, start);
    if (link == NULL || link->terms == 0 || search->uses[start] != 1 || !is_term(search, term)) return false;
    if (link->next_use > k) return true;
    if (varies(search, term)) {
        Link longer = *link;
        count_term(search, term, &longer);
        return may_stand_by_its_products(search, &longer);
    }
    return term < 0 || (search->uses[term] == 1 && term < first_result(search->list) + link->place);
}

static bool go_on(Search *search, int32_t k, int place)
{
    const int32_t *both = search->list->instructions[k].few;
    int32_t start = both[place], term = both[1 - place];
    if (!can_go_on(search, k, place)) return false;
    Link *before = link_of(search, start), *link = &search->links[k];
    *link = *before;
    link->term = term;
    link->start = start;
    link->goes_on = true;
    bool is_late_bias = link->next_use <= k && !varies(search, term);
    if (!varies(search, term)) link->next_use = earlier(link->next_use, search->next_uses[2 * k + 1 - place]);
    count_term(search, term, link);
    if (!is_late_bias) settle(search, k, link);
    before->is_inner = true; /* for the time being */
    return true;
}

static Link new_link(void) { return (Link){.next_use = NEVER, .last_product = -1, .known = -1, .can_be_early = true}; }

static bool begin(Search *search, int32_t k, int place)
{
    const int32_t *both = search->list->instructions[k].few;
    int32_t start = both[place], term = both[1 - place];
    if (!is_product(search, term)) return false;
    Link *link = &search->links[k];
    *link = new_link();
    link->term = term;
    link->start = start;
    if (is_product(search, start)) {
        count_term(search, start, link);
    } else {
        link->next_use = search->next_uses[2 * k + place];
        count_other(search, start, link);
    }
    count_term(search, term, link);
    settle(search, k, link);
    return true;
}

static void take_sum(Search *search, int32_t k)
{
    const Instruction *sum = &search->list->instructions[k];
    const int32_t *operands = operands_of(sum);
    for (int32_t i = 0; i < sum->count; i++)
        if (!is_term(search, operands[i])) return;
    Link *link = &search->links[k];
    *link = new_link();
    link->next_use = search->next_uses[2 * k];
    for (int32_t i = 0; i < sum->count; i++) count_term(search, operands[i], link);
    settle(search, k, link);
}

static bool is_sum(const Search *search, const Link *link)
{
    return search->list->instructions[link - search->links].row == ROW_sum;
}

/* The chain's terms from the last to the first, and what they are added to, which is then its bias: a variable, or one of the
   constants that are added. */
static int32_t read_terms(const Search *search, const Link *link, int32_t *terms)
{
    for (; !is_sum(search, link); link = link_of(search, link->start)) {
        *terms++ = link->term;
        if (link->goes_on) continue;
        if (!is_product(search, link->start)) return link->start;
        *terms = link->start;
        return added_constant(search->list, NOTHING);
    }
    const Instruction *sum = &search->list->instructions[link - search->links];
    for (int32_t i = sum->count; i-- > 0;) *terms++ = operands_of(sum)[i];
    return added_constant(search->list, ZERO);
}

static int32_t varying_factor(const Search *search, int32_t product)
{
    const int32_t *factors = instruction_of(search, product)->few;
    return factors[varies(search, factors[1])];
}

/* Counts, for each variable, the chains with a single product whose input it is. */
static void count_single_products(Search *search, int32_t *counts)
{
    const WengertList *list = search->list;
    for (int32_t v = -list->constants; v < list->variables; v++) counts[v] = 0;
    for (int32_t k = 0; k < list->count; k++) {
        const Link *end = &search->links[k];
        if (end->terms == 0 || end->is_inner || end->products != 1 || end->next_use <= end->place) continue;
        read_terms(search, end, search->room);
        for (int32_t i = 0; i < end->terms; i++)
            if (varies(search, search->room[i])) counts[varying_factor(search, search->room[i])]++;
    }
}

static bool is_neuron(const Search *search, const Link *end, const int32_t *counts, const int32_t *terms)
{
    if (end->next_use <= end->place) return false;
    for (int32_t i = 0; i < end->terms; i++)
        if (varies(search, terms[i])) return end->products > 1 || counts[varying_factor(search, terms[i])] > 1;
    return false;
}

/* Marks what is inside of the chains that are neurons, and unmarks the others, which have no terms then. */
static void choose_chains(Search *search)
{
    int32_t *counts = search->marks, *terms = search->room;
    count_single_products(search, counts);
    for (int32_t k = search->list->count; k-- > 0;) {
        Link *end = &search->links[k];
        if (end->terms == 0 || end->is_inner) continue;
        read_terms(search, end, terms);
        bool is_inner = is_neuron(search, end, counts, terms);
        for (int32_t i = 0; i < end->terms; i++)
            if (varies(search, terms[i])) link_of(search, terms[i])->is_inner = is_inner;
        for (Link *link = end, *before; link != NULL; link = before) {
            before = link->goes_on ? link_of(search, link->start) : NULL;
            if (before != NULL) before->is_inner = is_inner;
            if (!is_inner) link->terms = 0;
        }
        if (is_inner) search->links[end->place].end = k;
    }
}

static void find_chains(Search *search)
{
    const WengertList *list = search->list;
    int32_t first = first_result(list), sums = 0;
    for (int32_t k = 0; k < list->count; k++)
        sums += (list->instructions[k].row == ROW_add || list->instructions[k].row == ROW_sum) && varies(search, first + k);
    if (sums == 0) return;
    find_uses(search);
    for (int32_t k = 0; k < list->count; k++) {
        int32_t row = list->instructions[k].row;
        if (!varies(search, first + k)) continue;
        if (row == ROW_sum) take_sum(search, k);
        if (row == ROW_add) (void)(go_on(search, k, 0) || go_on(search, k, 1) || begin(search, k, 0) || begin(search, k, 1));
    }
    choose_chains(search);
}

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
        *unit = (Unit){PRODUCT, n, unit->result, bias, weights, inputs, .stands = unit->stands};
        return;
    }
}

static void read_chain(Search *search, const Link *end, Unit *unit)
{
    int32_t n = end->terms, *weights = search->room, *inputs = weights + n, *terms = inputs + n;
    int32_t bias = read_terms(search, end, terms);
    for (int32_t i = 0; i < n; i++) {
        int32_t term = terms[n - 1 - i];
        weights[i] = term;
        inputs[i] = added_constant(search->list, ONE);
        if (!varies(search, term)) continue;
        const int32_t *factors = instruction_of(search, term)->few;
        weights[i] = factors[1 - varies(search, factors[1])];
        inputs[i] = varying_factor(search, term);
    }
    search->room += 2 * n;
    *unit = (Unit){PRODUCT, n, unit->result, bias, weights, inputs, .stands = unit->stands};
}

static void find_units(Search *search)
{
    const WengertList *list = search->list;
    int32_t first = first_result(list), mark = -1;
    for (int32_t v = -list->constants; v < list->variables; v++) search->marks[v] = -1;
    for (int32_t k = 0; k < list->count; k++) {
        const Instruction *instruction = &list->instructions[k];
        const Link *link = &search->links[k];
        if (!varies(search, first + k) || (link->end == NO_END && (link->is_inner || link->terms > 0))) continue;
        Unit *unit = &search->units[search->unit_count++];
        *unit = (Unit){
            .row = instruction->row, .length = length_of_sequences(instruction),
            .result = first + (link->end == NO_END ? k : link->end),
            .operands = operands_of(instruction), .count = instruction->count, .stands = first + k,
        };
        if (link->end != NO_END) read_chain(search, &search->links[link->end], unit);
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

/* How many variables a group names: its results, and of a product the weights, inputs, biases and where neurons stand. */
static size_t count_numbers(const Group *group)
{
    size_t count = (size_t)group->count, length = (size_t)group->length;
    return group->row == PRODUCT ? count * (length + 3) + length : count;
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
        group->results = group->stands = memory;
        memory += group->count;
        if (group->row != PRODUCT) continue;
        group->weights = memory;
        group->biases = memory + (size_t)group->count * (size_t)group->length;
        group->stands = group->biases + group->count;
        group->inputs = group->stands + group->count;
        memory = group->stands + group->count + group->length;
    }
    for (const Unit *unit = search->units; unit < search->units + search->unit_count; unit++) {
        Group *group = &groups->groups[unit->group];
        size_t size = (size_t)unit->length * sizeof(int32_t);
        group->results[unit->place] = unit->result;
        if (unit->row != PRODUCT) continue;
        memcpy(group->weights + (size_t)unit->place * (size_t)unit->length, unit->weights, size);
        if (unit->place == 0) memcpy(group->stands + group->count, unit->inputs, size);
        group->biases[unit->place] = unit->bias;
        group->stands[unit->place] = unit->stands;
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
    int32_t *firsts = search->next_uses, *units = firsts + list->count + 1; /* of each group the first place of its units */
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

/* How many terms all chains have at most: each link adds one, but a sum all of its operands, and the first link two. */
static size_t most_terms(const WengertList *list)
{
    size_t count = 0;
    for (int32_t k = 0; k < list->count; k++)
        count += list->instructions[k].row == ROW_sum ? (size_t)list->instructions[k].count : 2;
    return count;
}

static int take_memory(Search *search)
{
    const WengertList *list = search->list;
    size_t count = (size_t)list->count + 1, variables = (size_t)list->constants + (size_t)list->variables + 1;
    search->units = PyMem_RawMalloc(count * sizeof(Unit));
    search->links = PyMem_RawCalloc(count, sizeof(Link));
    search->of_variables = PyMem_RawMalloc(3 * variables * sizeof(int32_t));
    search->of_instructions = PyMem_RawMalloc((6 * (count + 1) + 3 * most_terms(list)) * sizeof(int32_t));
    if (!search->units || !search->links || !search->of_variables || !search->of_instructions) return -1;
    search->uses = search->of_variables + list->constants;
    search->marks = search->uses + variables;
    search->depths = search->marks + variables;
    search->latest_parts = search->of_instructions + 3 * (count + 1);
    search->next_uses = search->latest_parts + (count + 1);
    search->room = search->next_uses + 2 * (count + 1);
    return 0;
}

int find_groups(const WengertList *list, Groups *groups)
{
    Search search = {.list = list, .groups = groups};
    *groups = (Groups){0};
    int status = take_memory(&search);
    if (status == 0) {
        find_chains(&search);
        find_units(&search);
        status = make_groups(&search) < 0 || make_parts(&search) < 0 ? -1 : 0;
    }
    void *memory[] = {search.units, search.links, search.of_variables, search.of_instructions, search.table.numbers};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) PyMem_RawFree(memory[i]);
    return status;
}

void free_groups(Groups *groups)
{
    PyMem_RawFree(groups->groups);
    PyMem_RawFree(groups->parts);
    PyMem_RawFree(groups->memory);
}

/* ---- For Python */

static void append(int32_t **numbers, const int32_t *others, size_t count)
{
    memcpy(*numbers, others, count * sizeof(int32_t));
    *numbers += count;
}

static PyObject *written(const Groups *groups)
{
    size_t count = 2 + 3 * ((size_t)groups->group_count + (size_t)groups->part_count);
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
        append(&numbers, group->stands, (size_t)group->count);
    }
    append(&numbers, &groups->part_count, 1);
    for (const Part *part = groups->parts; part < groups->parts + groups->part_count; part++)
        append(&numbers, (int32_t[]){part->group, part->first, part->end}, 3);
    return bytes;
}

/* groups(inputs, parameters, constants, rows, lengths, operands, outputs) -> bytes: how many groups there are; of each its row,
   length and count, its results, and of a product the weights, inputs, biases and where its neurons stand; how many parts;
   and of each its group, first and end. */
PyObject *groups(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    WengertArrays arrays;
    WengertList list;
    Groups found = {0};
    PyObject *result = NULL;
    if (read_arrays(arguments, &arrays) < 0) return NULL;
    if (copy_list(&arrays, &list) == 0) {
        if (find_groups(&list, &found) < 0) PyErr_NoMemory();
        else result = written(&found);
    }
    free_groups(&found);
    free_list(&list);
    release_arrays(&arrays);
    return result;
}
