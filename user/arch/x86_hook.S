/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What runs a patch's hooks, in the target: bytes that hpkm-build puts into
 * images, not code of the tools.  include/hpkm/hook.h has the states.
 *
 * A gate stands before each new function; the update table leads to it.  It is
 * entered as the function is, and so must leave every register as it is: those
 * that pass arguments, %al for the number of vector registers, %r10 for the
 * static chain, and all others too, for a compiler may know of a local
 * function that it leaves them alone (-fipa-ra).  Only the flags may change.
 * There is no jump through a register or a return to an address that was
 * pushed, for indirect branch tracking and shadow stacks.  Return addresses are
 * wiped from the stack afterwards: where later frames have holes, they would
 * stay, and look to the kernel's check as if the thread returned into the patch.
 *
 * Where an address of the image is needed, REF notes a 4-byte field that is
 * filled in when the patch is linked: a struct hpkm_blob_ref of arch.h.
 */
#include <hpkm/hook.h>

/* enum hpkm_blob_to */
#define STATE		0
#define CONTROL		1
#define APPLY		2
#define REVERT		3
#define ENTER		4
#define FUNC		5

/* x87, SSE, AVX, opmask, both halves of ZMM, and the registers of APX. */
#define XSAVE_MASK	0x800e7
#define XSAVE_LEGACY	512
#define XSAVE_MIN	576
#define CPUID_XSAVE	0xd
#define OSXSAVE_BIT	27

/* Bytes: the vector registers, and the first frames of a hook. */
#define WIPE		4096

	/* The field ends \tail bytes before here, and with the instruction. */
	.macro REF of, to, tail=0
	.pushsection .rodata.hpkm_x86_refs, "a", @progbits
	.long	9f - 4 - \tail - .L\of, \to, -4 - \tail
	.popsection
9:
	.endm

	/* A struct hpkm_blob around what stands in between. */
	.macro BLOB name
	.section .rodata.hpkm_x86_refs, "a", @progbits
	.balign	4
.L\name\()_refs:
	.section .data.rel.ro.hpkm_x86_blobs, "aw", @progbits
	.balign	8
	.globl	hpkm_x86_\name
	.type	hpkm_x86_\name, @object
	.size	hpkm_x86_\name, 32
hpkm_x86_\name:
	.quad	.L\name, .L\name\()_end - .L\name
	.quad	.L\name\()_refs
	.quad	(.L\name\()_refs_end - .L\name\()_refs) / 12
	.section .rodata.hpkm_x86_code, "a", @progbits
	.balign	16, 0xcc
.L\name:
	.endm

	.macro BLOB_END name
	.balign	16, 0xcc
.L\name\()_end:
	.section .rodata.hpkm_x86_refs, "a", @progbits
.L\name\()_refs_end:
	.endm

	BLOB gate
	endbr64
	cmpq	$HPKM_HOOK_READY, 0(%rip)
	REF gate, STATE, 1
	jne	1f
	.byte	0xe9		/* jmp */
	.long	0
	REF gate, FUNC
1:	.byte	0xe8		/* call */
	.long	0
	REF gate, ENTER
	movq	$0, -8(%rsp)
	.byte	0xe9
	.long	0
	REF gate, FUNC
	BLOB_END gate

	BLOB hook_enter
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	/* psABI: the thread pointer's first word is its own address. */
	movq	%fs:0, %rdx
	leaq	0(%rip), %rsi
	REF hook_enter, STATE
	leaq	0(%rip), %rdi
	REF hook_enter, CONTROL

.Lagain:
	cmpq	%rdx, HPKM_HOOK_OWNER(%rdi)
	je	.Lpass
	movq	(%rsi), %rax
	cmpq	$HPKM_HOOK_READY, %rax
	je	.Lpass
	cmpq	$HPKM_HOOK_REVERTED, %rax
	jne	1f
	cmpq	$0, HPKM_HOOK_WANT(%rdi)
	jne	.Lpass
1:	xorl	%eax, %eax
	cmpq	%rax, HPKM_HOOK_OWNER(%rdi)
	jne	2f
	lock cmpxchgq %rdx, HPKM_HOOK_OWNER(%rdi)
	je	.Lowned
2:	pause
	jmp	.Lagain

.Lowned:
	movq	(%rsi), %rax
	cmpq	$HPKM_HOOK_READY, %rax
	je	.Lrelease
	cmpq	$HPKM_HOOK_WANTED, %rax
	je	.Lwanted
	cmpq	$HPKM_HOOK_REVERTED, %rax
	jne	.Lapply
	cmpq	$0, HPKM_HOOK_WANT(%rdi)
	jne	.Lrelease

	/* PENDING, or what counts as that: cut off by fork, taken back. */
.Lapply:
	movq	$HPKM_HOOK_APPLYING, (%rsi)
	leaq	0(%rip), %rcx
	REF hook_enter, APPLY
	call	.Lrun
	call	.Lwipe
	movq	$HPKM_HOOK_READY, (%rsi)
	jmp	.Lrelease

.Lwanted:
	cmpq	$0, HPKM_HOOK_WANT(%rdi)
	jne	.Lrevert
	movq	$HPKM_HOOK_READY, (%rsi)
	jmp	.Lrelease

.Lrevert:
	movq	$HPKM_HOOK_REVERTING, (%rsi)
	leaq	0(%rip), %rcx
	REF hook_enter, REVERT
	call	.Lrun
	call	.Lwipe
	movq	$HPKM_HOOK_REVERTED, (%rsi)

	/* Stores are seen in their order: the state before the release. */
.Lrelease:
	movq	$0, HPKM_HOOK_OWNER(%rdi)
	movq	$0, -8(%rsp)
	/* Taken back meanwhile: then it has to be applied again. */
	jmp	.Lagain

.Lpass:
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	ret

	/*
	 * Zeros where the frames of run and of hooks were.  Keeps %rdx, %rsi
	 * and %rdi.
	 */
.Lwipe:
	pushq	%rdi
	leaq	-WIPE(%rsp), %rdi
	movl	$WIPE / 8, %ecx
	xorl	%eax, %eax
	rep stosq
	popq	%rdi
	ret

	/*
	 * Call what the table at %rcx lists.  Keeps %rdx, %rsi and %rdi, and
	 * of the caller's registers all that pass does not restore.
	 */
.Lrun:
	cmpq	$0, (%rcx)
	je	5f
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%r12
	movq	%rcx, %r12

	/* %r8d: what to save; %r9: how many bytes that takes. */
	xorl	%r8d, %r8d
	movl	$XSAVE_MIN, %r9d
	movl	$1, %eax
	cpuid
	btl	$OSXSAVE_BIT, %ecx
	jnc	3f
	xorl	%ecx, %ecx
	xgetbv
	andl	$XSAVE_MASK, %eax
	movl	%eax, %r8d
	movl	$2, %r10d
1:	btl	%r10d, %r8d
	jnc	2f
	movl	$CPUID_XSAVE, %eax
	movl	%r10d, %ecx
	cpuid
	addl	%ebx, %eax
	cmpl	%r9d, %eax
	cmovaq	%rax, %r9
2:	incl	%r10d
	cmpl	$32, %r10d
	jb	1b

3:	subq	%r9, %rsp
	andq	$-64, %rsp
	testl	%r8d, %r8d
	jz	.Lno_xsave
	/* xrstor refuses a header that xsave has not written all of. */
	xorl	%eax, %eax
	movq	%rax, XSAVE_LEGACY(%rsp)
	movq	%rax, XSAVE_LEGACY+8(%rsp)
	movq	%rax, XSAVE_LEGACY+16(%rsp)
	movq	%rax, XSAVE_LEGACY+24(%rsp)
	movq	%rax, XSAVE_LEGACY+32(%rsp)
	movq	%rax, XSAVE_LEGACY+40(%rsp)
	movq	%rax, XSAVE_LEGACY+48(%rsp)
	movq	%rax, XSAVE_LEGACY+56(%rsp)
	movl	%r8d, %ebx
	movl	%r8d, %eax
	xorl	%edx, %edx
	xsave64	(%rsp)
	call	.Lcall_each
	movl	%ebx, %eax
	xorl	%edx, %edx
	xrstor64 (%rsp)
	jmp	4f

.Lno_xsave:
	fxsave64 (%rsp)
	call	.Lcall_each
	fxrstor64 (%rsp)

4:	leaq	-72(%rbp), %rsp
	popq	%r12
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rbp
5:	ret

	/* Keeps %rbx and %rbp, as the hooks do.  %rsp is 8 off here. */
.Lcall_each:
	subq	$8, %rsp
1:	movq	(%r12), %rax
	testq	%rax, %rax
	jz	2f
	addq	$8, %r12
	call	*%rax
	jmp	1b
2:	addq	$8, %rsp
	ret

	BLOB_END hook_enter

	.section .note.GNU-stack, "", @progbits
