// SPDX-License-Identifier: GPL-2.0
/*
 * A small library whose patch has what fixture.c's has not: a new import, a
 * thread-local variable by way of a copied slot, hooks and a shadow variable.
 */
#include <stdlib.h>
#include <unistd.h>

#ifdef NEW
#include <hpkm/patch.h>
#endif

#define DYNAMIC __attribute__((used, tls_model("global-dynamic")))
static __thread int used DYNAMIC = 3;
static __thread int kept DYNAMIC = 4;
static int limit = 10;

__attribute__((noinline)) void *room(size_t size)
{
	void *p = calloc(1, size);

	if (size > (size_t)limit) {
		free(p);
		return NULL;
	}
	return p;
}

__attribute__((noinline)) int rich(void *conn, int x)
{
	used += x;
#ifdef NEW
	int *count = hpkm_shadow_get_or_alloc(conn, 1, sizeof(*count), NULL,
					      NULL);

	if (count)
		x += ++*count;
	return used * kept + x + getppid();
#else
	return used + x + (conn != NULL);
#endif
}

#ifdef NEW
static void raise_limit(void) { limit = 20; }
static void lower_limit(void) { limit = 10; }
HPKM_APPLY_HOOK(raise_limit);
HPKM_REVERT_HOOK(lower_limit);
#endif
