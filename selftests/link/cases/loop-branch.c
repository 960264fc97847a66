/* EXPECT replaced spin */
/* INSPECT "loops":true */
/* OPT -O2 */
/* LINK pie nopie lib */
/* A branch to the first byte: who stands there may be in the loop. */
#include <stdio.h>
__attribute__((noipa)) int spin(int n);
#ifdef NEW
__attribute__((noipa)) int spin(int n) { return n * 3 + 7; }
#else
__attribute__((naked)) int spin(int n)
{
	__asm__ volatile("1: cmp $100, %edi\n"
			 "	lea 30(%rdi), %edi\n"
			 "	jl 1b\n"
			 "	mov %edi, %eax\n"
			 "	ret");
}
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", spin(3)); }
