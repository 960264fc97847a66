/* EXPECT refused tiny: it is shorter than the trampoline */
/* OPT -Os */
/* FLAGS -fcf-protection=none */
#include <stdio.h>
__attribute__((noinline)) int tiny(void)
{
#ifdef NEW
	return 0x2222;
#else
	return 0;
#endif
}
__attribute__((noinline)) int next(void) { return 1; }
void run_case(FILE *out) { fprintf(out, "%d %d\n", tiny(), next()); }
