/* EXPECT replaced spin */
/* INSPECT "loops":true */
/* OPT -O2 */
/* LINK pie nopie lib */
/* The same by a jump table. */
#include <stdio.h>
__attribute__((noipa)) int spin(int n);
#ifdef NEW
__attribute__((noipa)) int spin(int n) { return n * 3 + 7; }
#else
__attribute__((naked)) int spin(int n)
{
	__asm__ volatile("1: mov %edi, %eax\n"
			 "	add $30, %edi\n"
			 "	cmp $100, %eax\n"
			 "	setl %al\n"
			 "	movzbl %al, %eax\n"
			 "	lea 3f(%rip), %rdx\n"
			 "	movslq (%rdx,%rax,4), %rax\n"
			 "	add %rdx, %rax\n"
			 "	jmp *%rax\n"
			 "2:	mov %edi, %eax\n"
			 "	ret\n"
			 "	.section .rodata.spin, \"a\"\n"
			 "	.balign 4\n"
			 "3:	.long 2b - 3b, 1b - 3b\n"
			 "	.previous");
}
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", spin(3)); }
