/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses of code in memory that is no thread's stack. */
#ifndef _HPKM_HEAP_H
#define _HPKM_HEAP_H

#include "transition.h"

int hpkm_heap_prepare(struct hpkm_transition *t);

/* Inside the stop, with the target's mmap_lock held for reading. */
void hpkm_heap_thread(struct hpkm_transition *t, struct task_struct *thread);
void hpkm_heap_check(struct hpkm_look *look, struct hpkm_transition *t,
		     u64 deadline);

#endif /* _HPKM_HEAP_H */
