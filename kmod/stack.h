/* SPDX-License-Identifier: GPL-2.0 */
/* Where a thread stands, and where it will return to. */
#ifndef _HPKM_STACK_H
#define _HPKM_STACK_H

#include <linux/mm_types.h>
#include <linux/sched.h>

#include "memory.h"
#include "range.h"

#define HPKM_BLOCKER_FUNC	96

/**
 * struct hpkm_blocker - why not now
 * @tid: thread, in the initial pid namespace; 0 when no single thread blocks
 * @comm: its name
 * @func: name of the function, cut off if need be, or a text in parentheses
 * @ip: the address in that function
 * @on_stack: where in memory @ip was found; 0 when it is the thread's own
 * @switches: context switches of the thread so far
 * @since: when this thread was first in the way of this request, ns of the
 *	monotonic clock
 */
struct hpkm_blocker {
	pid_t tid;
	char comm[TASK_COMM_LEN];
	char func[HPKM_BLOCKER_FUNC];
	unsigned long ip;
	unsigned long on_stack;
	unsigned long switches;
	u64 since;
};

/**
 * struct hpkm_stale - a word on a stack that is no return address
 * @tid: whose stack
 * @switches: context switches of that thread when it was looked at
 * @sp: its stack pointer then
 * @address: of the word
 * @word: what was there
 *
 * Somebody unwound the stack and found so.  It holds for as long as the thread
 * has not run.
 */
struct hpkm_stale {
	pid_t tid;
	unsigned long switches;
	unsigned long sp;
	unsigned long address;
	u64 word;
};

/* Words that one question is about; more are found by asking again. */
#define HPKM_HITS_MAX	64

/**
 * struct hpkm_hit_list - the words on one stack that block
 * @count: of those that are here
 * @address: of each
 * @word: its value
 */
struct hpkm_hit_list {
	u32 count;
	struct {
		unsigned long address;
		u64 word;
	} hit[HPKM_HITS_MAX];
};

/**
 * struct hpkm_scanned - how much was looked at
 * @words: that were compared
 * @pages: that were looked for; limited, for the target decides how large its
 *	stacks are, and inside the stop the machine stands still meanwhile
 */
struct hpkm_scanned {
	u64 words;
	u32 pages;
};

/**
 * struct hpkm_look - how the threads of one target are looked at
 * @memory: whose, and how it is read
 * @ranges: what counts, finished
 * @stale: words that do not count
 * @stale_count: how many
 * @kept: for each removed patch: must it stay mapped?  Set, never cleared
 * @scanned: added to
 * @hits: when not NULL, gets all words that block, not just the first one
 */
struct hpkm_look {
	struct hpkm_memory memory;
	const struct hpkm_ranges *ranges;
	const struct hpkm_stale *stale;
	u32 stale_count;
	bool *kept;
	struct hpkm_scanned *scanned;
	struct hpkm_hit_list *hits;
};

/**
 * enum hpkm_stack_status - the answer for one thread
 * @HPKM_STACK_CLEAR: it is in none of the ranges
 * @HPKM_STACK_KEEPS: it is in none that blocks; but a removed patch is kept
 * @HPKM_STACK_BLOCKED: it is; the blocker says where
 * @HPKM_STACK_ABSENT: a page of its stack can't be had; blocker->on_stack
 *	is an address in it
 */
enum hpkm_stack_status {
	HPKM_STACK_CLEAR,
	HPKM_STACK_KEEPS,
	HPKM_STACK_BLOCKED,
	HPKM_STACK_ABSENT,
};

static inline unsigned long hpkm_switches(const struct task_struct *thread)
{
	return READ_ONCE(thread->nvcsw) + READ_ONCE(thread->nivcsw);
}

enum hpkm_stack_status hpkm_stack_check(struct hpkm_look *look,
					struct task_struct *thread,
					const struct pt_regs *regs,
					unsigned long switches,
					struct hpkm_blocker *blocker);

#endif /* _HPKM_STACK_H */
