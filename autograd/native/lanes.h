/* A block of examples, each instruction over all of them: a lane is one example's place in a slot.

   lane_kernels.h       the code
   product_kernels.h    the code of products
   lanes_*.c            the same, compiled for each instruction set */
#ifndef AUTOGRAD_LANES_H
#define AUTOGRAD_LANES_H

#include "operations.h"

typedef struct Step Step;
typedef struct Product Product;
typedef struct Fan Fan;
typedef struct Block Block;
typedef void (*Lanes)(const Step *step, Block *block);

/* An instruction that depends on the inputs, or a product. Its operands are slots, each a row of numbers, one for each
   example. */
struct Step {
    Lanes forward, backward; /* but that of a product is swept backward in parts */
    int32_t length, count, result, variable; /* the result's slot, and which variable it is */
    const int32_t *operands;
    bool has_exponentials; /* of a row of exponentials: behind the operands stand as many slots of theirs */
    const Product *product;
    const Fan *fans; /* of dots that are computed together; else NULL */
    int32_t fan_count;
};

static inline int32_t count_with_exponentials(const Step *step) { return step->count << step->has_exponentials; }

/* An element of a lookup that depends on no input has no slot: among the operands, a negative number tells its variable. */
enum { WITHOUT_SLOT = INT32_MAX / 2 + 1 };

static inline int32_t without_slot(int32_t variable) { return variable - WITHOUT_SLOT; }
static inline int32_t variable_without_slot(int32_t operand) { return operand + WITHOUT_SLOT; }

/* Of a row of a product, a term whose weight depends on inputs, and the weight's slot. */
typedef struct {
    int32_t row, term, slot;
} Gate;

/* Those of each tile of rows, from starts[tile] to before starts[tile + 1], in the order of their terms; the last is none. */
typedef struct {
    int32_t *starts;
    Gate *gates;
} Gates;

/* The rows of a product are cut into tiles of at most so many, all about as high. */
static inline int32_t count_tiles(int32_t rows, int32_t most) { return (rows + most - 1) / most; }
static inline int32_t first_row(int32_t rows, int32_t tiles, int32_t tile) { return (int32_t)((int64_t)rows * tile / tiles); }
static inline int32_t tile_of(int32_t rows, int32_t tiles, int32_t row)
{
    return (int32_t)((((int64_t)row + 1) * tiles - 1) / rows);
}

/* Neurons that have the same inputs: result_j = bias_j + sum over k of weight_jk input_k. The weights are the same for all
   examples but for those that have gates, and so are the biases unless they have slots. */
struct Product {
    int32_t neurons, length;
    const int32_t *weights, *biases, *variables; /* the weights, neuron by neuron, the biases and the results */
    bool has_rows;   /* the weights are parameters, and each neuron's follow each other; else they are packed */
    int32_t *starts; /* where the weights of each neuron begin, among the parameters or where they are packed */
    int32_t *results, *reversed_results, *inputs, *bias_slots; /* slots; bias_slots: NULL if biases are not in slots */
    Py_ssize_t sums;                             /* where its sums lie, if a fold has several blocks */
    bool is_learned;                             /* whether the adjoint of a weight or bias is asked for */
    bool is_pushed[2];                           /* of an input: for the parameters alone, and for the inputs too */
    bool shares_weights;                         /* that are packed, with a product before */
    int32_t gate_count;                          /* of its weights that depend on inputs */
    Gate *gates;                                 /* these, neuron by neuron; */
    int32_t *gates_before;                       /* how many there are before each neuron's, and after the last; */
    Gates of_neurons, of_inputs;                 /* by tiles, for the sweep forward; and for that backward, last neuron first */
};

/* Dots that share a sequence: result_r = bias_r + sum over k of shared_k other_rk. Both factors may depend on inputs, and no
   variable is there twice, but for constants: the order in which adjoints are summed up is that of the dots. */
struct Fan {
    int32_t dots, result;                    /* the slot of the first result, which the others follow */
    const int32_t *shared, *others, *biases; /* slots */
    const int32_t *variables;                /* the results */
};

/* A number of each variable that no input is part of. Those of the parameters lie where Python has them. */
typedef struct {
    double *parameters, *others;
    int32_t first, end; /* the parameters among the variables */
} Uniform;

static inline double *of_variable(const Uniform *uniform, int32_t variable)
{
    bool is_parameter = variable >= uniform->first && variable < uniform->end;
    return is_parameter ? &uniform->parameters[variable - uniform->first] : &uniform->others[variable];
}

/* The examples that are computed side by side. */
struct Block {
    Py_ssize_t count;           /* how many they are */
    Py_ssize_t stride;          /* the room that each slot has for them: a multiple of EIGHT */
    double *values, *adjoints;  /* of each slot */
    const uint8_t *is_active;   /* whether the adjoint of a slot is asked for */
    bool for_inputs;            /* whether those of the inputs are */
    Uniform numbers;
    const double *packed;       /* the weights of products */
    const bool *is_needed;      /* of each variable: whether it is to be differentiated; NULL if all are */
    Uniform total;              /* the adjoints over a chunk */
    double *sums;               /* of products: EIGHT for each weight and bias, where they go on in the next block */
    bool begins, ends;          /* the first block of a fold, the last */
    const double **operands;    /* room for where an instruction's operands lie, */
    double **pushed;            /* and what is pushed to their adjoints, */
    double *kept;               /* and of its sequences' elements a number each, for each example */
};

/* Sums over examples are taken as EIGHT, over every eighth example each, and these are added up at the end of a FOLD. So
   they do not depend on blocks, as long as these are multiples of EIGHT and none belongs to two folds.

   What lookups give to elements without slots is not summed up within the fold, since most elements get nothing: it is added
   to the chunk's sums at once, block by block, the last lookup first, example by example. Where several uses add to one
   element, these sums depend on the size of the blocks, which is the program's, whatever the threads and the instruction set. */
enum { EIGHT = 8, FOLD = 128 };

static inline double sum_of_eight(const double *x)
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

/* The kernels of each row, where sums, dots and lookups have better ones, and those of a product. */
typedef struct {
    const char *name;
    int32_t tile_rows; /* of a product, at most */
    Lanes *forward, *backward;
    Lanes *fast_forward, *fast_backward; /* with fast_math.h, where a row has a use for it; else NULL */
    Lanes *exponentials, *fast_exponentials; /* forward, of a row's operands, where it has a use for them; else NULL */
    Lanes sum, dot; /* forward */
    Lanes lookup[2]; /* forward and backward */
    Lanes product_forward;
    void (*push_to_inputs)(const Product *product, Block *block, int32_t first, int32_t end); /* of some neurons */
    void (*push_to_weights)(const Product *product, Block *block);
    Lanes dots_forward;
    Lanes dots_backward;
} InstructionSet;

extern const InstructionSet BASELINE;
#if defined(__GNUC__) && defined(__x86_64__)
#define HAS_X86_KERNELS
extern const InstructionSet AVX2, AVX512;
#endif

#endif
