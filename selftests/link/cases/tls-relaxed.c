/* EXPECT replaced bump twice get */
/* FLAGS -fPIC */
/* LINK pie nopie static static-pie */
/*
 * The same in programs, whose linker has made it simpler: those that the
 * old code reaches, and one that no code of its own file does.
 */
#include "common/tls.h"
