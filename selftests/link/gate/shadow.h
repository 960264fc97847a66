/* SPDX-License-Identifier: GPL-2.0 */
/* What both object files of shadow.c know. */
#include "gate.h"

#define EXTRA	1
#define MAGIC	0x4d41474943

struct conn { int fd; };
struct extra { long magic, seen; };

long peek(struct conn *c);
long poke(struct conn *c, long by);
long seen(struct conn *c);
int twice(struct conn *c);
int drop(struct conn *c);
