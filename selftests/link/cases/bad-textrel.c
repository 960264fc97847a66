/* EXPECT refused get: the dynamic linker writes into its code */
/* OPT -O2 clang */
/* LINK lib */
/* LDFLAGS -Wl,-z,notext */
/* An address in the instruction itself, which every process has otherwise. */
#include <stdio.h>
static int counter = 3;
__attribute__((noinline)) int get(int x)
{
	int *p;

	__asm__("movabsq $%c1, %0" : "=r"(p) : "i"(&counter));
#ifdef NEW
	return *p * x + 1;
#else
	return *p * x;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { counter++; fprintf(out, "%d\n", get(4)); }
