// SPDX-License-Identifier: GPL-2.0
/*
 * Where a thread stands, and where it will return to.
 *
 * Every word between the stack pointer and the end of the stack is looked at:
 * a return address is one of them, and so is the instruction pointer that a
 * signal frame holds.  A word that only looks like one, left from an earlier
 * call, blocks as well: the answer errs on the safe side.
 */
#include <linux/mm.h>
#include <linux/sort.h>

#include "arch/arch.h"
#include "compat.h"
#include "stack.h"
#include "walk.h"

static int by_start(const void *a, const void *b)
{
	const struct hpkm_range *l = a, *r = b;

	return l->start < r->start ? -1 : l->start > r->start;
}

/**
 * hpkm_ranges_finish() - all ranges are there: make them ready for use
 * @ranges: range, count, bodies and distance are set
 */
void hpkm_ranges_finish(struct hpkm_ranges *ranges)
{
	u32 i;

	sort(ranges->range, ranges->count, sizeof(*ranges->range), by_start,
	     NULL);
	ranges->low = ULONG_MAX;
	ranges->high = 0;
	ranges->words = false;
	for (i = 0; i < ranges->count; i++) {
		const struct hpkm_range *r = &ranges->range[i];
		unsigned long size = max3(r->size, 2UL * HPKM_WINDOW_MAX,
					  (unsigned long)ranges->distance);

		ranges->low = min(ranges->low, r->start);
		ranges->high = max(ranges->high, r->start + size);
		if (ranges->bodies || r->window || r->unmap)
			ranges->words = true;
	}
}

/* The last range that starts at or below @address; NULL when none does. */
static const struct hpkm_range *last_below(const struct hpkm_ranges *ranges,
					   unsigned long address)
{
	u32 low = 0, high = ranges->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (ranges->range[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &ranges->range[low - 1] : NULL;
}

static const struct hpkm_range *find_word(const struct hpkm_ranges *ranges,
					  unsigned long word)
{
	const struct hpkm_range *r = last_below(ranges, word);
	unsigned long offset;

	if (!r)
		return NULL;
	offset = word - r->start;
	if (r->unmap)
		return offset <= r->size ? r : NULL;
	/* No call returns to a first instruction: that is a pointer. */
	if (!offset)
		return NULL;
	if (offset < r->window || (ranges->bodies && offset < r->size))
		return r;
	return NULL;
}

static bool ip_blocks(const struct hpkm_ranges *ranges,
		      const struct hpkm_range *r, unsigned long ip)
{
	unsigned long offset = ip - r->start;

	if (!offset && r->entry_ok)
		return false;
	/* A system call behind the window may be restarted inside it. */
	if (r->window && (offset < r->window + hpkm_arch_restart_size() ||
			  offset < ranges->distance))
		return true;
	return (ranges->bodies || r->unmap) && offset < r->size;
}

static const struct hpkm_range *find_ip(const struct hpkm_ranges *ranges,
					unsigned long ip)
{
	const struct hpkm_range *r = last_below(ranges, ip);

	/* Of short functions, the distance reaches beyond the next one. */
	for (; r && r >= ranges->range; r--) {
		if (ip_blocks(ranges, r, ip))
			return r;
		if (ip - r->start >= max_t(unsigned long, ranges->distance,
					   2 * HPKM_WINDOW_MAX))
			break;
	}
	return NULL;
}

/* Scan the words of one page; true when one blocks. */
static bool scan_page(const struct hpkm_ranges *ranges, const u64 *words,
		      size_t count, unsigned long address,
		      struct hpkm_blocker *blocker)
{
	size_t i;

	for (i = 0; i < count; i++) {
		unsigned long word = READ_ONCE_NOCHECK(words[i]);
		const struct hpkm_range *r;

		if (word < ranges->low || word > ranges->high)
			continue;
		r = find_word(ranges, word);
		if (r) {
			blocker->func = r->func;
			blocker->ip = word;
			blocker->on_stack = address + i * sizeof(u64);
			return true;
		}
	}
	return false;
}

static enum hpkm_stack_status blocked(struct hpkm_blocker *blocker,
				      const char *why, unsigned long ip)
{
	blocker->func = why;
	blocker->ip = ip;
	return HPKM_STACK_BLOCKED;
}

static enum hpkm_stack_status scan(struct vm_area_struct *vma,
				   const struct hpkm_ranges *ranges,
				   unsigned long sp, unsigned long end,
				   struct hpkm_blocker *blocker, u64 *words)
{
	while (sp < end) {
		unsigned long stop = min(end, (sp | ~PAGE_MASK) + 1);
		size_t count = (stop - sp) / sizeof(u64);
		void *page;

		switch (hpkm_walk(vma->vm_mm, sp, &page)) {
		case HPKM_WALK_PRESENT:
			*words += count;
			if (scan_page(ranges, page + offset_in_page(sp),
				      count, sp, blocker))
				return HPKM_STACK_BLOCKED;
			break;
		case HPKM_WALK_ZEROS:
			if (vma_is_anonymous(vma) &&
			    !(vma->vm_flags & VM_UFFD_MISSING))
				break;
			fallthrough;
		case HPKM_WALK_ABSENT:
			blocker->on_stack = sp;
			return HPKM_STACK_ABSENT;
		}
		sp = stop;
	}
	return HPKM_STACK_CLEAR;
}

/* The stack that @sp points into, up to its end. */
static enum hpkm_stack_status scan_stack(struct mm_struct *mm,
					 const struct hpkm_ranges *ranges,
					 unsigned long sp,
					 struct hpkm_blocker *blocker,
					 u64 *words)
{
	struct vm_area_struct *vma;
	unsigned long end;

	if (sp % sizeof(u64))
		return blocked(blocker, "(unaligned stack)", 0);
	/* An empty stack ends at its stack pointer. */
	vma = find_vma(mm, sp - 1);
	if (!vma || vma->vm_start > sp - 1)
		return blocked(blocker, "(no stack)", 0);
	end = vma->vm_end;
	/* Above where main's caller began there are only strings. */
	if (sp <= mm->start_stack && mm->start_stack < end)
		end = mm->start_stack;
	return scan(vma, ranges, sp, end, blocker, words);
}

static bool word_at(struct mm_struct *mm, unsigned long address, u64 *word)
{
	void *page;

	if (hpkm_walk(mm, address, &page) != HPKM_WALK_PRESENT)
		return false;
	*word = READ_ONCE_NOCHECK(*(u64 *)(page + offset_in_page(address)));
	return true;
}

static bool on_alternate(const struct task_struct *thread, unsigned long sp)
{
	return thread->sas_ss_size &&
	       sp - thread->sas_ss_sp <= thread->sas_ss_size;
}

/*
 * The thread handles a signal on its alternate stack.  Where the interrupted
 * stack is stands in the signal frame, recognised by the description of the
 * alternate stack that the kernel put there.  A frame that is left from an
 * earlier signal makes us look at more than is needed; if there is none, the
 * answer is no.
 */
static enum hpkm_stack_status
scan_interrupted(const struct task_struct *thread, struct mm_struct *mm,
		 const struct hpkm_ranges *ranges, unsigned long sp,
		 struct hpkm_blocker *blocker, u64 *words)
{
	unsigned long end = thread->sas_ss_sp + thread->sas_ss_size;
	enum hpkm_stack_status status;
	unsigned long to_size, to_sp;
	bool found = false;
	u64 word;

	hpkm_arch_signal_frame(&to_size, &to_sp);
	for (; sp + to_sp < end; sp += sizeof(u64)) {
		if (!word_at(mm, sp, &word) || word != thread->sas_ss_sp ||
		    !word_at(mm, sp + to_size, &word) ||
		    word != thread->sas_ss_size ||
		    !word_at(mm, sp + to_sp, &word) ||
		    on_alternate(thread, word))
			continue;
		found = true;
		status = scan_stack(mm, ranges, word, blocker, words);
		if (status != HPKM_STACK_CLEAR)
			return status;
	}
	if (!found)
		return blocked(blocker, "(alternate signal stack)", 0);
	return HPKM_STACK_CLEAR;
}

/**
 * hpkm_stack_check() - may this thread go on after a switch?
 * @thread: a user thread that runs in @mm
 * @mm: the address space
 * @ranges: finished
 * @blocker: func, ip and on_stack are set unless the thread is clear
 * @words: gets the number of stack words looked at added to it
 *
 * Context: Inside the stop, @mm's mmap_lock held for reading.  The thread is
 * asleep, or its CPU is in the stopper: its user registers were saved when it
 * entered the kernel.
 * Return: see enum hpkm_stack_status.
 */
enum hpkm_stack_status hpkm_stack_check(struct task_struct *thread,
					struct mm_struct *mm,
					const struct hpkm_ranges *ranges,
					struct hpkm_blocker *blocker,
					u64 *words)
{
	unsigned long ip = hpkm_arch_user_ip(thread);
	unsigned long sp = hpkm_arch_user_sp(thread);
	const struct hpkm_range *r = find_ip(ranges, ip);
	enum hpkm_stack_status status;

	blocker->on_stack = 0;
	if (r)
		return blocked(blocker, r->func, ip);
	if (!ranges->words)
		return HPKM_STACK_CLEAR;
	status = scan_stack(mm, ranges, sp, blocker, words);
	if (status == HPKM_STACK_CLEAR && on_alternate(thread, sp))
		status = scan_interrupted(thread, mm, ranges, sp, blocker,
					  words);
	return status;
}
