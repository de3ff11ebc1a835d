/* The layout of a program: the instructions that depend on the inputs, as steps over slots. */
#ifndef AUTOGRAD_LAYOUT_H
#define AUTOGRAD_LAYOUT_H

#include "slots.h"

/* Fills the program's steps and parts, and what they refer to, for which it has room. `of_instructions` has room, too. */
void lay_out(Layout *layout, int32_t *of_instructions);

#endif
