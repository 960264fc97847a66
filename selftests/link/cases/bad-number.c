/* EXPECT refused its value 0x1234567890 does not fit */
/* OPT -O2 */
/* LINK static */
/* What nothing defines, plus a number that the instruction has no room for. */
#include <stdio.h>
__attribute__((noipa)) int f(int x)
{
#if defined(NEW) && defined(OBJECT)
	int y;

	__asm__(".weak nobody\n\tmovl $nobody + 0x1234567890, %0" : "=r" (y));
	return x + y;
#else
	return x * x * 2 - x / 3;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
