/* EXPECT replaced bump */
/* LINK lib */
/* OPT -O0 -O2 */
/* FLAGS -mtls-dialect=gnu2 */
/* Through the library's own descriptors. */
#include <stdio.h>
static __thread int here = 5;
__thread long there = 2;

__attribute__((noinline)) long bump(int x)
{
#ifdef NEW
	here += x;
	there += 2 * here;
	return there * 10 + here;
#else
	here += x;
	there += 2 * here;
	return there + here;
#endif
}

void run_case(FILE *out)
{
	here = 5;
	there = 2;
	for (int i = 0; i < 3; i++)
		fprintf(out, "%ld\n", bump(i));
}
