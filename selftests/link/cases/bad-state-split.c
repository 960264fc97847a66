/* EXPECT refused it may be cfg$ */
/* LINK pie */
/* OPT clang */
/* Its address is not taken any more: clang makes variables of the members. */
#include <stdio.h>
static struct config { int a, b; } cfg = { 1, 2 };
#ifndef NEW
struct config *volatile where;
#endif
__attribute__((noipa)) int f(int x)
{
#ifndef NEW
	where = &cfg;
#endif
	cfg.a += x;
	cfg.b -= x;
	return cfg.a * 1000 + cfg.b;
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", f(3), f(4)); }
