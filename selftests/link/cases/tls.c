/* EXPECT replaced bump */
/* LINK pie nopie static static-pie */
/* Thread-local variables of the executable. */
#include <stdio.h>
static __thread int here = 5;
__thread long there;
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
	for (int i = 0; i < 3; i++)
		fprintf(out, "%ld\n", bump(i));
}
