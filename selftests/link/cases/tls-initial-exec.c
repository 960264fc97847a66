/* EXPECT replaced bump twice get */
/* FLAGS -ftls-model=initial-exec */
/* LINK lib */
/*
 * Thread-local variables of a library, through __tls_get_addr: those that the
 * old code reaches, and one that no code of its own file does.
 */
#include "common/tls.h"
