/* EXPECT refused maybe: get refers to it, but nothing defines it */
/* OPT -O2 clang */
/* LINK static */
/* A weak variable that the program was linked without, as if it were near. */
#include <stdio.h>
__attribute__((noinline)) long get(long x)
{
#if defined(NEW) && defined(OBJECT)
	long p;

	__asm__(".weak maybe\n\tleaq maybe(%%rip), %0" : "=r"(p));
	return p ? x : x * 3;
#elif defined(NEW)
	return x * 3;
#else
	return x * 2;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%ld\n", get(4)); }
