/* The other object file of a program with shadow variables. */
#include "../shadow.h"

__attribute__((noipa)) long peek(struct conn *c)
{
#ifdef NEW
	struct extra *x = hpkm_shadow_get(c, EXTRA);

	return x ? x->seen : 0;
#else
	return c->fd * 2;
#endif
}

__attribute__((noipa)) long poke(struct conn *c, long by)
{
#ifdef NEW
	struct extra *x = hpkm_shadow_get(c, EXTRA);

	return x ? x->seen += by : 0;
#else
	return c->fd * by;
#endif
}
