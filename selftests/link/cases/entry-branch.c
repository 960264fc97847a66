/* EXPECT replaced work leaf */
/* LINK pie nopie static lib */
/* OPT -O2 -O0 */
/* FLAGS -fcf-protection=branch */
/* LDFLAGS  */
/* Landing pads. */
#include "common/calls.h"
