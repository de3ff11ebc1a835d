/* Products over a block of examples, in tiles whose sums stay in registers.

   Included after lane_kernels.h, with TILE_ROWS, TILE_LANES, WEIGHT_ROWS and WEIGHT_COLUMNS, which say how large the tiles
   are that fit into this instruction set's registers. The numbers do not depend on them: each sum is taken by itself, in the
   order of its terms, and nothing is fused or re-associated. */

/* ---- Rows from terms: row_r = start_r + sum over t of weight_rt term_t. Forward, the rows are neurons and the terms inputs;
   backward, the rows are inputs' adjoints and the terms the adjoints of neurons. */

enum { FEW_ROWS = 2, LANES_OF_FEW = 32 }; /* with few rows, more lanes, so that enough sums are under way at once */

typedef struct {
    int32_t rows, terms, first, end; /* of the terms, those from `first` to before `end` */
    const double *packed;            /* for each tile of rows, for each term, the weights */
    const double *term_numbers;      /* where the terms' slots lie */
    const int32_t *term_slots;
    double *row_numbers;
    const int32_t *row_slots;
    const double *start_numbers;     /* where the starts' slots lie */
    const int32_t *start_slots;
    const int32_t *start_variables;  /* where they have no slots */
} Multiplication;

LANES_INLINE void multiply_tile(const Multiplication *m, const Block *block, const double *weight, int32_t row,
                                Py_ssize_t lane, const int rows, const int vectors)
{
    Vector sums[TILE_ROWS][LANES_OF_FEW / WIDTH];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) {
            if (m->start_slots == NULL) fill(&sums[r][v], block->numbers[m->start_variables[row + r]]);
            else sums[r][v] = vector_at(m->start_numbers + m->start_slots[row + r] * block->stride + lane)[v];
        }
    weight += (Py_ssize_t)m->first * rows;
    for (int32_t t = m->first; t < m->end; t++, weight += rows) {
        const Vector *term = vector_at(m->term_numbers + m->term_slots[t] * block->stride + lane);
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++) sums[r][v] += weight[r] * term[v];
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            vector_at(m->row_numbers + m->row_slots[row + r] * block->stride + lane)[v] = sums[r][v];
}

/* One tile over many lanes, or over EIGHT. */
#define TILE_OF(ROWS)                                                                                                   \
    case ROWS:                                                                                                          \
        if (is_wide) multiply_tile(m, block, weight, row, lane, ROWS, (ROWS <= FEW_ROWS ? LANES_OF_FEW : TILE_LANES) / WIDTH); \
        else multiply_tile(m, block, weight, row, lane, ROWS, VECTORS_OF_EIGHT);                                        \
        break;

KERNEL static void multiply_rows(const Multiplication *m, const Block *block, const double *weight, int32_t row, int32_t rows,
                                 Py_ssize_t lane, bool is_wide)
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

KERNEL static void multiply(const Multiplication *m, const Block *block)
{
    int32_t tiles = count_tiles(m->rows, TILE_ROWS);
    Py_ssize_t wide = m->rows <= FEW_ROWS ? LANES_OF_FEW : TILE_LANES, end = filled_up(block->count);
    for (Py_ssize_t lane = 0, width; lane < end; lane += width) {
        width = lane + wide <= end ? wide : EIGHT;
        for (int32_t tile = 0; tile < tiles; tile++) {
            int32_t row = start_of_tile(m->rows, tiles, tile), rows = start_of_tile(m->rows, tiles, tile + 1) - row;
            multiply_rows(m, block, m->packed + (Py_ssize_t)row * m->terms, row, rows, lane, width > EIGHT);
        }
    }
}

KERNEL static void product_forward(const Step *step, Block *block)
{
    const Product *product = step->product;
    const Multiplication m = {
        product->neurons, product->length, 0, product->length, block->packed + product->packed, block->values,
        product->inputs, block->values, product->results, block->values, product->bias_slots, product->biases,
    };
    multiply(&m, block);
}

/* What the adjoints of some neurons, from the last to the first, add to those of the inputs, and of biases in slots. */
KERNEL static void push_to_inputs(const Product *product, Block *block, int32_t first, int32_t end)
{
    const Multiplication m = {
        product->length, product->neurons, product->neurons - end, product->neurons - first,
        block->packed + product->transposed, block->adjoints, product->reversed_results, block->adjoints, product->inputs,
        block->adjoints, product->inputs, NULL,
    };
    if (product->is_pushed[block->for_inputs]) multiply(&m, block);
    for (int32_t j = end; product->bias_slots != NULL && j-- > first;) {
        if (!block->is_active[product->bias_slots[j]]) continue;
        const double *adjoint = slot_of(block->adjoints, product->results[j], block);
        double *restrict pushed = slot_of(block->adjoints, product->bias_slots[j], block);
        for (Py_ssize_t i = 0; i < block->count; i++) pushed[i] += adjoint[i];
    }
}

/* ---- Weights: the adjoint of weight_jk is the sum over the examples of input_k times the adjoint of neuron j */

/* The last of a slot's numbers, as many as there are of EIGHT, and zeros. */
LANES_INLINE void take_rest(double *eight, const double *numbers, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < EIGHT; i++) eight[i] = i < count ? numbers[i] : 0.0;
}

/* Where the sums of a neuron's weights go on in the next block of a fold, and after them that of its bias. */
LANES_INLINE double *kept_sums(const Product *product, const Block *block, int32_t neuron)
{
    return block->sums + product->sums + (Py_ssize_t)neuron * (product->length + 1) * EIGHT;
}

LANES_INLINE void begin_sums(Vector *sums, const double *kept, const Block *block)
{
    for (int v = 0; v < VECTORS_OF_EIGHT; v++) {
        if (block->begins) fill(&sums[v], 0.0);
        else sums[v] = vector_at(kept)[v];
    }
}

/* Of the last block of a fold, their sum; of the others, nothing that counts. */
LANES_INLINE double end_sums(const Vector *sums, double *kept, const Block *block)
{
    double eight[EIGHT];
    for (int v = 0; v < VECTORS_OF_EIGHT; v++) *vector_at((block->ends ? eight : kept) + v * WIDTH) = sums[v];
    return block->ends ? sum_of_eight(eight) : 0.0;
}

/* Some neurons' weights of some inputs; the sums over a fold go to the block's rows. Where a tile is less than full, its last
   neuron or input takes the place of the missing ones. */
LANES_INLINE void weights_of_tile(const Product *product, Block *block, int32_t neuron, int32_t neurons, int32_t input,
                                  int32_t inputs)
{
    const double *x[WEIGHT_COLUMNS], *adjoint[WEIGHT_ROWS];
    Vector sums[WEIGHT_ROWS][WEIGHT_COLUMNS][VECTORS_OF_EIGHT];
    for (int k = 0; k < WEIGHT_COLUMNS; k++)
        x[k] = slot_of(block->values, product->inputs[input + (k < inputs ? k : inputs - 1)], block);
    for (int j = 0; j < WEIGHT_ROWS; j++)
        adjoint[j] = slot_of(block->adjoints, product->results[neuron + (j < neurons ? j : neurons - 1)], block);
    for (int j = 0; j < WEIGHT_ROWS; j++)
        for (int k = 0; k < WEIGHT_COLUMNS; k++)
            begin_sums(sums[j][k], block->begins ? NULL : kept_sums(product, block, neuron + (j < neurons ? j : neurons - 1)) +
                                                       (input + (k < inputs ? k : inputs - 1)) * EIGHT, block);
    Py_ssize_t whole = block->count & -(Py_ssize_t)EIGHT;
    for (Py_ssize_t i = 0; i < whole; i += EIGHT)
        for (int v = 0; v < VECTORS_OF_EIGHT; v++) {
            Vector of_inputs[WEIGHT_COLUMNS];
            for (int k = 0; k < WEIGHT_COLUMNS; k++) of_inputs[k] = vector_at(x[k] + i)[v];
            for (int j = 0; j < WEIGHT_ROWS; j++) {
                Vector given = vector_at(adjoint[j] + i)[v];
                for (int k = 0; k < WEIGHT_COLUMNS; k++) sums[j][k][v] += of_inputs[k] * given;
            }
        }
    if (whole < block->count) {
        double of_inputs[WEIGHT_COLUMNS][EIGHT], given[EIGHT];
        for (int k = 0; k < WEIGHT_COLUMNS; k++) take_rest(of_inputs[k], x[k] + whole, block->count - whole);
        for (int j = 0; j < WEIGHT_ROWS; j++) {
            take_rest(given, adjoint[j] + whole, block->count - whole);
            for (int k = 0; k < WEIGHT_COLUMNS; k++)
                for (int v = 0; v < VECTORS_OF_EIGHT; v++)
                    sums[j][k][v] += vector_at(of_inputs[k])[v] * vector_at(given)[v];
        }
    }
    for (int j = 0; j < WEIGHT_ROWS && j < neurons; j++)
        for (int k = 0; k < WEIGHT_COLUMNS && k < inputs; k++)
            block->rows[(Py_ssize_t)j * (product->length + 1) + input + k] =
                end_sums(sums[j][k], block->ends ? NULL : kept_sums(product, block, neuron + j) + (input + k) * EIGHT, block);
}

/* The sum of a neuron's adjoint over the fold, as far as this block ends it. */
LANES_INLINE double bias_of_neuron(const Product *product, Block *block, int32_t neuron)
{
    const double *adjoint = slot_of(block->adjoints, product->results[neuron], block);
    double *kept = block->begins && block->ends ? NULL : kept_sums(product, block, neuron) + (Py_ssize_t)product->length * EIGHT;
    double rest[EIGHT];
    Vector sums[VECTORS_OF_EIGHT];
    begin_sums(sums, kept, block);
    Py_ssize_t whole = block->count & -(Py_ssize_t)EIGHT;
    for (Py_ssize_t i = 0; i < whole; i += EIGHT)
        for (int v = 0; v < VECTORS_OF_EIGHT; v++) sums[v] += vector_at(adjoint + i)[v];
    take_rest(rest, adjoint + whole, block->count - whole);
    for (int v = 0; whole < block->count && v < VECTORS_OF_EIGHT; v++) sums[v] += vector_at(rest)[v];
    return end_sums(sums, kept, block);
}

LANES_INLINE void add_row(const Product *product, Block *block, int32_t neuron, const double *row)
{
    const int32_t *weights = product->weights + (Py_ssize_t)neuron * product->length;
    if (block->is_needed != NULL && !block->is_needed[product->variables[neuron]]) return;
    for (int32_t k = 0; k < product->length; k++) block->total[weights[k]] += row[k];
    if (product->bias_slots == NULL) block->total[product->biases[neuron]] += row[product->length];
}

/* Neuron by neuron, and the bias after the weights: in this order a weight that stands there several times gets its sums. */
KERNEL static void push_to_weights(const Product *product, Block *block)
{
    for (int32_t j = 0, neurons; j < product->neurons; j += neurons) {
        neurons = product->neurons - j < WEIGHT_ROWS ? product->neurons - j : WEIGHT_ROWS;
        for (int32_t k = 0; k < product->length; k += WEIGHT_COLUMNS) {
            int32_t inputs = product->length - k < WEIGHT_COLUMNS ? product->length - k : WEIGHT_COLUMNS;
            weights_of_tile(product, block, j, neurons, k, inputs);
        }
        for (int32_t i = 0; i < neurons; i++) {
            double *row = block->rows + (Py_ssize_t)i * (product->length + 1);
            row[product->length] = bias_of_neuron(product, block, j + i);
            if (block->ends) add_row(product, block, j + i, row);
        }
    }
}

#define INSTRUCTION_SET(NAME)                                                                                            \
    NAME, forward_kernels, backward_kernels, TILE_ROWS, WEIGHT_ROWS, product_forward, push_to_inputs, push_to_weights
