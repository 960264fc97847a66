// SPDX-License-Identifier: GPL-2.0
#include <hpkm/patch.h>
#include <stdlib.h>

#include "session.h"

/*
 * The fix: after three wrong passwords the session is ended. Upstream, struct
 * session gets a member "int failures". Here that is a shadow variable, which
 * sessions that are open already can have, too.
 */
#define FAILURES	1

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
	int *failures;

	failures = hpkm_shadow_get_or_alloc(s, FAILURES, sizeof(*failures),
					    NULL, NULL);
	/* No memory: rather end one too many. */
	return s->id < 0 || !failures || ++*failures >= 3;
}

void session_login(struct session *s)
{
	int *failures = hpkm_shadow_get(s, FAILURES);

	if (failures)
		*failures = 0;
	s->id &= 0xffff;
}

/* Where the object goes, its shadow variables go. */
void session_close(struct session *s)
{
	hpkm_shadow_free(s, FAILURES, NULL);
	free(s);
}

/* And all of them with the patch. */
static void forget_failures(void)
{
	hpkm_shadow_free_all(FAILURES, NULL);
}

HPKM_REVERT_HOOK(forget_failures);
