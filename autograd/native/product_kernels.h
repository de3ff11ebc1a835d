/* Products over a block of examples, in tiles whose sums stay in registers.

   Included after lane_kernels.h, with TILE_ROWS, TILE_LANES, WEIGHT_ROWS, WEIGHT_COLUMNS and DOT_LANES, which say how large
   the tiles are that fit into this instruction set's registers. The numbers do not depend on them: each sum is taken by itself, in the
   order of its terms, and nothing is fused or re-associated. */

/* ---- Rows from terms: row_r = start_r + sum over t of weight_rt term_t. Forward, the rows are neurons and the terms inputs;
   backward, the rows are inputs' adjoints and the terms the adjoints of neurons. */

enum { FEW_ROWS = 2, LANES_OF_FEW = 32 }; /* with few rows, more lanes, so that enough sums are under way at once */

typedef struct {
    int32_t rows, terms, first, end; /* of the terms, those from `first` to before `end` */
    const double *weights;
    const int32_t *starts;           /* where those of each neuron begin */
    const double *term_numbers;      /* where the terms' slots lie */
    const int32_t *term_slots;
    double *row_numbers;
    const int32_t *row_slots;
    const double *start_numbers;     /* where the starts' slots lie */
    const int32_t *start_slots;
    const int32_t *start_variables;  /* where they have no slots */
    const Gates *gates;              /* NULL if there are none */
} Multiplication;

LANES_INLINE void multiply_tile(const Multiplication *m, const Block *block, int32_t row, Py_ssize_t lane, const int rows,
                                const int vectors, const bool is_backward, const bool has_gates, const Gate *gate)
{
    Vector sums[TILE_ROWS][LANES_OF_FEW / WIDTH];
    const double *of_neurons[TILE_ROWS];
    UNROLLED for (int r = 0; r < rows; r++) {
        if (!is_backward) of_neurons[r] = m->weights + m->starts[row + r];
        UNROLLED for (int v = 0; v < vectors; v++) {
            if (m->start_slots == NULL) fill(&sums[r][v], *of_variable(&block->numbers, m->start_variables[row + r]));
            else sums[r][v] = vector_at(m->start_numbers + m->start_slots[row + r] * block->stride + lane)[v];
        }
    }
    for (int32_t t = m->first;; t++) {
        for (int32_t end = has_gates && gate->term < m->end ? gate->term : m->end; t < end; t++) {
            const double *of_neuron = is_backward ? m->weights + m->starts[m->terms - 1 - t] + row : NULL;
            const Vector *term = vector_at(m->term_numbers + m->term_slots[t] * block->stride + lane);
            UNROLLED for (int r = 0; r < rows; r++)
                UNROLLED for (int v = 0; v < vectors; v++)
                    sums[r][v] += (is_backward ? of_neuron[r] : of_neurons[r][t]) * term[v];
        }
        if (!has_gates || t == m->end) break;
        const double *of_neuron = is_backward ? m->weights + m->starts[m->terms - 1 - t] + row : NULL;
        const Vector *term = vector_at(m->term_numbers + m->term_slots[t] * block->stride + lane);
        UNROLLED for (int r = 0; r < rows; r++) {
            if (gate->row == row + r && gate->term == t) {
                const Vector *weight = vector_at(slot_of(block->values, gate++->slot, block) + lane);
                UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += weight[v] * term[v];
            } else {
                UNROLLED for (int v = 0; v < vectors; v++)
                    sums[r][v] += (is_backward ? of_neuron[r] : of_neurons[r][t]) * term[v];
            }
        }
    }
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++)
            vector_at(m->row_numbers + m->row_slots[row + r] * block->stride + lane)[v] = sums[r][v];
}

/* One tile over many lanes, or over EIGHT. */
#define TILE_OF(ROWS)                                                                                                   \
    case ROWS:                                                                                                          \
        if (is_wide)                                                                                                    \
            multiply_tile(m, block, row, lane, ROWS, (ROWS <= FEW_ROWS ? LANES_OF_FEW : TILE_LANES) / WIDTH,            \
                          is_backward, has_gates, gate);                                                                \
        else multiply_tile(m, block, row, lane, ROWS, VECTORS_OF_EIGHT, is_backward, has_gates, gate);                  \
        break;

LANES_INLINE void multiply_rows(const Multiplication *m, const Block *block, int32_t row, int32_t rows, Py_ssize_t lane,
                                bool is_wide, const bool is_backward, const bool has_gates, const Gate *gate)
{
    switch (rows) {
        TILE_OF(1)
        TILE_OF(2)
        TILE_OF(3)
#if MOST_TILE_ROWS >= 6
        TILE_OF(4)
        TILE_OF(5)
        TILE_OF(6)
#endif
#if MOST_TILE_ROWS >= 8
        TILE_OF(7)
        TILE_OF(8)
#endif
    }
}

/* The first of some gates, of which the last is none, of this term or a later one. */
static inline const Gate *first_gate(const Gate *gates, int32_t count, int32_t term)
{
    int32_t before = -1;
    for (int32_t after = count - 1; after - before > 1;) {
        int32_t middle = before + (after - before) / 2;
        if (gates[middle].term < term) before = middle;
        else after = middle;
    }
    return &gates[before + 1];
}

LANES_INLINE const Gate *gates_of_tile(const Multiplication *m, int32_t tile)
{
    const int32_t *starts = m->gates->starts + tile;
    return first_gate(m->gates->gates + starts[0], starts[1] - starts[0], m->first);
}

LANES_INLINE void multiply_tiles(const Multiplication *m, const Block *block, const bool is_backward, const bool has_gates)
{
    int32_t tiles = count_tiles(m->rows, TILE_ROWS);
    Py_ssize_t wide = m->rows <= FEW_ROWS ? LANES_OF_FEW : TILE_LANES, end = filled_up(block->count);
    for (Py_ssize_t lane = 0, width; lane < end; lane += width) {
        width = lane + wide <= end ? wide : EIGHT;
        for (int32_t tile = 0, row = 0, next; tile < tiles; tile++, row = next) {
            const Gate *gate = has_gates ? gates_of_tile(m, tile) : NULL;
            next = first_row(m->rows, tiles, tile + 1);
            multiply_rows(m, block, row, next - row, lane, width > EIGHT, is_backward, has_gates, gate);
        }
    }
}

/* Apart, so that what most products need stays together. */
KERNEL NEVER_INLINE void multiply_gated(const Multiplication *m, const Block *block, bool is_backward)
{
    if (is_backward) multiply_tiles(m, block, true, true);
    else multiply_tiles(m, block, false, true);
}

LANES_INLINE void multiply(const Multiplication *m, const Block *block, const bool is_backward)
{
    if (m->gates == NULL) multiply_tiles(m, block, is_backward, false);
    else multiply_gated(m, block, is_backward);
}

KERNEL static void product_forward(const Step *step, Block *block)
{
    const Product *product = step->product;
    const Multiplication m = {
        product->neurons, product->length, 0, product->length,
        product->has_rows ? block->numbers.parameters : block->packed, product->starts, block->values, product->inputs,
        block->values, product->results, block->values, product->bias_slots, product->biases,
        product->gate_count > 0 ? &product->of_neurons : NULL,
    };
    multiply(&m, block, false);
}

/* And to those of their gates. */
LANES_INLINE void push_to_gates(const Product *product, Block *block, int32_t first, int32_t end)
{
    for (int32_t g = product->gates_before[end]; g-- > product->gates_before[first];) {
        const Gate *gate = &product->gates[g];
        if (!block->is_active[gate->slot]) continue;
        const double *adjoint = slot_of(block->adjoints, product->results[gate->row], block);
        const double *input = slot_of(block->values, product->inputs[gate->term], block);
        double *restrict pushed = slot_of(block->adjoints, gate->slot, block);
        for (Py_ssize_t i = 0; i < block->count; i++) pushed[i] += input[i] * adjoint[i];
    }
}

/* What the adjoints of some neurons, from the last to the first, add to those of the inputs, of gates, and of biases in slots. */
KERNEL static void push_to_inputs(const Product *product, Block *block, int32_t first, int32_t end)
{
    const Multiplication m = {
        product->length, product->neurons, product->neurons - end, product->neurons - first,
        product->has_rows ? block->numbers.parameters : block->packed, product->starts, block->adjoints,
        product->reversed_results, block->adjoints, product->inputs, block->adjoints, product->inputs, NULL,
        product->gate_count > 0 ? &product->of_inputs : NULL,
    };
    if (product->is_pushed[block->for_inputs]) multiply(&m, block, true);
    if (product->gate_count > 0) push_to_gates(product, block, first, end);
    for (int32_t j = end; product->bias_slots != NULL && j-- > first;) {
        if (!block->is_active[product->bias_slots[j]]) continue;
        const double *adjoint = slot_of(block->adjoints, product->results[j], block);
        double *restrict pushed = slot_of(block->adjoints, product->bias_slots[j], block);
        for (Py_ssize_t i = 0; i < block->count; i++) pushed[i] += adjoint[i];
    }
}

/* ---- Weights: the adjoint of weight_jk is the sum over the examples of input_k times the adjoint of neuron j */

enum { INPUTS_AT_ONCE = 240 }; /* whatever the instruction set */

/* Makes zeros of what fills up the last EIGHT, so that it adds nothing to the sums. */
LANES_INLINE void clear_rest(double *numbers, const int32_t *slots, int32_t count, const Block *block)
{
    for (int32_t k = 0; k < count; k++)
        for (Py_ssize_t i = block->count; i < filled_up(block->count); i++) numbers[slots[k] * block->stride + i] = 0.0;
}

/* Where the sums of a neuron's weights go on in the next block of a fold, and after them that of its bias. */
LANES_INLINE double *kept_sums(const Product *product, const Block *block, int32_t neuron)
{
    return block->sums + product->sums + (Py_ssize_t)neuron * (product->length + 1) * EIGHT;
}

/* Sums begin at 0, or where the block before has left them. */
LANES_INLINE void begin_sums(Vector *sums, const double *kept, bool begins)
{
    for (int v = 0; v < VECTORS_OF_EIGHT; v++) {
        if (begins) fill(&sums[v], 0.0);
        else sums[v] = vector_at(kept)[v];
    }
}

LANES_INLINE void keep_sums(const Vector *sums, double *eight)
{
    for (int v = 0; v < VECTORS_OF_EIGHT; v++) vector_at(eight)[v] = sums[v];
}

LANES_INLINE double total_of(const Vector *sums)
{
    double eight[EIGHT];
    keep_sums(sums, eight);
    return sum_of_eight(eight);
}

#if defined(__has_builtin) && VECTOR_DOUBLES >= 4
#if __has_builtin(__builtin_shufflevector)
#define HAS_SHUFFLES
typedef double Four __attribute__((vector_size(4 * sizeof(double)), aligned(sizeof(double)), may_alias));

LANES_INLINE Four four_of(const Vector *sums)
{
    double eight[EIGHT];
    keep_sums(sums, eight);
    return ((const Four *)eight)[0] + ((const Four *)eight)[1];
}

/* What sum_of_eight() computes, for four at once. */
LANES_INLINE void add_up_four(Vector (*sums)[VECTORS_OF_EIGHT], double *totals)
{
    Four a = four_of(sums[0]), b = four_of(sums[1]), c = four_of(sums[2]), d = four_of(sums[3]);
    Four of_ac = __builtin_shufflevector(a, c, 0, 1, 4, 5) + __builtin_shufflevector(a, c, 2, 3, 6, 7);
    Four of_bd = __builtin_shufflevector(b, d, 0, 1, 4, 5) + __builtin_shufflevector(b, d, 2, 3, 6, 7);
    *(Four *)totals = __builtin_shufflevector(of_ac, of_bd, 0, 4, 2, 6) + __builtin_shufflevector(of_ac, of_bd, 1, 5, 3, 7);
}
#endif
#endif

LANES_INLINE void add_up(Vector (*sums)[VECTORS_OF_EIGHT], const int count, double *totals)
{
    int k = 0;
#if defined(HAS_SHUFFLES)
    for (; k + 4 <= count; k += 4) add_up_four(sums + k, totals + k);
#endif
    for (; k < count; k++) totals[k] = total_of(sums[k]);
}

/* Some neurons' weights of some inputs: their sums over the fold, if the block ends it, neuron by neuron. */
LANES_INLINE void weights_of_tile(const Product *product, Block *block, int32_t neuron, int32_t input, const int neurons,
                                  const int inputs, const bool is_whole, double *totals)
{
    const double *x[WEIGHT_COLUMNS], *adjoint[WEIGHT_ROWS];
    double *kept[WEIGHT_ROWS];
    Vector sums[WEIGHT_ROWS][WEIGHT_COLUMNS][VECTORS_OF_EIGHT];
    for (int k = 0; k < inputs; k++) x[k] = slot_of(block->values, product->inputs[input + k], block);
    for (int j = 0; j < neurons; j++) {
        adjoint[j] = slot_of(block->adjoints, product->results[neuron + j], block);
        kept[j] = kept_sums(product, block, neuron + j) + (Py_ssize_t)input * EIGHT;
    }
    for (int j = 0; j < neurons; j++)
        for (int k = 0; k < inputs; k++) begin_sums(sums[j][k], kept[j] + k * EIGHT, is_whole || block->begins);
    for (Py_ssize_t i = 0; i < block->count; i += EIGHT)
        for (int v = 0; v < VECTORS_OF_EIGHT; v++) {
            Vector of_inputs[WEIGHT_COLUMNS];
            for (int k = 0; k < inputs; k++) of_inputs[k] = vector_at(x[k] + i)[v];
            for (int j = 0; j < neurons; j++) {
                Vector given = vector_at(adjoint[j] + i)[v];
                for (int k = 0; k < inputs; k++) sums[j][k][v] += of_inputs[k] * given;
            }
        }
    for (int j = 0; j < neurons; j++) {
        if (is_whole || block->ends)
            add_up(sums[j], inputs, totals + j * INPUTS_AT_ONCE);
        else
            for (int k = 0; k < inputs; k++) keep_sums(sums[j][k], kept[j] + k * EIGHT);
    }
}

static inline bool is_needed(const Product *product, const Block *block, int32_t neuron)
{
    return block->is_needed == NULL || block->is_needed[product->variables[neuron]];
}

/* A neuron's sums over the examples are added to what its weights have, from `first` to before `end`. */
LANES_INLINE void add_to_weights(const Product *product, Block *block, int32_t neuron, int32_t first, int32_t end,
                                 const double *totals)
{
    const int32_t *weights = product->weights + (Py_ssize_t)neuron * product->length;
    if (!is_needed(product, block, neuron)) return;
    double *row = block->total.parameters + product->starts[neuron]; /* where it has one */
    if (product->has_rows)
        for (int32_t k = first; k < end; k++) row[k] += totals[k - first];
    else
        for (int32_t k = first; k < end; k++) *of_variable(&block->total, weights[k]) += totals[k - first];
}

/* Some neurons' weights of the inputs from `first` to before `end`, which are few enough to stay in the nearest cache. */
LANES_INLINE void weights_of_neurons(const Product *product, Block *block, int32_t neuron, int32_t first, int32_t end,
                                     const int neurons, const bool is_whole)
{
    double totals[WEIGHT_ROWS][INPUTS_AT_ONCE];
    int32_t k = first;
    for (; k + WEIGHT_COLUMNS <= end; k += WEIGHT_COLUMNS)
        weights_of_tile(product, block, neuron, k, neurons, WEIGHT_COLUMNS, is_whole, &totals[0][k - first]);
    for (; k < end; k++) weights_of_tile(product, block, neuron, k, neurons, 1, is_whole, &totals[0][k - first]);
    for (int j = 0; block->ends && j < neurons; j++)
        add_to_weights(product, block, neuron + j, first, end, totals[j]);
}

/* ---- Up to EIGHT examples: the sums of a neuron's weights are taken side by side. What would fill up the EIGHT is left out. */

/* One sum for each of WIDTH weights, in the order of sum_of_eight(). */
LANES_INLINE Vector sum_of_few(const double (*x)[INPUTS_AT_ONCE], const Vector *given, int32_t k, const int examples)
{
    Vector terms[EIGHT];
    for (int i = 0; i < examples; i++) terms[i] = *vector_at(x[i] + k) * given[i];
    for (int half = EIGHT / 2; half > 0; half /= 2)
        for (int i = 0; i < half && i + half < examples; i++) terms[i] += terms[i + half];
    return terms[0];
}

LANES_INLINE void weights_of_few(const Product *product, Block *block, int32_t first, int32_t end, const int examples)
{
    double x[EIGHT][INPUTS_AT_ONCE], totals[INPUTS_AT_ONCE];
    int32_t count = end - first, filled = (int32_t)filled_up(count);
    for (int32_t k = 0; k < filled; k++) {
        const double *input = k < count ? slot_of(block->values, product->inputs[first + k], block) : NULL;
        for (int i = 0; i < examples; i++) x[i][k] = input != NULL ? input[i] : 0.0;
    }
    for (int32_t j = 0; j < product->neurons; j++) {
        const double *adjoint = slot_of(block->adjoints, product->results[j], block);
        Vector given[EIGHT];
        for (int i = 0; i < examples; i++) fill(&given[i], adjoint[i]);
        for (int32_t k = 0; k < filled; k += WIDTH) *vector_at(totals + k) = sum_of_few(x, given, k, examples);
        add_to_weights(product, block, j, first, end, totals);
    }
}

#define FEW_OF(EXAMPLES)                                                                                                \
    case EXAMPLES: weights_of_few(product, block, first, end, EXAMPLES); break;

LANES_INLINE void weights_of_up_to_eight(const Product *product, Block *block, int32_t first, int32_t end)
{
    switch (block->count) {
        FEW_OF(1)
        FEW_OF(2)
        FEW_OF(3)
        FEW_OF(4)
        FEW_OF(5)
        FEW_OF(6)
        FEW_OF(7)
        FEW_OF(8)
    }
}

/* ---- All weights */

LANES_INLINE void push_to_bias(const Product *product, Block *block, int32_t neuron)
{
    const double *adjoint = slot_of(block->adjoints, product->results[neuron], block);
    double *kept = kept_sums(product, block, neuron) + (Py_ssize_t)product->length * EIGHT;
    Vector sums[VECTORS_OF_EIGHT];
    begin_sums(sums, kept, block->begins);
    for (Py_ssize_t i = 0; i < block->count; i += EIGHT)
        for (int v = 0; v < VECTORS_OF_EIGHT; v++) sums[v] += vector_at(adjoint + i)[v];
    if (!block->ends) keep_sums(sums, kept);
    else if (is_needed(product, block, neuron)) *of_variable(&block->total, product->biases[neuron]) += total_of(sums);
}

/* Where a weight stands there several times, it gets its sums in this order: some inputs' weights of all neurons, neuron by
   neuron, then the next inputs'; and at the end the biases. */
KERNEL static void push_to_weights(const Product *product, Block *block)
{
    bool is_whole = block->begins && block->ends;
    clear_rest(block->values, product->inputs, product->length, block);
    clear_rest(block->adjoints, product->results, product->neurons, block);
    for (int32_t first = 0, end; first < product->length; first = end) {
        end = first + INPUTS_AT_ONCE < product->length ? first + INPUTS_AT_ONCE : product->length;
        if (is_whole && block->count <= EIGHT) {
            weights_of_up_to_eight(product, block, first, end);
            continue;
        }
        int32_t j = 0;
        for (; is_whole && j + WEIGHT_ROWS <= product->neurons; j += WEIGHT_ROWS)
            weights_of_neurons(product, block, j, first, end, WEIGHT_ROWS, true);
        for (; is_whole && j < product->neurons; j++) weights_of_neurons(product, block, j, first, end, 1, true);
        for (; j < product->neurons; j++) weights_of_neurons(product, block, j, first, end, 1, false);
    }
    for (int32_t j = 0; product->bias_slots == NULL && j < product->neurons; j++) push_to_bias(product, block, j);
}

/* ---- Fans of dots, in tiles of at most DOT_ROWS. The step goes through all of its fans for some lanes, and then for the next
   ones: what several fans read, such as the keys of all queries, stays in the nearest cache. */

enum { DOT_ROWS = 4 };

LANES_INLINE void dots_of_tile(const Fan *fan, int32_t first, int32_t length, Block *block, Py_ssize_t lane, const int rows,
                               const int vectors)
{
    const int32_t *others = fan->others + (Py_ssize_t)first * length;
    Vector sums[DOT_ROWS][DOT_LANES / WIDTH];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            sums[r][v] = vector_at(slot_of(block->values, fan->biases[first + r], block) + lane)[v];
    for (int32_t k = 0; k < length; k++) {
        const Vector *shared = vector_at(slot_of(block->values, fan->shared[k], block) + lane);
        for (int r = 0; r < rows; r++) {
            const Vector *other = vector_at(slot_of(block->values, others[r * length + k], block) + lane);
            for (int v = 0; v < vectors; v++) sums[r][v] += shared[v] * other[v];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            vector_at(slot_of(block->values, fan->result + first + r, block) + lane)[v] = sums[r][v];
}

/* From the last dot to the first. */
LANES_INLINE void push_tile(const Fan *fan, int32_t first, int32_t length, Block *block, Py_ssize_t lane, const int rows,
                            const int vectors)
{
    const int32_t *others = fan->others + (Py_ssize_t)first * length;
    Vector given[DOT_ROWS][DOT_LANES / WIDTH];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            given[r][v] = vector_at(slot_of(block->adjoints, fan->result + first + r, block) + lane)[v];
    for (int32_t k = 0; k < length; k++) {
        const Vector *shared = vector_at(slot_of(block->values, fan->shared[k], block) + lane);
        Vector *of_shared = vector_at(slot_of(block->adjoints, fan->shared[k], block) + lane), sums[DOT_LANES / WIDTH];
        for (int v = 0; v < vectors; v++) sums[v] = of_shared[v];
        for (int r = rows; r-- > 0;) {
            int32_t slot = others[r * length + k];
            const Vector *other = vector_at(slot_of(block->values, slot, block) + lane);
            Vector *of_other = vector_at(slot_of(block->adjoints, slot, block) + lane);
            for (int v = 0; v < vectors; v++) sums[v] += other[v] * given[r][v];
            for (int v = 0; block->is_active[slot] && v < vectors; v++) of_other[v] += shared[v] * given[r][v];
        }
        for (int v = 0; block->is_active[fan->shared[k]] && v < vectors; v++) of_shared[v] = sums[v];
    }
    for (int r = rows; r-- > 0;) {
        int32_t slot = fan->biases[first + r];
        Vector *of_bias = vector_at(slot_of(block->adjoints, slot, block) + lane);
        for (int v = 0; block->is_active[slot] && v < vectors; v++) of_bias[v] += given[r][v];
    }
}

#define TILE_OF_DOTS(ROWS)                                                                                              \
    case ROWS:                                                                                                          \
        if (is_wide && is_backward) push_tile(fan, start, length, block, lane, ROWS, DOT_LANES / WIDTH);                \
        else if (is_wide) dots_of_tile(fan, start, length, block, lane, ROWS, DOT_LANES / WIDTH);                       \
        else if (is_backward) push_tile(fan, start, length, block, lane, ROWS, VECTORS_OF_EIGHT);                       \
        else dots_of_tile(fan, start, length, block, lane, ROWS, VECTORS_OF_EIGHT);                                     \
        break;

/* The dots from `first` to before `end`. */
LANES_INLINE void walk_dots(const Fan *fan, int32_t first, int32_t end, int32_t length, Block *block, Py_ssize_t lane,
                            bool is_wide, const bool is_backward)
{
    for (int32_t start; end > first; end = start) {
        start = end - DOT_ROWS > first ? end - DOT_ROWS : first;
        switch (end - start) {
            TILE_OF_DOTS(1)
            TILE_OF_DOTS(2)
            TILE_OF_DOTS(3)
            TILE_OF_DOTS(4)
        }
    }
}

LANES_INLINE bool is_dot_needed(const Fan *fan, int32_t dot, const Block *block)
{
    return block->is_active[fan->result + dot] && (block->is_needed == NULL || block->is_needed[fan->variables[dot]]);
}

LANES_INLINE void walk_needed_dots(const Fan *fan, int32_t length, Block *block, Py_ssize_t lane, bool is_wide)
{
    for (int32_t end = fan->dots, first; end > 0; end = first) {
        bool needed = is_dot_needed(fan, end - 1, block);
        for (first = end - 1; first > 0 && is_dot_needed(fan, first - 1, block) == needed;) first--;
        if (needed) walk_dots(fan, first, end, length, block, lane, is_wide, true);
    }
}

LANES_INLINE void walk_fans(const Step *step, Block *block, const bool is_backward)
{
    Py_ssize_t filled = filled_up(block->count);
    for (Py_ssize_t lane = 0, width; lane < filled; lane += width) {
        bool is_wide = lane + DOT_LANES <= filled;
        width = is_wide ? DOT_LANES : EIGHT;
        for (int32_t f = step->fan_count; f-- > 0;) {
            const Fan *fan = &step->fans[f];
            if (is_backward) walk_needed_dots(fan, step->length, block, lane, is_wide);
            else walk_dots(fan, 0, fan->dots, step->length, block, lane, is_wide, false);
        }
    }
}

KERNEL static void dots_forward(const Step *step, Block *block) { walk_fans(step, block, false); }

KERNEL static void dots_backward(const Step *step, Block *block) { walk_fans(step, block, true); }

#define INSTRUCTION_SET(NAME)                                                                                            \
    NAME, TILE_ROWS, forward_kernels, backward_kernels, fast_forward_kernels, fast_backward_kernels, exponential_kernels,               \
     fast_exponential_kernels, sum_up_slots, dot_slots,                                                                  \
     {lookup_forward, lookup_backward},                                                                                  \
     product_forward, push_to_inputs, push_to_weights, dots_forward, dots_backward
