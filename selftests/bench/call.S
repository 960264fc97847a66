/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions to be patched, and their callers.
 */
#include "call.h"

/* The answer to x is 8 * x + version. */
.macro short_body version
	lea	\version(,%rdi,8), %rax
	ret
.endm

/* Dozens of cycles: each multiplication waits for the one before. */
.macro long_body version
	mov	$40, %ecx
	lea	\version(,%rdi,8), %rax
.Lagain\@:
	imul	$1, %rax, %rax
	add	$0, %rax
	dec	%ecx
	jnz	.Lagain\@
	ret
.endm

.macro set length
	.balign	4096
functions_\length:
	.rept	CALL_FUNCTIONS
3:	\length\()_body 1
	.skip	CALL_STRIDE - (. - 3b), 0xcc
	.endr

	.balign	4096
one_\length:
	push	%rbx
	mov	%rdi, %rbx
	.balign	64
1:	mov	%rbx, %rdi
	call	functions_\length
	dec	%rbx
	jnz	1b
	pop	%rbx
	ret

	.balign	4096
all_\length:
	push	%rbx
	mov	%rdi, %rbx
	.balign	64
2:	.set	offset, 0
	.rept	CALL_FUNCTIONS
	mov	%rbx, %rdi
	call	functions_\length + offset
	.set	offset, offset + CALL_STRIDE
	.endr
	dec	%rbx
	jnz	2b
	pop	%rbx
	ret
.endm

	.text
	set	short
	set	long

	.section .rodata
	.globl	call_short_new, call_long_new
	.balign	64
call_short_new:
	short_body 2
	.skip	CALL_STRIDE
call_long_new:
	long_body 2
	.skip	CALL_STRIDE

.macro table length
	.balign	8
	.globl	call_\length
call_\length:
	.quad	functions_\length
	.quad	one_\length
	.quad	all_\length
.endm

	.section .data.rel.ro, "aw"
	table	short
	table	long

	.section .note.GNU-stack, "", @progbits
