// SPDX-License-Identifier: GPL-2.0
/*
 * The frames of a thread that sleeps (stage 10).
 *
 * The stepping is done here rather than by libdwfl: that one goes by frame
 * pointers where call frame information ends or can't be used, which is a
 * guess, and it does not tell where a frame lies.  The target may be hostile
 * to the unwinder: so many frames at most, each above the one before, but for
 * signals, which change stacks.
 */
#include <stdlib.h>

#include "unwind.h"

#define FRAMES_MAX	65536
#define SIGNALS_MAX	32

/* How one thread is being unwound. */
struct walk {
	struct hpkm_memory *memory;
	struct hpkm_cfi *cfi;
	unsigned int sp, ip;
	struct hpkm_registers registers;	/* of the current frame */
	bool exact;	/* pc is not behind a call, but where it goes on */
	unsigned int signals;
};

static bool known(const struct hpkm_registers *registers, unsigned int number)
{
	return registers->known & 1U << number;
}

static void set(struct hpkm_registers *registers, unsigned int number,
		uint64_t value)
{
	registers->known |= 1U << number;
	registers->value[number] = value;
}

/* Register "number" of the caller, unless it can't be known. */
static bool recover(const struct walk *w, Dwarf_Frame *row, uint64_t cfa,
		    unsigned int number, struct hpkm_registers *caller)
{
	struct hpkm_scope scope = {
		.memory = w->memory,
		.registers = &w->registers,
		.has_cfa = true,
		.cfa = cfa,
	};
	struct hpkm_result result;
	Dwarf_Op room[3], *ops;
	uint64_t value;
	size_t count;

	if (dwarf_frame_register(row, number, room, &ops, &count))
		return false;
	if (!count && ops)
		return true;		/* undefined */
	if (!count) {			/* the same */
		if (known(&w->registers, number))
			set(caller, number, w->registers.value[number]);
		return true;
	}
	if (!hpkm_expression(&scope, ops, count, &result))
		return false;
	value = result.value;
	if (!result.is_value &&
	    !hpkm_memory_read(w->memory, result.value, &value, sizeof(value)))
		return false;
	set(caller, number, value);
	return true;
}

static bool find_cfa(const struct walk *w, Dwarf_Frame *row, uint64_t *cfa)
{
	struct hpkm_scope scope = {
		.memory = w->memory,
		.registers = &w->registers,
	};
	struct hpkm_result result;
	size_t count;
	Dwarf_Op *ops;

	if (dwarf_frame_cfa(row, &ops, &count) || !count ||
	    !hpkm_expression(&scope, ops, count, &result))
		return false;
	*cfa = result.value;
	return true;
}

/*
 * From the current frame, which is told, to its caller.  Return:
 * HPKM_UNWIND_COMPLETE when there is a caller, or when the frame is the last,
 * in *last.
 */
static enum hpkm_unwind_status step(struct walk *w, Dwarf_Frame *row,
				    struct hpkm_frame *frame, bool *last)
{
	struct hpkm_registers caller = { .known = 0 };
	uint64_t cfa;

	*last = false;
	if (dwarf_frame_info(row, NULL, NULL, &frame->is_signal) !=
	    (int)w->ip || !find_cfa(w, row, &cfa))
		return HPKM_UNWIND_BAD;
	for (unsigned int i = 0; i <= w->ip; i++)
		if (!recover(w, row, cfa, i, &caller) &&
		    (i == w->sp || i == w->ip))
			return HPKM_UNWIND_BAD;
	*last = !known(&caller, w->ip);
	if (!known(&caller, w->sp))
		return HPKM_UNWIND_BAD;
	frame->end = caller.value[w->sp];
	if (frame->is_signal ? w->signals++ == SIGNALS_MAX :
			       frame->end <= frame->sp)
		return HPKM_UNWIND_BAD;
	w->registers = caller;
	w->exact = frame->is_signal;
	return HPKM_UNWIND_COMPLETE;
}

static struct hpkm_frame *add_frame(struct hpkm_frames *frames)
{
	struct hpkm_frame *list = frames->list;

	/* Full when it is a power of two. */
	if (!(frames->count & (frames->count - 1))) {
		list = reallocarray(list, frames->count ? 2 * frames->count : 1,
				    sizeof(*list));
		if (!list)
			return NULL;
		frames->list = list;
	}
	list[frames->count] = (struct hpkm_frame){ .is_signal = false };
	return &list[frames->count++];
}

static enum hpkm_unwind_status walk_on(struct walk *w,
				       struct hpkm_frames *frames)
{
	enum hpkm_unwind_status status;
	bool last = false;

	while (!last) {
		struct hpkm_frame *frame;
		Dwarf_Frame *row;

		if (frames->count == FRAMES_MAX)
			return HPKM_UNWIND_TOO_LONG;
		frame = add_frame(frames);
		if (!frame)
			return HPKM_UNWIND_NO_MEMORY;
		frame->pc = w->registers.value[w->ip];
		frame->sp = w->registers.value[w->sp];
		/* A call may be the last instruction of its function. */
		row = hpkm_cfi_find(w->cfi, w->memory,
				    frame->pc - !w->exact);
		if (!row)
			return HPKM_UNWIND_NO_CFI;
		status = step(w, row, frame, &last);
		free(row);
		if (status != HPKM_UNWIND_COMPLETE)
			return status;
	}
	return HPKM_UNWIND_COMPLETE;
}

void hpkm_unwind(struct hpkm_memory *memory, struct hpkm_cfi *cfi,
		 const struct hpkm_registers *registers, unsigned int sp,
		 unsigned int ip, struct hpkm_frames *frames)
{
	struct walk w = {
		.memory = memory,
		.cfi = cfi,
		.sp = sp,
		.ip = ip,
		.registers = *registers,
		.exact = true,
	};

	*frames = (struct hpkm_frames){ .list = NULL };
	if (!known(registers, sp) || !known(registers, ip))
		frames->status = HPKM_UNWIND_BAD;
	else
		frames->status = walk_on(&w, frames);
}
