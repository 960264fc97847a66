/* SPDX-License-Identifier: GPL-2.0 */
/* Work that the CPUs inside a stop share. */
#ifndef _HPKM_SHARE_H
#define _HPKM_SHARE_H

#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/types.h>

/**
 * struct hpkm_share - pieces of work
 * @taken: so many a CPU has taken on itself, or more
 * @done: so many are done
 *
 * Who has taken a piece does it, and nothing can keep it from that: it is in the
 * stopper, with interrupts off.  So it can be waited for.
 */
struct hpkm_share {
	atomic_t taken;
	atomic_t done;
};

/* Which of the @count pieces this CPU does next; @count when none is left. */
static inline u32 hpkm_share_take(struct hpkm_share *share, u32 count)
{
	return min_t(u32, atomic_fetch_inc(&share->taken), count);
}

/* A piece is done.  Fully ordered: whoever waits sees what came of it. */
static inline void hpkm_share_done(struct hpkm_share *share)
{
	atomic_inc_return(&share->done);
}

/* Until all pieces are done, all of which have been taken. */
static inline void hpkm_share_wait(struct hpkm_share *share, u32 count)
{
	while (atomic_read_acquire(&share->done) < count)
		cpu_relax();
}

#endif /* _HPKM_SHARE_H */
