/* EXPECT replaced bump other */
/* OPT -O2 -O3 */
/* In the target the compiler's numbers are other ones. */
#include <stdio.h>
#ifndef OBJECT
__attribute__((noinline)) static int scale(int x, int by, int more)
{
	static int count = 100;

	count += more;
	for (int i = 0; i < by; i++)
		x = x * 3 + more;
	return x + count++;
}
__attribute__((noinline, used)) int only_there(int x)
{
	return scale(x, 3, 4) + scale(x + 1, 3, 4);
}
#endif
__attribute__((noinline)) static int grow(int x, int by)
{
	static int count = 5;

	for (volatile int i = 0; i < by; i++)
		x += i;
	return x + count++;
}
__attribute__((noinline)) int bump(int x)
{
#ifdef NEW
	return grow(x, 7) * 3 + grow(x * 2, 7);
#else
	return grow(x, 7) + grow(x * 2, 7);
#endif
}
__attribute__((noinline)) int other(int x)
{
	static int count = 3;

#ifdef NEW
	return x * 5 + count++;
#else
	return x * 4 + count++;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", bump(4), other(2)); }
