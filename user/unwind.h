/* SPDX-License-Identifier: GPL-2.0 */
/* The frames of a thread that sleeps (stage 10). */
#ifndef HPKM_UNWIND_H
#define HPKM_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfi.h"
#include "expression.h"
#include "memory.h"

struct hpkm_frame {
	uint64_t pc;		/* where it goes on */
	uint64_t sp;		/* the end of its callee's frame */
	uint64_t end;		/* the end of its own */
	/* Made by the kernel for a handler; what lies in it is no frame. */
	bool is_signal;
};

/* Why frames end where they do. */
enum hpkm_unwind_status {
	HPKM_UNWIND_COMPLETE,	/* the last one says that it has no caller */
	HPKM_UNWIND_NO_CFI,	/* nothing is known of the last one's code */
	HPKM_UNWIND_BAD,	/* the last one makes no sense */
	HPKM_UNWIND_TOO_LONG,
	HPKM_UNWIND_NO_MEMORY,
};

struct hpkm_frames {
	struct hpkm_frame *list;	/* the innermost first */
	size_t count;
	enum hpkm_unwind_status status;
};

/*
 * By call frame information only, never by guessing at frame pointers.  The
 * caller frees frames->list.
 */
void hpkm_unwind(struct hpkm_memory *memory, struct hpkm_cfi *cfi,
		 const struct hpkm_registers *registers, unsigned int sp,
		 unsigned int ip, struct hpkm_frames *frames);

#endif /* HPKM_UNWIND_H */
