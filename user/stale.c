// SPDX-License-Identifier: GPL-2.0
/*
 * Words on a stack that look like return addresses (stage 10): which of them
 * does nobody return to?
 *
 * A thread that sleeps is unwound.  A word is stale when the unwinding came to
 * the outermost frame, the word lies in the frames that were passed, none of
 * these goes on at its value, and it follows a call instruction: then a call
 * left it there that has ended.  In doubt it is not stale.
 *
 * What else may be on a stack and be used to go on:
 *
 * - an interrupted instruction, in a signal frame: the unwinder passes through
 *   it, so it is a frame's; nothing in the signal frame itself is stale;
 * - a parked ucontext_t: glibc keeps in it a pointer to itself, by which it is
 *   found.  Where it goes on is not stale, nor is what lies above its stack
 *   pointer, when that is in a frame of this thread's;
 * - jmp_buf: of a function that has not returned, so it has a frame;
 * - a label's address that a computed goto takes: it follows no call, as a rule;
 * - a stack of somebody else's, in an array of a frame: a frame that is as
 *   large as the smallest stack that glibc gives a thread (PTHREAD_STACK_MIN)
 *   is not trusted.  The smaller hand-made ones can't be told.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "stale.h"
#include "unwind.h"

#define LARGE_FRAME	16384
/* Stacks that are deeper are not looked through for contexts. */
#define SCAN_BYTES	(64UL << 20)
#define CONTEXTS_MAX	256

struct context {
	uint64_t sp, ip;
};

/* One thread, unwound. */
struct stack {
	const struct hpkm_arch *arch;
	struct hpkm_memory *memory;
	struct hpkm_frames frames;
	struct context contexts[CONTEXTS_MAX];
	size_t context_count;
};

/* A frame that the address lies in; of several, the largest. */
static const struct hpkm_frame *frame_at(const struct stack *stack,
					 uint64_t address)
{
	const struct hpkm_frame *best = NULL;

	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct hpkm_frame *f = &stack->frames.list[i];

		if (f->is_signal || address < f->sp || address >= f->end)
			continue;
		if (!best || f->end - f->sp > best->end - best->sp)
			best = f;
	}
	return best;
}

static bool add_context(struct stack *stack, uint64_t cell)
{
	const struct hpkm_arch_context *c = &stack->arch->context;
	struct context *context = &stack->contexts[stack->context_count];

	if (stack->context_count == CONTEXTS_MAX)
		return false;
	stack->context_count++;
	return hpkm_memory_read(stack->memory, cell + c->sp, &context->sp,
				sizeof(context->sp)) &&
	       hpkm_memory_read(stack->memory, cell + c->ip, &context->ip,
				sizeof(context->ip));
}

/* Contexts that are parked in the frames; false when that can't be told. */
static bool find_contexts(struct stack *stack)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct hpkm_frame *f = &stack->frames.list[i];
		uint64_t at, word;

		if (f->is_signal)
			continue;
		bytes += f->end - f->sp;
		if (f->end - f->sp > SCAN_BYTES || bytes > SCAN_BYTES)
			return false;
		for (at = (f->sp + 7) & ~7UL; at < f->end; at += sizeof(word)) {
			if (!hpkm_memory_read(stack->memory, at, &word,
					      sizeof(word)))
				return false;
			if ((int64_t)(word - at) == stack->arch->context.self &&
			    !add_context(stack, at))
				return false;
		}
	}
	return true;
}

static bool is_parked(const struct stack *stack, const struct hpkm_word *word)
{
	for (size_t i = 0; i < stack->context_count; i++) {
		const struct context *c = &stack->contexts[i];
		const struct hpkm_frame *f;

		if (word->value == c->ip)
			return true;
		f = frame_at(stack, c->sp);
		if (f && word->address >= c->sp && word->address < f->end)
			return true;
	}
	return false;
}

static bool returns(const struct stack *stack, const struct hpkm_word *word)
{
	for (size_t i = 0; i < stack->frames.count; i++)
		if (stack->frames.list[i].pc == word->value)
			return true;
	return false;
}

/* Is the instruction that ends there a call? */
static bool follows_call(const struct stack *stack, uint64_t address)
{
	uint8_t code[HPKM_CALL_SIZE_MAX];

	for (size_t size = 1; size <= sizeof(code); size++) {
		struct hpkm_arena arena = { 0 };
		struct hpkm_code insns;
		bool is_call;

		if (!hpkm_memory_read(stack->memory, address - size, code,
				      size))
			return false;
		stack->arch->decode(&arena, code, size, address - size, &insns);
		is_call = insns.count == 1 && !insns.broken &&
			  insns.insns[0].flags & HPKM_INSN_CALL;
		hpkm_arena_free(&arena);
		if (is_call)
			return true;
	}
	return false;
}

static enum hpkm_verdict_of_word judge(const struct stack *stack,
				       const struct hpkm_word *word)
{
	const struct hpkm_frame *frame = frame_at(stack, word->address);

	if (returns(stack, word))
		return HPKM_WORD_RETURNS;
	if (!frame)
		return HPKM_WORD_OUTSIDE;
	if (is_parked(stack, word))
		return HPKM_WORD_PARKED;
	if (!follows_call(stack, word->value))
		return HPKM_WORD_NO_RETURN;
	if (frame->end - frame->sp >= LARGE_FRAME)
		return HPKM_WORD_IN_LARGE;
	return HPKM_WORD_STALE;
}

/* What a question says of the registers; false when it is not for us. */
static bool take_registers(const struct hpkm_arch *arch,
			   const struct hpkm_doubt *doubt,
			   struct hpkm_registers *registers)
{
	if (!arch || doubt->registers.count != arch->frame.registers ||
	    doubt->registers.count > HPKM_REGISTERS_MAX)
		return false;
	memcpy(registers->value, doubt->registers.value,
	       doubt->registers.count * sizeof(uint64_t));
	registers->known = (1ULL << doubt->registers.count) - 1;
	return registers->value[arch->frame.sp] == doubt->sp;
}

void hpkm_stale_judge(struct hpkm_memory *memory, struct hpkm_cfi *cfi,
		      const struct hpkm_doubt *doubt,
		      struct hpkm_stack_verdict *verdict)
{
	const struct hpkm_word *words = doubt->words.items;
	struct stack stack = {
		.arch = hpkm_arch_native(),
		.memory = memory,
	};
	struct hpkm_registers registers;

	*verdict = (struct hpkm_stack_verdict){ .pc = 0 };
	if (!take_registers(stack.arch, doubt, &registers))
		return;
	hpkm_unwind(memory, cfi, &registers, stack.arch->frame.sp,
		    stack.arch->frame.ip, &stack.frames);
	if (stack.frames.status != HPKM_UNWIND_COMPLETE) {
		if (stack.frames.count)
			verdict->pc =
				stack.frames.list[stack.frames.count - 1].pc;
		strncpy(verdict->where, hpkm_cfi_name(cfi, verdict->pc),
			sizeof(verdict->where) - 1);
		goto out;
	}
	if (!find_contexts(&stack))
		goto out;
	for (size_t i = 0; i < doubt->words.count && i < HPKM_VERDICT_WORDS;
	     i++)
		verdict->words[i] = judge(&stack, &words[i]);
out:
	free(stack.frames.list);
}
