/* A batch, replayed. */
#ifndef AUTOGRAD_REPLAY_H
#define AUTOGRAD_REPLAY_H

#include "chunk.h"

/* Does the job, on so many threads at most. On an error, -1 with an exception. */
int replay(Program *program, Job *job, int threads);

#endif
