/* A block of examples, each instruction over all of them: a lane is one example's place in a slot.

   lane_kernels.h       the code
   product_kernels.h    the code of products
   lanes_*.c            the same, compiled for each instruction set */
#ifndef AUTOGRAD_LANES_H
#define AUTOGRAD_LANES_H

#include "operations.h"

typedef struct Step Step;
typedef struct Product Product;
typedef struct Block Block;
typedef void (*Lanes)(const Step *step, Block *block);

/* An instruction that depends on the inputs, or a product. Its operands are slots, each a row of numbers, one for each
   example. */
struct Step {
    Lanes forward, backward; /* but that of a product is swept backward in parts */
    Evaluation value;
    const Partial *partials;
    int32_t length, count, sequences, result, variable; /* the result's slot, and which variable it is */
    const int32_t *operands;
    const Product *product;
};

/* An element of a lookup that depends on no input has no slot: among the operands, a negative number tells its variable. */
enum { WITHOUT_SLOT = INT32_MAX / 2 + 1 };

static inline int32_t without_slot(int32_t variable) { return variable - WITHOUT_SLOT; }
static inline int32_t variable_without_slot(int32_t operand) { return operand + WITHOUT_SLOT; }

/* Neurons that have the same inputs: result_j = bias_j + sum over k of weight_jk input_k. The weights are the same for all
   examples, and so are the biases unless they have slots. */
struct Product {
    int32_t neurons, length;
    const int32_t *weights, *biases, *variables; /* the weights, neuron by neuron, the biases and the results */
    bool has_rows;                               /* each neuron's weights are variables that follow each other */
    int32_t *results, *reversed_results, *inputs, *bias_slots; /* slots; bias_slots: NULL if biases are not in slots */
    Py_ssize_t packed, transposed;               /* where its weights lie, see products.h */
    Py_ssize_t sums;                             /* where its sums lie, if a fold has several blocks */
    bool is_learned;                             /* whether the adjoint of a weight or bias is asked for */
    bool is_pushed[2];                           /* of an input: for the parameters alone, and for the inputs too */
    bool shares_weights;                         /* with a product before */
    bool is_transposed[2];                       /* whether a product that shares them with this one is pushed */
};

/* The examples that are computed side by side. */
struct Block {
    Py_ssize_t count;           /* how many they are */
    Py_ssize_t stride;          /* the room that each slot has for them: a multiple of EIGHT */
    double *values, *adjoints;  /* of each slot */
    const uint8_t *is_active;   /* whether the adjoint of a slot is asked for */
    bool for_inputs;            /* whether those of the inputs are */
    const double *numbers;      /* of each variable that no input is part of */
    const double *packed;       /* the weights of products */
    const bool *is_needed;      /* of each variable: whether it is to be differentiated; NULL if all are */
    double *total;              /* of each variable that no input is part of: the adjoint over a chunk */
    double *sums;               /* of products: EIGHT for each weight and bias, where they go on in the next block */
    bool begins, ends;          /* the first block of a fold, the last */
    double *scratch;            /* room for an instruction's operands and their derivatives */
};

/* Sums over examples are taken as EIGHT, over every eighth example each, and these are added up at the end of a FOLD. So
   they do not depend on blocks, as long as these are multiples of EIGHT and none belongs to two folds. */
enum { EIGHT = 8, FOLD = 128 };

static inline double sum_of_eight(const double *x)
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

/* The rows of a matrix are cut into tiles of so many at most, and all about as high: where tile t begins. */
static inline int32_t count_tiles(int32_t rows, int32_t most) { return (rows + most - 1) / most; }

static inline int32_t start_of_tile(int32_t rows, int32_t tiles, int32_t t) { return (int32_t)((int64_t)rows * t / tiles); }

/* The kernels of each row, where sums, dots and lookups have better ones, and those of a product. */
typedef struct {
    const char *name;
    Lanes *forward, *backward;
    Lanes sum[2], dot[2], lookup[2]; /* forward and backward */
    int32_t tile_rows;   /* so many rows of a matrix are computed at once */
    Lanes product_forward;
    void (*push_to_inputs)(const Product *product, Block *block, int32_t first, int32_t end); /* of some neurons */
    void (*push_to_weights)(const Product *product, Block *block);
} InstructionSet;

extern const InstructionSet BASELINE;
#if defined(__GNUC__) && defined(__x86_64__)
#define HAS_X86_KERNELS
extern const InstructionSet AVX2, AVX512;
#endif

#endif
