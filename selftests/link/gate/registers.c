/* Every register arrives in the new function as the caller left it. */
#include <string.h>

#include "gate.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* rax rbx rcx rdx rsi rdi rbp r8 to r15, rsp; x87 and mxcsr; k, zmm. */
struct registers {
	uint64_t general[16];
	uint32_t mxcsr;
	uint16_t control;
	uint16_t pad[5];
	uint64_t mask[8];
	uint8_t vector[32][64] __attribute__((aligned(64)));
};

HIDDEN struct registers wanted, captured;
HIDDEN uint32_t have_avx, have_avx512;
HIDDEN uint64_t saved_sp;
void dump(void) HIDDEN;
void call_dump(void) HIDDEN;

__asm__(
".macro each op, kind, from, to, where, size, dir\n"
"	.set i, \\from\n"
"	.rept \\to - \\from + 1\n"
"	one \\op, \\kind, %i, \\where, \\size, \\dir\n"
"	.set i, i + 1\n"
"	.endr\n"
".endm\n"
".altmacro\n"
".macro one op, kind, n, where, size, dir\n"
"	.ifc \\dir, store\n"
"	\\op %\\kind\\n, \\where + (\\n) * \\size(%rip)\n"
"	.else\n"
"	\\op \\where + (\\n) * \\size(%rip), %\\kind\\n\n"
"	.endif\n"
".endm\n"
".pushsection .text.dump, \"ax\", @progbits\n"
"	.globl dump\n"
"	.type dump, @function\n"
"dump:\n"
#ifdef NEW
"	movq %rax, captured(%rip)\n"
"	movq %rbx, captured+8(%rip)\n"
"	movq %rcx, captured+16(%rip)\n"
"	movq %rdx, captured+24(%rip)\n"
"	movq %rsi, captured+32(%rip)\n"
"	movq %rdi, captured+40(%rip)\n"
"	movq %rbp, captured+48(%rip)\n"
"	movq %r8, captured+56(%rip)\n"
"	movq %r9, captured+64(%rip)\n"
"	movq %r10, captured+72(%rip)\n"
"	movq %r11, captured+80(%rip)\n"
"	movq %r12, captured+88(%rip)\n"
"	movq %r13, captured+96(%rip)\n"
"	movq %r14, captured+104(%rip)\n"
"	movq %r15, captured+112(%rip)\n"
"	movq %rsp, captured+120(%rip)\n"
"	stmxcsr captured+128(%rip)\n"
"	fnstcw captured+132(%rip)\n"
"	jmp dump_vectors\n"
#else
"	nop; nop; nop; nop; nop; nop\n"
"	nop; nop; nop; nop; nop; nop\n"
"	ret\n"
#endif
"	.size dump, . - dump\n"
".popsection\n"
".pushsection .text.dump_vectors, \"ax\", @progbits\n"
"	.globl dump_vectors\n"
"	.hidden dump_vectors\n"
"	.type dump_vectors, @function\n"
"dump_vectors:\n"
"	cmpl $0, have_avx512(%rip)\n"
"	jne 1f\n"
"	cmpl $0, have_avx(%rip)\n"
"	jne 2f\n"
"	each movups, xmm, 0, 15, captured+256, 64, store\n"
"	ret\n"
"1:	each vmovups, zmm, 0, 31, captured+256, 64, store\n"
"	each kmovq, k, 0, 7, captured+144, 8, store\n"
"	ret\n"
"2:	each vmovups, ymm, 0, 15, captured+256, 64, store\n"
"	ret\n"
"	.size dump_vectors, . - dump_vectors\n"
".popsection\n"
".pushsection .text.call_dump, \"ax\", @progbits\n"
"	.globl call_dump\n"
"	.type call_dump, @function\n"
"call_dump:\n"
"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
"	sub $24, %rsp\n"
"	stmxcsr (%rsp)\n"
"	fnstcw 4(%rsp)\n"
"	mov %rsp, saved_sp(%rip)\n"
"	cmpl $0, have_avx512(%rip)\n"
"	jne 1f\n"
"	cmpl $0, have_avx(%rip)\n"
"	jne 2f\n"
"	each movups, xmm, 0, 15, wanted+256, 64, load\n"
"	jmp 3f\n"
"1:	each vmovups, zmm, 0, 31, wanted+256, 64, load\n"
"	each kmovq, k, 0, 7, wanted+144, 8, load\n"
"	jmp 3f\n"
"2:	each vmovups, ymm, 0, 15, wanted+256, 64, load\n"
"3:	ldmxcsr wanted+128(%rip)\n"
"	fldcw wanted+132(%rip)\n"
"	movq wanted(%rip), %rax\n"
"	movq wanted+8(%rip), %rbx\n"
"	movq wanted+16(%rip), %rcx\n"
"	movq wanted+24(%rip), %rdx\n"
"	movq wanted+32(%rip), %rsi\n"
"	movq wanted+40(%rip), %rdi\n"
"	movq wanted+48(%rip), %rbp\n"
"	movq wanted+56(%rip), %r8\n"
"	movq wanted+64(%rip), %r9\n"
"	movq wanted+72(%rip), %r10\n"
"	movq wanted+80(%rip), %r11\n"
"	movq wanted+88(%rip), %r12\n"
"	movq wanted+96(%rip), %r13\n"
"	movq wanted+104(%rip), %r14\n"
"	movq wanted+112(%rip), %r15\n"
"	call dump\n"
"	ldmxcsr (%rsp)\n"
"	fldcw 4(%rsp)\n"
"	add $24, %rsp\n"
"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
"	ret\n"
"	.size call_dump, . - call_dump\n"
".popsection\n"
".noaltmacro\n"
);

static int runs;

#ifdef NEW
static double spoiled;

/* A hook that uses whatever a compiler may use. */
static void spoil(void)
{
	static const uint32_t mxcsr = 0x1fa0;
	unsigned long a, b, c;

	runs++;
	for (int i = 0; i < 100; i++)
		spoiled += runs / 3.0 + (double)((long double)i / 7);
	__asm__ volatile("ldmxcsr %0" : : "m" (mxcsr));
	if (have_avx)
		__asm__ volatile("vzeroall" : : : "xmm0", "xmm1", "xmm2",
				 "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
				 "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
				 "xmm14", "xmm15");
	else
		__asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7"
				 : : : "xmm0", "xmm7");
	__asm__ volatile("xor %%r8d, %%r8d; xor %%r9d, %%r9d;"
			 "xor %%r10d, %%r10d; xor %%r11d, %%r11d;"
			 "xor %%eax, %%eax; xor %%ecx, %%ecx; xor %%edx, %%edx"
			 : "=a" (a), "=c" (b), "=d" (c)
			 : : "r8", "r9", "r10", "r11", "rsi", "rdi");
}
HPKM_APPLY_HOOK(spoil);
#endif

static void compare(FILE *out, const char *when)
{
	unsigned int bytes = have_avx512 ? 64 : have_avx ? 32 : 16;
	unsigned int count = have_avx512 ? 32 : 16;
	int vectors = 1;

	memset(&captured, 0, sizeof(captured));
	call_dump();
	check(!memcmp(captured.general, wanted.general, 15 * 8),
	      "%s: general registers", when);
	check(captured.general[15] == saved_sp - 8, "%s: stack pointer", when);
	check(captured.mxcsr == wanted.mxcsr &&
	      captured.control == wanted.control, "%s: mxcsr and x87", when);
	for (unsigned int i = 0; i < count; i++)
		vectors &= !memcmp(captured.vector[i], wanted.vector[i], bytes);
	check(vectors, "%s: %u vector registers of %u bytes", when, count,
	      bytes);
	check(!have_avx512 || !memcmp(captured.mask, wanted.mask, 64),
	      "%s: mask registers", when);
}

void run_case(FILE *out)
{
	__builtin_cpu_init();
	have_avx = __builtin_cpu_supports("avx");
	have_avx512 = __builtin_cpu_supports("avx512bw");
	for (unsigned int i = 0; i < sizeof(wanted); i++)
		((uint8_t *)&wanted)[i] = 7 * i + 3;
	wanted.mxcsr = 0x5f80;
	wanted.control = 0x0f7f;
	if (!loader_hook_state) {
		call_dump();
		return;
	}
	compare(out, "with the hook");
	check(runs == 1, "the hook ran once");
	compare(out, "without it");
	check(runs == 1, "the hook ran once only");
	check(1, "done");
}
