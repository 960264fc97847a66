/* Everything in patch.h, in what C89, C23 and C++98 have in common. */
#include <hpkm/patch.h>

struct thing {
	int id;
};

int all_of_it(struct thing *t);

static int calls;

static int ctor(void *obj, void *data, void *ctor_data)
{
	*(int *)data = ((struct thing *)obj)->id;
	return ctor_data != NULL;
}

static void dtor(void *obj, void *data)
{
	calls += ((struct thing *)obj)->id + *(int *)data;
}

int all_of_it(struct thing *t)
{
	int *a = (int *)hpkm_shadow_alloc(t, 1, sizeof(*a), ctor, NULL);
	int *b = (int *)hpkm_shadow_get_or_alloc(t, 2, sizeof(*b), NULL, NULL);
	int *c = (int *)hpkm_shadow_get(t, 1);

	hpkm_shadow_free(t, 1, dtor);
	hpkm_shadow_free_all(2, NULL);
	return a && b && c;
}

static void hook(void)
{
	calls++;
}

HPKM_APPLY_HOOK(hook);
HPKM_REVERT_HOOK(hook);
HPKM_REPLACE(all_of_it);
