// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "session.h"

struct session *session_open(int id)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s)
		s->id = id;
	return s;
}

/* A wrong password. Returns 1 when the session must be ended. */
int session_failed(struct session *s)
{
	return s->id < 0;
}

void session_login(struct session *s)
{
	s->id &= 0xffff;
}

void session_close(struct session *s)
{
	free(s);
}
