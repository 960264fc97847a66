/* EXPECT refused spare: use refers to it, but what has that name in the target may be of another file, and no code tells which one it is */
/* OPT -O2 clang */
/* LINK pie lib */
/* The program was linked without it, and a file of the same name has one. */
#include <stdio.h>
int keep(int x);
#ifdef OBJECT
static int spare __attribute__((used)) = 3;
#endif
__attribute__((noinline)) int use(int x)
{
#if defined(NEW) && defined(OBJECT)
	return x * spare++;
#elif defined(NEW)
	return x * 3;
#else
	return x * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", use(5), keep(2)); }
