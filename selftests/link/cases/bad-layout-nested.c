/* EXPECT refused struct inner: member b is new, at offset 4 */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
struct inner { int a, b; }; struct outer { struct inner *in; int x; };
#else
struct inner { int a; }; struct outer { struct inner *in; int x; };
#endif
struct outer one;
__attribute__((noinline)) int use(struct outer *o)
{
#ifdef NEW
	return (o->in ? o->in->a : o->x) * 3;
#else
	return (o->in ? o->in->a : o->x) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(&one)); }
