/* SPDX-License-Identifier: GPL-2.0 */
/* Words on a stack that look like return addresses (stage 10). */
#ifndef HPKM_STALE_H
#define HPKM_STALE_H

#include <stdint.h>

#include "cfi.h"
#include "memory.h"
#include "reply.h"

/* What is known of a word.  Only of the last one that it does not count. */
enum hpkm_verdict_of_word {
	HPKM_WORD_UNKNOWN,
	HPKM_WORD_RETURNS,	/* a frame returns there */
	HPKM_WORD_OUTSIDE,	/* in no frame */
	HPKM_WORD_IN_LARGE,	/* in a frame that may hold another stack */
	HPKM_WORD_PARKED,	/* a parked context goes on there */
	HPKM_WORD_NO_RETURN,	/* not an address behind a call */
	HPKM_WORD_STALE,
};

#define HPKM_VERDICT_WORDS	64
#define HPKM_VERDICT_WHERE	64

/* Plain memory: it goes through a pipe. */
struct hpkm_stack_verdict {
	uint8_t words[HPKM_VERDICT_WORDS];	/* enum hpkm_verdict_of_word */
	uint64_t pc;		/* where unwinding ended; 0: at the end */
	char where[HPKM_VERDICT_WHERE];	/* the name of the file there */
};

/* Judge the words of one question; those that are no longer there, too. */
void hpkm_stale_judge(struct hpkm_memory *memory, struct hpkm_cfi *cfi,
		      const struct hpkm_doubt *doubt,
		      struct hpkm_stack_verdict *verdict);

#endif /* HPKM_STALE_H */
