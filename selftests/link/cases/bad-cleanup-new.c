/* EXPECT refused f_locked: it cleans up or catches when an exception passes */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -fexceptions */
/* The new function that it is moved to. */
#include <stdio.h>
#include <unistd.h>
static int open_ones;
static void release(int *one) { open_ones -= *one; }
#ifdef NEW
__attribute__((noipa, noinline)) int f_locked(int x)
{
	__attribute__((cleanup(release))) int one = 1;

	open_ones += one;
	usleep(1);
	return x + open_ones;
}
#endif
__attribute__((noipa, noinline)) int f(int x)
{
#ifdef NEW
	return f_locked(x) * 3;
#else
	return x + open_ones;
#endif
}
void run_case(FILE *out) { int one = 0; fprintf(out, "%d\n", f(3)); release(&one); }
