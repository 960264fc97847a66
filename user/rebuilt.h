/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 1, at its end: the target as the second build has linked it.  With it
 * in the place of the file in storage, a restart keeps the fix.
 */
#ifndef HPKM_REBUILT_H
#define HPKM_REBUILT_H

#include <sys/types.h>

#include "anchor.h"
#include "verdict.h"

struct hpkm_rebuilt {
	const uint8_t *bytes;	/* NULL: not asked for */
	size_t size;
	mode_t mode;		/* the target's permissions */
};

/*
 * Reads it, and refuses it (@verdicts) if it may not stand in for the target.
 * @old and @new: what the builds without and with the fix have linked; the
 * former is compared with the target, @new with nothing.  Returns 0, or -1
 * after a message.
 */
int hpkm_rebuilt_read(struct hpkm_arena *arena,
		      const struct hpkm_anchor *target, const char *old,
		      const char *new, struct hpkm_verdicts *verdicts,
		      struct hpkm_rebuilt *rebuilt);

#endif /* HPKM_REBUILT_H */
