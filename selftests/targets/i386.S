/* SPDX-License-Identifier: GPL-2.0 */
/* A 32-bit program that sleeps: pause() for ever. */
	.globl	_start
	.text
_start:
	movl	$29, %eax
	int	$0x80
	jmp	_start

	.section .note.GNU-stack, "", @progbits
