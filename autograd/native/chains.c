/* Neurons that are written with * and +: what tape/chains.py's find_chains() does, with the same result. */
#include "chains.h"

enum { NEVER = INT32_MAX };

/* Of an instruction, the chain of sums that it ends: how many terms it has and how many of these are products; the last term,
   unless it is a whole sum; what that was added to, another chain if `goes_on`; and the first instruction that uses an input,
   a weight or the bias after the chain has. Of each instruction of a neuron, where that stands: at the end of its chain. Of
   each of a chain that was none, that it may be one of a piece of it. */
struct Link {
    int32_t terms, products, term, start, next_use, stands;
    bool goes_on, is_inner, is_piece;
};

enum { NOWHERE = 0 }; /* no chain ends with the first instruction */

static bool varies(const Chains *chains, int32_t variable) { return depends_on_inputs(chains->list, variable); }

static const Instruction *instruction_of(const Chains *chains, int32_t variable)
{
    int32_t k = variable - first_result(chains->list);
    return k < 0 ? NULL : &chains->list->instructions[k];
}

static int32_t earlier(int32_t x, int32_t y) { return x < y ? x : y; }

static void find_uses(Chains *chains)
{
    const WengertList *list = chains->list;
    int32_t *latest = chains->marks, *free = chains->next_uses;
    for (int32_t v = -list->constants; v < list->variables; v++) latest[v] = NEVER, chains->uses[v] = 0;
    for (int32_t i = 0; i < list->outputs; i++) chains->uses[list->output_variables[i]]++;
    for (int32_t k = list->count; k-- > 0;) {
        const Instruction *instruction = &list->instructions[k];
        const int32_t *operands = operands_of(instruction);
        chains->first_uses[k] = latest[first_result(list) + k];
        chains->own[k] = (int32_t)(free - chains->next_uses);
        for (int32_t i = 0; i < instruction->count; i++) *free++ = latest[operands[i]];
        for (int32_t i = 0; i < instruction->count; i++) {
            chains->uses[operands[i]]++;
            if (operands[i] >= 0) latest[operands[i]] = k; /* a constant has no adjoint: its order does not matter */
        }
    }
}

/* Whether it is a product of what varies with what does not, for the chain alone. */
static bool is_product(const Chains *chains, int32_t variable)
{
    const Instruction *instruction = instruction_of(chains, variable);
    return instruction != NULL && chains->uses[variable] == 1 && instruction->row == ROW_multiply &&
           varies(chains, instruction->few[0]) != varies(chains, instruction->few[1]);
}

static bool is_term(const Chains *chains, int32_t variable) { return !varies(chains, variable) || is_product(chains, variable); }

static Link *link_of(const Chains *chains, int32_t variable)
{
    return instruction_of(chains, variable) == NULL ? NULL : &chains->links[variable - first_result(chains->list)];
}

static int32_t next_use_after(const Chains *chains, int32_t k)
{
    const int32_t *next_uses = chains->next_uses + chains->own[k];
    int32_t next_use = NEVER;
    for (int32_t i = 0; i < chains->list->instructions[k].count; i++) next_use = earlier(next_use, next_uses[i]);
    return next_use;
}

static void count_term(const Chains *chains, int32_t term, Link *link)
{
    link->terms++;
    if (!varies(chains, term)) return;
    link->products++;
    link->next_use = earlier(link->next_use, next_use_after(chains, term - first_result(chains->list)));
}

static Link new_link(const Chains *chains, int32_t k) { return (Link){.next_use = next_use_after(chains, k)}; }

/* Goes on with a chain, if it is whole; else one whose inputs are not used before the addition. */
static bool go_on(Chains *chains, int32_t k, int place, bool is_whole)
{
    const int32_t *both = chains->list->instructions[k].few;
    int32_t start = both[place], term = both[1 - place];
    Link *before = link_of(chains, start), *link = &chains->links[k];
    if (before == NULL || before->terms == 0 || before->stands != NOWHERE) return false;
    if (chains->uses[start] != 1 || !is_term(chains, term) || !(is_whole || before->next_use > k)) return false;
    *link = *before;
    link->term = term;
    link->start = start;
    link->goes_on = true;
    link->next_use = earlier(link->next_use, next_use_after(chains, k));
    count_term(chains, term, link);
    before->is_inner = true; /* for the time being */
    return true;
}

static bool begin(Chains *chains, int32_t k, int place)
{
    const int32_t *both = chains->list->instructions[k].few;
    int32_t start = both[place], term = both[1 - place];
    if (!is_product(chains, term)) return false;
    Link *link = &chains->links[k];
    *link = new_link(chains, k);
    link->term = term;
    link->start = start;
    if (is_product(chains, start)) count_term(chains, start, link);
    count_term(chains, term, link);
    return true;
}

static void take_sum(Chains *chains, int32_t k)
{
    const Instruction *sum = &chains->list->instructions[k];
    const int32_t *operands = operands_of(sum);
    for (int32_t i = 0; i < sum->count; i++)
        if (!is_term(chains, operands[i])) return;
    Link *link = &chains->links[k];
    *link = new_link(chains, k);
    for (int32_t i = 0; i < sum->count; i++) count_term(chains, operands[i], link);
}

static bool is_sum(const Chains *chains, const Link *link)
{
    return chains->list->instructions[link - chains->links].row == ROW_sum;
}

/* The chain's terms from the last to the first, and what they are added to, which is then its bias: a variable, or one of the
   constants that are added. */
static int32_t read_terms(const Chains *chains, const Link *link, int32_t *terms)
{
    for (; !is_sum(chains, link); link = link_of(chains, link->start)) {
        *terms++ = link->term;
        if (link->goes_on) continue;
        if (!is_product(chains, link->start)) return link->start;
        *terms = link->start;
        return added_constant(chains->list, NOTHING);
    }
    const Instruction *sum = &chains->list->instructions[link - chains->links];
    for (int32_t i = sum->count; i-- > 0;) *terms++ = operands_of(sum)[i];
    return added_constant(chains->list, ZERO);
}

static int32_t varying_factor(const Chains *chains, int32_t product)
{
    const int32_t *factors = instruction_of(chains, product)->few;
    return factors[varies(chains, factors[1])];
}

/* Whether this is a chain, and no chain goes on from it. */
static bool is_end(const Link *link) { return link->terms > 0 && !link->is_inner && link->stands == NOWHERE; }

/* Counts, for each variable, the chains with a single product whose input it is. */
static void count_single_products(Chains *chains, int32_t *counts)
{
    const WengertList *list = chains->list;
    for (int32_t v = -list->constants; v < list->variables; v++) counts[v] = 0;
    for (int32_t k = 0; k < list->count; k++) {
        const Link *end = &chains->links[k];
        if (!is_end(end) || end->products != 1) continue;
        read_terms(chains, end, chains->room);
        for (int32_t i = 0; i < end->terms; i++)
            if (varies(chains, chains->room[i])) counts[varying_factor(chains, chains->room[i])]++;
    }
}

static bool has_company(const Chains *chains, const Link *end, const int32_t *counts, const int32_t *terms)
{
    for (int32_t i = 0; i < end->terms; i++)
        if (varies(chains, terms[i])) return end->products > 1 || counts[varying_factor(chains, terms[i])] > 1;
    return false;
}

static Link *link_before(const Chains *chains, const Link *link) { return link->goes_on ? link_of(chains, link->start) : NULL; }

/* Which chains are neurons for all that is known by now; the others have no terms then. */
static void choose_chains(Chains *chains, bool is_whole)
{
    int32_t *counts = chains->marks, *terms = chains->room;
    count_single_products(chains, counts);
    for (int32_t k = chains->list->count; k-- > 0;) {
        Link *end = &chains->links[k];
        if (!is_end(end)) continue;
        read_terms(chains, end, terms);
        bool is_chosen = has_company(chains, end, counts, terms) && (is_whole || end->next_use > k);
        for (int32_t i = 0; is_chosen && i < end->terms; i++)
            if (varies(chains, terms[i])) link_of(chains, terms[i])->stands = k;
        for (Link *link = end, *before; link != NULL; link = before) {
            before = link_before(chains, link);
            if (is_chosen) link->stands = k;
            else *link = (Link){0};
        }
    }
}

/* ---- The order */

/* A node is a neuron, known by the last of its instructions, or an instruction that is in none. */
static int32_t node_of(const Chains *chains, int32_t k)
{
    int32_t stands = chains->links[k].stands;
    return stands != NOWHERE ? stands : k;
}

/* A node whose followers are being visited: which of its instructions, and the place among that one's operands. */
typedef struct {
    int32_t node, instruction, place;
} Visit;

/* Of each instruction: when it was visited, NEVER if its component has been found; the lowest number that it leads to; the
   next one of the same neuron, and of a node its first; and its circle, if it is in one. */
typedef struct {
    const Chains *chains;
    int32_t *numbers, *lowest, *next, *firsts, *opened, *circles, *memory;
    Visit *visits;
    int32_t opened_count, visited, ordered;
} Walk;

enum { NONE = -1 };

/* What must come after a node: the next uses of its operands, and the first one of its result. NONE after all of them. */
static int32_t next_follower(const Walk *walk, Visit *visit)
{
    const Chains *chains = walk->chains;
    while (visit->instruction != NONE) {
        int32_t k = visit->instruction, use = NEVER;
        if (visit->place < chains->list->instructions[k].count) {
            use = chains->next_uses[chains->own[k] + visit->place++];
        } else {
            visit->place = 0;
            visit->instruction = walk->next[k];
            if (visit->instruction == NONE) use = chains->first_uses[visit->node];
        }
        if (use != NEVER) return node_of(chains, use);
    }
    return NONE;
}

static void visit_node(Walk *walk, int32_t node, int32_t depth)
{
    walk->numbers[node] = walk->lowest[node] = ++walk->visited;
    walk->opened[walk->opened_count++] = node;
    walk->visits[depth] = (Visit){node, walk->firsts[node], 0};
}

/* The nodes that a visited one leads to and that lead to it; it is the last of them that was opened first. */
static void take_component(Walk *walk, int32_t node)
{
    int32_t *order = walk->chains->order, first = walk->opened_count;
    while (walk->opened[--first] != node);
    for (int32_t i = walk->opened_count; i-- > first;) {
        int32_t member = walk->opened[i];
        walk->numbers[member] = NEVER;
        if (walk->opened_count - first > 1) walk->circles[member] = node;
        order[--walk->ordered] = member;
    }
    walk->opened_count = first;
}

/* The strongly connected components, each after all that it leads to. R. Tarjan, "Depth-first search and linear graph
   algorithms", SIAM Journal on Computing 1 (2), 1972. */
static void walk_from(Walk *walk, int32_t root)
{
    visit_node(walk, root, 0);
    for (int32_t depth = 0; depth >= 0;) {
        int32_t node = walk->visits[depth].node, follower = next_follower(walk, &walk->visits[depth]);
        if (follower == NONE) {
            if (walk->lowest[node] == walk->numbers[node]) take_component(walk, node);
            if (depth-- == 0) continue;
            int32_t *lowest = &walk->lowest[walk->visits[depth].node];
            *lowest = earlier(*lowest, walk->lowest[node]);
        } else if (walk->numbers[follower] == 0) {
            visit_node(walk, follower, ++depth);
        } else {
            if (follower == node) walk->circles[node] = node;
            walk->lowest[node] = earlier(walk->lowest[node], walk->numbers[follower]);
        }
    }
}

static int make_walk(const Chains *chains, Walk *walk)
{
    size_t count = (size_t)chains->list->count;
    *walk = (Walk){.chains = chains, .memory = PyMem_RawCalloc(6 * count, sizeof(int32_t))};
    walk->visits = PyMem_RawMalloc(count * sizeof(Visit));
    if (walk->memory == NULL || walk->visits == NULL) return -1;
    walk->numbers = walk->memory;
    walk->lowest = walk->numbers + count;
    walk->next = walk->lowest + count;
    walk->firsts = walk->next + count;
    walk->opened = walk->firsts + count;
    walk->circles = walk->opened + count;
    for (size_t k = 0; k < count; k++) walk->firsts[k] = walk->circles[k] = NONE;
    for (int32_t k = chains->list->count; k-- > 0;) {
        int32_t node = node_of(chains, k);
        walk->next[k] = walk->firsts[node];
        walk->firsts[node] = k;
    }
    return 0;
}

/* Whether an instruction of a neuron in a circle needs a result of that circle. */
static bool waits(const Walk *walk, int32_t k)
{
    const Chains *chains = walk->chains;
    int32_t first = first_result(chains->list), node = node_of(chains, k);
    const int32_t *operands = operands_of(&chains->list->instructions[k]);
    for (int32_t i = 0; i < chains->list->instructions[k].count; i++) {
        int32_t needed = operands[i] < first ? node : node_of(chains, operands[i] - first);
        if (needed != node && walk->circles[needed] == walk->circles[node]) return true;
    }
    return false;
}

/* Makes pieces of the neurons in circles; if `one_must_wait`, of those that wait. */
static void give_up(Chains *chains, const Walk *walk, bool one_must_wait)
{
    int32_t count = chains->list->count, *is_given_up = walk->lowest; /* of each neuron */
    for (int32_t k = 0; k < count; k++) is_given_up[k] = !one_must_wait && walk->circles[k] != NONE;
    for (int32_t k = 0; one_must_wait && k < count; k++) {
        int32_t stands = chains->links[k].stands;
        if (stands != NOWHERE && walk->circles[stands] != NONE && waits(walk, k)) is_given_up[stands] = true;
    }
    for (int32_t k = 0; k < count; k++) {
        int32_t stands = chains->links[k].stands;
        if (stands == NOWHERE || !is_given_up[stands]) continue;
        chains->links[k] = (Link){.is_piece = true};
        chains->has_pieces = true;
    }
}

/* Writes an order in which each variable is computed first and then used as before, if there is one. If all neurons can stand
   at their ends, it is the list's. Sets whether some would have to come before themselves: circles, from which neurons are
   given up. Returns -1 if memory is short. */
static int put_in_order(Chains *chains, bool one_must_wait, bool *has_circles)
{
    Walk walk;
    int32_t *count = chains->order_count;
    bool is_moved = false;
    *count = 0;
    *has_circles = false;
    for (int32_t k = 0; k < chains->list->count; k++) {
        if (node_of(chains, k) != k) continue;
        chains->order[(*count)++] = k;
        is_moved |= chains->links[k].stands != NOWHERE && chains->links[k].next_use <= k;
    }
    if (!is_moved) return 0;
    int status = make_walk(chains, &walk);
    if (status == 0) {
        walk.ordered = *count;
        for (int32_t k = chains->list->count; k-- > 0;)
            if (node_of(chains, k) == k && walk.numbers[k] == 0) walk_from(&walk, k);
        for (int32_t k = 0; k < chains->list->count; k++) *has_circles |= walk.circles[k] != NONE;
        give_up(chains, &walk, one_must_wait);
    }
    PyMem_RawFree(walk.memory);
    PyMem_RawFree(walk.visits);
    return status;
}

static bool has_sums(const Chains *chains)
{
    const WengertList *list = chains->list;
    for (int32_t k = 0; k < list->count; k++) {
        int32_t row = list->instructions[k].row;
        if ((row == ROW_add || row == ROW_sum) && varies(chains, first_result(list) + k)) return true;
    }
    return false;
}

static void take_chains(Chains *chains, bool is_whole)
{
    const WengertList *list = chains->list;
    for (int32_t k = 0; k < list->count; k++) {
        int32_t row = list->instructions[k].row;
        if (!varies(chains, first_result(list) + k) || !(is_whole || chains->links[k].is_piece)) continue;
        if (row == ROW_sum) take_sum(chains, k);
        if (row == ROW_add) (void)(go_on(chains, k, 0, is_whole) || go_on(chains, k, 1, is_whole) ||
                                   begin(chains, k, 0) || begin(chains, k, 1));
    }
    choose_chains(chains, is_whole);
}

/* Whole chains; then those that do not wait for what comes after them; then pieces of the others; then those in no circle. */
static int find_neurons(Chains *chains)
{
    enum { WHOLE, PIECES = 2, TRIALS = 4 };
    if (has_sums(chains)) find_uses(chains);
    for (int trial = WHOLE; trial < TRIALS; trial++) {
        bool has_circles;
        if (has_sums(chains) && (trial == WHOLE || trial == PIECES)) take_chains(chains, trial == WHOLE);
        if (put_in_order(chains, trial == WHOLE, &has_circles) < 0) return -1;
        if (!has_circles && (!chains->has_pieces || trial == PIECES)) break;
    }
    return 0;
}

/* ---- What has been found */

bool is_neuron(const Chains *chains, int32_t k) { return k != NOWHERE && chains->links[k].stands == k; }

int32_t length_of_neuron(const Chains *chains, int32_t k) { return chains->links[k].terms; }

int32_t read_neuron(const Chains *chains, int32_t k, int32_t *weights, int32_t *inputs)
{
    int32_t n = length_of_neuron(chains, k), *terms = chains->room, bias = read_terms(chains, &chains->links[k], terms);
    for (int32_t i = 0; i < n; i++) {
        int32_t term = terms[n - 1 - i];
        weights[i] = term;
        inputs[i] = added_constant(chains->list, ONE);
        if (!varies(chains, term)) continue;
        const int32_t *factors = instruction_of(chains, term)->few;
        weights[i] = factors[1 - varies(chains, factors[1])];
        inputs[i] = varying_factor(chains, term);
    }
    return bias;
}

/* ---- All of it */

static size_t count_operands(const WengertList *list)
{
    size_t count = 0;
    for (int32_t k = 0; k < list->count; k++) count += (size_t)list->instructions[k].count;
    return count;
}

/* Each link adds one, but a sum all of its operands, and the first link two. */
size_t most_terms_of_chains(const WengertList *list)
{
    size_t count = 0;
    for (int32_t k = 0; k < list->count; k++)
        count += list->instructions[k].row == ROW_sum ? (size_t)list->instructions[k].count : 2;
    return count;
}

static int take_memory(Chains *chains)
{
    const WengertList *list = chains->list;
    size_t count = (size_t)list->count + 1, variables = (size_t)list->constants + (size_t)list->variables + 1;
    chains->links = PyMem_RawCalloc(count, sizeof(Link));
    chains->of_variables = PyMem_RawMalloc(2 * variables * sizeof(int32_t));
    chains->own = PyMem_RawMalloc((2 * count + count_operands(list) + most_terms_of_chains(list)) * sizeof(int32_t));
    if (!chains->links || !chains->of_variables || !chains->own) return -1;
    chains->uses = chains->of_variables + list->constants;
    chains->marks = chains->uses + variables;
    chains->first_uses = chains->own + count;
    chains->next_uses = chains->first_uses + count;
    chains->room = chains->next_uses + count_operands(list);
    return 0;
}

int find_chains(const WengertList *list, Chains *chains, int32_t *order, int32_t *order_count)
{
    *chains = (Chains){.list = list, .order = order, .order_count = order_count};
    return take_memory(chains) < 0 ? -1 : find_neurons(chains);
}

void free_chains(Chains *chains)
{
    PyMem_RawFree(chains->links);
    PyMem_RawFree(chains->of_variables);
    PyMem_RawFree(chains->own);
}
