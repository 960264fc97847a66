/* EXPECT replaced use */
/* OPT -O2 -O3 */
/* FLAGS -fipa-cp-clone */
/* Clones for one value come and go, and are numbered anew. */
#include <stdio.h>
__attribute__((noinline)) static int work(int x, int how)
{
	int sum = 0;

	for (volatile int i = 0; i < x; i++)
		sum += how == 1 ? i : how == 2 ? i * i : how;
	return sum;
}
#ifdef NEW
__attribute__((noipa)) int fresh(int x) { return work(x + 3, 3) + work(x + 4, 3); }
#endif
__attribute__((noipa)) int use(int x)
{
	for (volatile int i = 0; i < x; i++)
		;
#ifdef NEW
	return work(x, 2) + work(x + 1, 2) + fresh(x);
#else
	return work(x, 2) + work(x + 1, 2);
#endif
}
__attribute__((noipa)) int keep(int x) { return work(x, 1) + work(x + 2, 1); }
void run_case(FILE *out) { fprintf(out, "%d %d\n", use(6), keep(7)); }
