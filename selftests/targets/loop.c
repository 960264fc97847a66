// SPDX-License-Identifier: GPL-2.0
/*
 * other() is a loop whose head is its first instruction: what is passed from
 * one turn to the next, in the register of the argument, no caller passes.
 */
#include "load.h"

#ifndef VERSION
#define VERSION	1
#endif

#if VERSION == 1
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
