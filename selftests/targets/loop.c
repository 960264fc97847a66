// SPDX-License-Identifier: GPL-2.0
/*
 * other() leads to where its trampoline will be.  It is a loop whose head is its
 * first instruction: what is passed from one turn to the next, in the register of
 * the argument, no caller passes.  With EARLY it begins with a call, which returns
 * to the sixth byte, the last of the trampoline.
 */
#include "load.h"

#ifndef VERSION
#define VERSION	1
#endif

#if VERSION == 1 && defined(EARLY)
__attribute__((naked, noipa)) unsigned long other(unsigned long x)
{
	__asm__("	call early\n"
		"	inc %rax\n"
		"	ret");
}

__asm__("	.pushsection .text.early, \"ax\", @progbits\n"
	"	.globl early\n"
	"	.type early, @function\n"
	"early:	mov %rdi, %rax\n"
	"	nop\n"
	"	shl $3, %rax\n"
	"	ret\n"
	"	.size early, . - early\n"
	"	.popsection");
#elif VERSION == 1
__attribute__((naked, noipa)) unsigned long other(unsigned long x)
{
	/* The turn is counted in the highest byte; each doubles the rest. */
	__asm__("1:	mov %rdi, %rdx\n"
		"	mov %rdi, %rax\n"
		"	shr $56, %rdx\n"
		"	shl $8, %rax\n"
		"	shr $8, %rax\n"
		"	cmp $3, %rdx\n"
		"	je 2f\n"
		"	add %rax, %rdi\n"
		"	movabs $0x100000000000000, %rdx\n"
		"	add %rdx, %rdi\n"
		"	jmp 1b\n"
		"2:	inc %rax\n"
		"	ret");
}
#else
__attribute__((noipa)) unsigned long other(unsigned long x)
{
	return x * 8 + VERSION;
}
#endif

/* For load.c, which is linked with this instead of answer.c. */
unsigned long answer(unsigned long x)
{
	return x * 8 + 1;
}

unsigned long slow(unsigned long x, int fd)
{
	return 0;
}

unsigned long around(unsigned long x, void (*within)(void))
{
	return 0;
}
