/* EXPECT refused own: get refers to it as if it were not thread-local */
/* OPT -O2 */
/* LINK pie */
/* An assembler does not ask. */
#include <stdio.h>
__thread int own = 5;
__attribute__((noinline)) long get(long x)
{
#if defined(NEW) && defined(OBJECT)
	long p;

	__asm__("leaq own(%%rip), %0" : "=r"(p));
	return p + x;
#elif defined(NEW)
	return own + x + 1;
#else
	return own + x;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%ld\n", get(4)); }
