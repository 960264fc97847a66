/* EXPECT replaced price */
/* WARNS struct item: member count is called number now */
/* OPT -O0 -O2 */
/* FLAGS -g */
/*
 * What does not matter: a new type, a new name for a member, room used in a
 * union, a new enumerator at the end, a new function, signs of numbers.
 */
#include <stdio.h>

enum state { FREE, USED,
#ifdef NEW
	LOST,
#endif
};

struct item {
#ifdef NEW
	unsigned int number;
#else
	int count;
#endif
	union {
		long large;
		char text[8];
#ifdef NEW
		short small;
#endif
	};
	enum state state;
	unsigned int a : 3, b : 5;
};

#ifdef NEW
struct fresh { int x, y; };
__attribute__((noinline)) static int scale(struct fresh *f) { return f->x * f->y; }
#endif

struct item items[] = { { 3, { 40 }, USED, 1, 2 }, { 4, { 50 }, FREE, 2, 3 } };

__attribute__((noipa)) int price(struct item *i)
{
#ifdef NEW
	struct fresh f = { i->number, i->small };

	return scale(&f) + i->a + i->b + i->state + LOST;
#else
	return i->count * i->large + i->a + i->state;
#endif
}

void run_case(FILE *out)
{
	fprintf(out, "%d %d\n", price(&items[0]), price(&items[1]));
}
