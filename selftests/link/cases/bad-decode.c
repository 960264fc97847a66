/* EXPECT refused use: its new code cannot be decoded */
/* OPT -O2 clang */
/* LINK pie lib */
/* Instructions that 64-bit code does not have. */
#include <stdio.h>
__attribute__((noinline)) int use(int x)
{
#if defined(NEW) && defined(OBJECT)
	if (x < 0)
		__asm__ volatile(".byte 0x06");
#endif
#ifdef NEW
	return x * 3;
#else
	return x * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
