/* EXPECT refused struct pair: member y is gone */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
struct pair { int x; int : 32; int z; };
#else
struct pair { int x; int y; int z; };
#endif
struct pair one;
__attribute__((noinline)) int use(struct pair *p)
{
#ifdef NEW
	return (p->x + p->z) * 3;
#else
	return (p->x + p->z) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(&one)); }
