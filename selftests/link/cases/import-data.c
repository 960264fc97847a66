/* EXPECT replaced work */
/* LINK pie nopie lib */
/* Variables of libraries that the program did not import, loaded and pointed to. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
__attribute__((noinline, noipa)) long use(long a, FILE *b, char **c, int d, long e,
				   const char *g)
{
	return a * 3 + (b != 0) * 5 + (c != 0) * 7 + d * 11 + e * 13 +
		(g[0] != 0) * 19;
}
__attribute__((noinline, noipa)) long work(long x, long y, long z)
{
#ifdef NEW
#ifdef __PIC__
	int *volatile where = &opterr;
#else
	static int one = 1;
	int *volatile where = &one;
#endif
	return use(optind, stdin, environ, daylight, timezone,
		   program_invocation_name) + *where + x + y * z;
#else
	return use(x, stdout, (char **)stdout, y, z, "a");
#endif
}
void run_case(FILE *out) { fprintf(out, "%ld %ld\n", work(3, 4, 5), work(6, 7, 8)); }
