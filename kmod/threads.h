/* SPDX-License-Identifier: GPL-2.0 */
/* The threads of the targets: is any of them in the way? */
#ifndef _HPKM_THREADS_H
#define _HPKM_THREADS_H

#include "share.h"
#include "transition.h"

/**
 * struct hpkm_known - a thread that was there before the stop
 * @thread: holds a reference
 * @of: the transition of its address space
 * @asleep: it slept then, and was looked at
 * @plan: number of the plan that it was looked at for
 * @switches: its context switches before that
 * @sp: its user stack pointer
 * @clear: it was found to be in nobody's way
 * @asked: somebody was asked to unwind its stack
 * @blocked: how often it was found in the way since it went to sleep
 */
struct hpkm_known {
	struct task_struct *thread;
	struct hpkm_transition *of;
	bool asleep;
	u32 plan;
	unsigned long switches;
	unsigned long sp;
	bool clear;
	bool asked;
	u32 blocked;
};

/**
 * struct hpkm_threads - the known threads of all targets of a request
 * @list: of them
 * @count: how many
 * @table: open addressing by task pointer: index in @list + 1, 0 is free
 * @bits: binary logarithm of the number of entries of @table
 * @awake: map of @list, written inside the stop: all but those that were found
 *	to be in nobody's way and have slept on since
 * @busy: of these, the indices in @list of those that may run in user mode
 * @busy_count: how many
 * @verifying: words of @awake
 * @checking: entries of @busy
 */
struct hpkm_threads {
	struct hpkm_known *list;
	u32 count;
	u32 *table;
	unsigned int bits;
	unsigned long *awake;
	u32 *busy;
	u32 busy_count;
	struct hpkm_share verifying, checking;
};

/* Outside the stop, process context, no mmap_lock held. */
int hpkm_threads_prepare(struct hpkm_threads *threads, struct hpkm_stop *stop);
void hpkm_threads_warm(const struct hpkm_threads *threads);
void hpkm_threads_release(struct hpkm_threads *threads);

/* Inside the stop: on every CPU, on one, on every, on that one again. */
void hpkm_threads_verify(struct hpkm_threads *threads);
void hpkm_threads_known(struct hpkm_threads *threads, struct hpkm_stop *stop);
void hpkm_threads_check(struct hpkm_threads *threads, struct hpkm_stop *stop);
void hpkm_threads_complete(struct hpkm_threads *threads, struct hpkm_stop *stop);

#endif /* _HPKM_THREADS_H */
