/* A program is made of a list, and freed. */
#ifndef AUTOGRAD_MAKE_H
#define AUTOGRAD_MAKE_H

#include "program.h"

/* Makes a program, whose memory is 0, of a list, for an instruction set, or with NULL for the best there is. On an error, -1
   with an exception; in either case the program is to be freed. */
int make_program(Program *program, const WengertArrays *arrays, const char *instruction_set, bool is_fast);
void free_program(Program *program);

#endif
