/* SPDX-License-Identifier: GPL-2.0 */
/* What probes of the kernel's hide of where a thread stands. */
#ifndef _HPKM_PROBE_H
#define _HPKM_PROBE_H

#include <linux/sched.h>

#include "memory.h"

/* The kernel lets no more return probes of a thread be pending. */
#define HPKM_PROBED_MAX		64

/**
 * struct hpkm_probed - addresses of a thread that are not in its memory
 * @stepping: it executes a probed instruction elsewhere
 * @ip: where that instruction is
 * @count: of those in @back
 * @back: what it returns to where a return probe has put an address of its own
 *	on the stack
 */
struct hpkm_probed {
	bool stepping;
	unsigned long ip;
	u32 count;
	unsigned long back[HPKM_PROBED_MAX];
};

#ifdef CONFIG_UPROBES
static inline bool hpkm_is_probed(const struct task_struct *thread)
{
	return thread->utask;
}
#else
static inline bool hpkm_is_probed(const struct task_struct *thread)
{
	return false;
}
#endif

bool hpkm_probe_read(const struct hpkm_memory *memory,
		     const struct task_struct *thread,
		     const struct pt_regs *regs, struct hpkm_probed *probed);

#endif /* _HPKM_PROBE_H */
