/* Neurons that are written with * and +, and an order of the list in which each is one instruction. The twin of
   tape/chains.py. */
#ifndef AUTOGRAD_CHAINS_H
#define AUTOGRAD_CHAINS_H

#include "wengert.h"

typedef struct Link Link;

typedef struct {
    const WengertList *list;
    int32_t *order, *order_count; /* of the list's instructions, without those inside of neurons */
    Link *links;
    int32_t *uses;                /* of each variable */
    int32_t *next_uses, *own;     /* of each operand the next instruction that uses it; and where each instruction's are */
    int32_t *first_uses;          /* of each instruction's result */
    bool has_pieces;              /* of chains that are no neurons */
    int32_t *room;                /* for terms */
    int32_t *marks;               /* of each variable */
    int32_t *of_variables;
} Chains;

/* Finds the chains that are neurons, and an order, which has room for all instructions: that of the list, but for what neurons
   need or must not come before. Returns -1, without an exception, if memory is short; in either case they are to be freed. */
int find_chains(const WengertList *list, Chains *chains, int32_t *order, int32_t *order_count);
void free_chains(Chains *chains);

/* How many terms all chains of a list have at most. */
size_t most_terms_of_chains(const WengertList *list);

/* Whether an instruction is the last one of a neuron; how many terms that has; and its weights, inputs and, returned, bias. */
bool is_neuron(const Chains *chains, int32_t k);
int32_t length_of_neuron(const Chains *chains, int32_t k);
int32_t read_neuron(const Chains *chains, int32_t k, int32_t *weights, int32_t *inputs);

#endif
