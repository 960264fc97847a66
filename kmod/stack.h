/* SPDX-License-Identifier: GPL-2.0 */
/* Where a thread stands, and where it will return to. */
#ifndef _HPKM_STACK_H
#define _HPKM_STACK_H

#include <linux/mm_types.h>
#include <linux/sched.h>

/**
 * struct hpkm_range - code that no thread may be in
 * @start: user address
 * @size: bytes of the body
 * @window: so many bytes from @start on are about to be overwritten; 0: none
 * @entry_ok: standing at @start is safe: the jump is there, or comes there
 * @called_ok: so it is if a call instruction brought the thread there
 * @unmap: the code is about to disappear: @size counts whatever consistency
 *	is asked, and so does a pointer to its very start
 * @func: what is there, for people; belongs to the patch
 */
struct hpkm_range {
	unsigned long start;
	unsigned long size;
	u32 window;
	bool entry_ok;
	bool called_ok;
	bool unmap;
	const char *func;
};

#define HPKM_BLOCKER_FUNC	96

/**
 * struct hpkm_blocker - why not now
 * @tid: thread, in the initial pid namespace; 0 when no single thread blocks
 * @comm: its name
 * @func: name of the function, cut off if need be, or a text in parentheses
 * @ip: the address in that function
 * @on_stack: where on the stack @ip was found; 0 when it is the thread's own
 */
struct hpkm_blocker {
	pid_t tid;
	char comm[TASK_COMM_LEN];
	char func[HPKM_BLOCKER_FUNC];
	unsigned long ip;
	unsigned long on_stack;
};

/**
 * struct hpkm_ranges - what to look for in one address space
 * @range: in ascending order of start, bodies do not overlap
 * @count: of ranges
 * @changes: functions that get another active version
 * @low: no range starts below this address
 * @high: no range ends above it
 * @words: stacks must be scanned
 * @unmap: some range is about to disappear
 * @bodies: whole bodies count (stack consistency), not just windows
 * @distance: bytes past the start of a range with a window where no thread
 *	may stand
 */
struct hpkm_ranges {
	struct hpkm_range *range;
	u32 count;
	u32 changes;
	unsigned long low, high;
	bool words;
	bool unmap;
	bool bodies;
	u32 distance;
};

/**
 * struct hpkm_scanned - how much of stacks was looked at in one stop
 * @words: that were compared
 * @pages: that were looked for; limited, for the target decides how large its
 *	stacks are, and the machine stands still meanwhile
 */
struct hpkm_scanned {
	u64 words;
	u32 pages;
};

/**
 * enum hpkm_stack_status - the answer for one thread
 * @HPKM_STACK_CLEAR: it is in none of the ranges
 * @HPKM_STACK_BLOCKED: it is; the blocker says where
 * @HPKM_STACK_ABSENT: a page of its stack is not in memory; blocker->on_stack
 *	is an address in it
 */
enum hpkm_stack_status {
	HPKM_STACK_CLEAR,
	HPKM_STACK_BLOCKED,
	HPKM_STACK_ABSENT,
};

void hpkm_ranges_finish(struct hpkm_ranges *ranges);
enum hpkm_stack_status hpkm_stack_check(struct task_struct *thread,
					struct mm_struct *mm,
					const struct hpkm_ranges *ranges,
					struct hpkm_blocker *blocker,
					struct hpkm_scanned *scanned);

#endif /* _HPKM_STACK_H */
