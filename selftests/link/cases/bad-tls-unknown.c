/* EXPECT refused get: it reaches the thread-local variable own in a way that is not known */
/* OPT -O2 clang */
/* LINK pie lib */
/* Its offset in the module's block, in 8 bytes: no compiler does that. */
#include <stdio.h>
static __thread long own = 5;
__attribute__((noinline)) long set(long x) { return own += x; }
__attribute__((noinline)) long get(long x)
{
#if defined(NEW) && defined(OBJECT)
	long offset;

	__asm__("movabsq $own@dtpoff, %0" : "=r"(offset));
	return own + offset;
#elif defined(NEW)
	return own + x;
#else
	return own - x;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%ld %ld\n", set(3), get(4)); }
