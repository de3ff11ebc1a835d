/* Dots that are no neurons: with a few weights that depend on inputs, which are gates; or with two varying sequences. */
#ifndef AUTOGRAD_DOTS_H
#define AUTOGRAD_DOTS_H

#include "slots.h"

/* Which dots of a group have gates, and which of these are computed together; and the step of such, a product. */
void find_gated(Layout *layout, const Group *group);
void add_gated(Layout *layout, const int32_t *results, int32_t count);

/* Whether no variable is there twice: else the order in which the sweep backward adds to its adjoint is the dot's own. */
bool are_all_different(Layout *layout, int32_t result);

/* Dots that are computed together, in fans: of each those that follow each other and share a sequence. */
void add_dots(Layout *layout, const int32_t *results, int32_t count);

#endif
