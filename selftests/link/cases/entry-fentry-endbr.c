/* EXPECT replaced work leaf */
/* LINK pie nopie */
/* OPT -O2 -O0 */
/* FLAGS -pg -mfentry -fcf-protection=full */
/* LDFLAGS -pg */
/* Behind a landing pad. */
#include "common/calls.h"
