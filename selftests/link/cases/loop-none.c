/* EXPECT replaced spin */
/* INSPECT "loops":false */
/* OPT -O2 */
/* LINK pie nopie lib */
/* Calls, and tables that it does not use, are no loops. */
#include <stdio.h>
__attribute__((noipa)) int spin(int n);
#ifdef NEW
__attribute__((noipa)) int spin(int n) { return n * 3 + 7; }
#else
__attribute__((naked)) int spin(int n)
{
	__asm__ volatile("	mov %edi, %eax\n"
			 "	cmp $100, %edi\n"
			 "	jge 1f\n"
			 "	add $30, %edi\n"
			 "	call spin_start\n"
			 "1:	add $1, %eax\n"
			 "	ret");
}
__asm__(".set spin_start, spin");
int (*const spins[])(int) = { spin, spin };
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", spin(3)); }
