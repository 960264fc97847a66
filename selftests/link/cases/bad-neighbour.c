/* EXPECT refused f: a jump table or other code leads into its first bytes */
/* OPT -O2 */
/* LINK pie */
/* Assembler: another function of the section jumps behind the first one. */
#include <stdio.h>
#ifdef NEW
#define ADD "3"
#else
#define ADD "2"
#endif
int f(int x), g(int x);
__asm__(".section .text.both, \"ax\", @progbits\n"
	".globl f, g\n.type f, @function\n.type g, @function\n"
	"f:\tmov %edi, %eax\n"
	"1:\timul $" ADD ", %eax, %eax\n\tadd $10, %eax\n\tret\n"
	".size f, . - f\n"
	"\t.p2align 4\n"
	"g:\tlea 5(%rdi), %eax\n\tjmp 1b\n"
	".size g, . - g\n.text\n");
void run_case(FILE *out) { fprintf(out, "%d %d\n", f(3), g(3)); }
