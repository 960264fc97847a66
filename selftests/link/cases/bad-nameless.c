/* EXPECT refused use: it refers to nameless data in section .data */
/* OPT -O2 clang */
/* LINK pie lib */
/* Without a symbol nobody knows where it is, and the process has written it. */
#include <stdio.h>
__asm__(".data\n.balign 4\n.Lcount: .long 40\n.long 2\n.text");
__attribute__((noinline)) int use(int x)
{
	int count;

	__asm__ volatile("addl $1, .Lcount(%%rip)\n\tmovl .Lcount(%%rip), %0"
			 : "=r"(count));
#ifdef NEW
	return count * x + 1;
#else
	return count * x;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
