/* EXPECT refused spare: use refers to it, but the target has no symbol of that name */
/* OPT -O2 clang */
/* LINK pie lib */
/* A variable that the program was linked without. */
#include <stdio.h>
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
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
