/* EXPECT replaced work leaf */
/* LINK pie lib */
/* OPT -O2 -O0 */
/* FLAGS -fPIC */
/* LDFLAGS -Wl,-z,now -Wl,-z,relro */
/* Nothing is bound lazily. */
#include "common/calls.h"
