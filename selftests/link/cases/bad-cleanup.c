/* EXPECT refused f: it cleans up or catches when an exception passes */
/* OPT -O0 -O2 clang */
/* LINK pie lib */
/* FLAGS -fexceptions */
/* A thread that is cancelled below it would not run this. */
#include <stdio.h>
#include <unistd.h>
static int open_ones;
static void release(int *one) { open_ones -= *one; }
__attribute__((noipa, noinline)) int f(int x)
{
	__attribute__((cleanup(release))) int one = 1;

	open_ones += one;
#ifdef NEW
	x *= 3;
#endif
	usleep(1);
	return x + open_ones;
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
