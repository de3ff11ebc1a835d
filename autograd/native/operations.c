/* The rows of the table, which kernels.py has written from operations.py. */
#include "operations.h"

#include "kernels.h"
#include "table.h"
