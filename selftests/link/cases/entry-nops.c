/* EXPECT replaced work leaf */
/* LINK pie nopie lib */
/* OPT -O2 -O0 */
/* FLAGS -fpatchable-function-entry=16,14 */
/* LDFLAGS  */
/* No-operations for other patchers, most of them before the function. */
#include "common/calls.h"
