/* EXPECT replaced work leaf */
/* LINK pie nopie static lib */
/* OPT -O2 -O0 */
/* FLAGS -pg */
/* LDFLAGS -pg */
/* mcount is called behind the frame pointer's set-up. */
#include "common/calls.h"
