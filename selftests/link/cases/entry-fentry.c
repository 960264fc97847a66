/* EXPECT replaced work leaf */
/* LINK pie nopie static lib */
/* OPT -O2 -O0 */
/* FLAGS -pg -mfentry */
/* LDFLAGS -pg */
/* __fentry__ is called first of all; nothing parks in it. */
#include "common/calls.h"
