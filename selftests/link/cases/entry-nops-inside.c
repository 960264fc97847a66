/* EXPECT replaced work leaf */
/* LINK pie lib */
/* OPT -O2 -O0 */
/* FLAGS -fpatchable-function-entry=5 */
/* LDFLAGS  */
/* All of them in it. */
#include "common/calls.h"
