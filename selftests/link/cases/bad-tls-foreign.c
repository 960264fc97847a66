/* EXPECT refused foreign: get takes it for a variable of its own */
/* OPT -O2 clang */
/* LINK pie lib */
/* Local-dynamic access to what another module would have. */
#include <stdio.h>
__attribute__((noinline)) long get(long x)
{
#if defined(NEW) && defined(OBJECT)
	long offset;

	__asm__("leaq foreign@dtpoff(%1), %0" : "=r"(offset) : "r"(x));
	return offset;
#elif defined(NEW)
	return x + 1;
#else
	return x - 1;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%ld\n", get(4)); }
