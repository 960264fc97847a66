/* EXPECT replaced work leaf */
/* LINK pie lib */
/* OPT -O2 -O0 */
/* FLAGS -fPIC */
/* LDFLAGS -Wl,-z,lazy -Wl,-z,norelro */
/* Everything is. */
#include "common/calls.h"
