/* EXPECT refused the object files are not position-independent, but */
/* OPT -O2 */
/* LINK pie */
/* An address in 32 bits, as code for a program at a fixed place has it. */
#include <stdio.h>
int counter = 3;
__attribute__((noinline)) long use(long x)
{
#if defined(NEW) && defined(OBJECT)
	long p;

	__asm__("movl $counter, %k0" : "=r"(p));
	return *(int *)p + x;
#else
	return counter + x;
#endif
}
void run_case(FILE *out) { fprintf(out, "%ld\n", use(5)); }
