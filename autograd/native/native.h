/* For a while: the headers that the tape's files include by this name. */
#include "graph.h"
#include "operations.h"
