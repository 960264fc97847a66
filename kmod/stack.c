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
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/uprobes.h>

#include "arch/arch.h"
#include "compat.h"
#include "stack.h"
#include "walk.h"

/* Of all stacks in one stop: 256 MiB with pages of 4 KiB. */
#define STOP_PAGES_MAX		65536
/* A signal frame with the largest register state, and room. */
#define SIGNAL_FRAME_MAX	SZ_64K

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
	ranges->unmap = false;
	for (i = 0; i < ranges->count; i++) {
		const struct hpkm_range *r = &ranges->range[i];
		unsigned long size = max3(r->size, 2UL * HPKM_WINDOW_MAX,
					  (unsigned long)ranges->distance);

		ranges->low = min(ranges->low, r->start);
		ranges->high = max(ranges->high, r->start + size);
		if (ranges->bodies || r->window || r->unmap)
			ranges->words = true;
		ranges->unmap |= r->unmap;
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

/*
 * A thread stands at the first instruction of @r.  Was it called there, by an
 * instruction that names it?  Then its caller stays, or is found on the stack.
 */
static bool was_called(struct mm_struct *mm, const struct hpkm_range *r,
		       unsigned long sp)
{
	u8 code[HPKM_ARCH_CALL_SIZE];
	u64 back;

	return hpkm_walk_read(mm, sp, &back, sizeof(back)) &&
	       hpkm_walk_read(mm, back - sizeof(code), code, sizeof(code)) &&
	       hpkm_arch_calls(code, back, r->start);
}

#ifdef CONFIG_UPROBES
/*
 * A return probe puts an address of its own on the stack in place of the real
 * one, and a thread that steps over a probed instruction does so elsewhere.
 */
static const struct hpkm_range *find_probed(const struct task_struct *thread,
					    const struct hpkm_ranges *ranges,
					    unsigned long *ip)
{
	const struct uprobe_task *probe = thread->utask;
	const struct return_instance *i = probe ? probe->return_instances : NULL;

	if (probe && probe->active_uprobe) {
		*ip = probe->vaddr;
		return find_word(ranges, *ip);
	}
	for (; i; i = i->next) {
		*ip = i->orig_ret_vaddr;
		if (find_word(ranges, *ip))
			return find_word(ranges, *ip);
	}
	return NULL;
}
#else
static const struct hpkm_range *find_probed(const struct task_struct *thread,
					    const struct hpkm_ranges *ranges,
					    unsigned long *ip)
{
	return NULL;
}
#endif

/* A pointer to code that goes may be in a register only. */
static const struct hpkm_range *find_register(struct task_struct *thread,
					      const struct hpkm_ranges *ranges,
					      unsigned long *ip)
{
	const unsigned long *registers;
	unsigned int count;

	if (!ranges->unmap)
		return NULL;
	registers = hpkm_arch_user_registers(thread, &count);
	while (count--) {
		const struct hpkm_range *r = find_word(ranges, *registers);

		*ip = *registers++;
		if (r && r->unmap)
			return r;
	}
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
		unsigned long word = words[i];
		const struct hpkm_range *r;

		if (word < ranges->low || word > ranges->high)
			continue;
		r = find_word(ranges, word);
		if (r) {
			strscpy(blocker->func, r->func, sizeof(blocker->func));
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
	strscpy(blocker->func, why, sizeof(blocker->func));
	blocker->ip = ip;
	return HPKM_STACK_BLOCKED;
}

static enum hpkm_stack_status absent(struct hpkm_blocker *blocker,
				     unsigned long address)
{
	blocker->on_stack = address;
	return HPKM_STACK_ABSENT;
}

/*
 * May a page that is not there be taken for zeros?  On PREEMPT_RT a page table
 * entry can be empty for a moment: who changes it may have been preempted.
 */
static bool reads_as_zeros(struct vm_area_struct *vma)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) && vma_is_anonymous(vma) &&
	       !(vma->vm_flags & VM_UFFD_MISSING);
}

static enum hpkm_stack_status scan(struct vm_area_struct *vma,
				   const struct hpkm_ranges *ranges,
				   unsigned long sp, unsigned long end,
				   struct hpkm_blocker *blocker,
				   struct hpkm_scanned *scanned)
{
	/* One CPU scans, in one stop at a time. */
	static u64 copy[PAGE_SIZE / sizeof(u64)];

	while (sp < end) {
		unsigned long stop = min(end, (sp | ~PAGE_MASK) + 1);
		size_t count = (stop - sp) / sizeof(u64);
		void *page;

		if (scanned->pages++ >= STOP_PAGES_MAX)
			return blocked(blocker, "(stacks are too large)", 0);
		switch (hpkm_walk(vma->vm_mm, sp, &page)) {
		case HPKM_WALK_PRESENT:
			/* Not all that is mapped there is mapped here. */
			if (copy_from_kernel_nofault(copy, page +
						     offset_in_page(sp),
						     stop - sp))
				return blocked(blocker, "(unreadable stack)",
					       0);
			scanned->words += count;
			if (scan_page(ranges, copy, count, sp, blocker))
				return HPKM_STACK_BLOCKED;
			break;
		case HPKM_WALK_ZEROS:
			break;
		case HPKM_WALK_NONE:
			if (!reads_as_zeros(vma))
				return absent(blocker, sp);
			break;
		case HPKM_WALK_ABSENT:
			return absent(blocker, sp);
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
					 struct hpkm_scanned *scanned)
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
	return scan(vma, ranges, sp, end, blocker, scanned);
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
		 struct hpkm_blocker *blocker, struct hpkm_scanned *scanned)
{
	unsigned long end = thread->sas_ss_sp + thread->sas_ss_size;
	enum hpkm_stack_status status;
	unsigned long to_size, to_sp;
	bool found = false;
	u64 word;

	hpkm_arch_signal_frame(&to_size, &to_sp);
	/* The first frame is the topmost one. */
	if (end - sp > SIGNAL_FRAME_MAX)
		sp = end - SIGNAL_FRAME_MAX;
	for (; sp + to_sp < end; sp += sizeof(u64)) {
		if (!hpkm_walk_read(mm, sp, &word, sizeof(word)) ||
		    word != thread->sas_ss_sp ||
		    !hpkm_walk_read(mm, sp + to_size, &word, sizeof(word)) ||
		    word != thread->sas_ss_size ||
		    !hpkm_walk_read(mm, sp + to_sp, &word, sizeof(word)) ||
		    on_alternate(thread, word))
			continue;
		found = true;
		status = scan_stack(mm, ranges, word, blocker, scanned);
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
 * @scanned: what this stop has looked at so far
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
					struct hpkm_scanned *scanned)
{
	unsigned long ip = hpkm_arch_user_ip(thread);
	unsigned long sp = hpkm_arch_user_sp(thread);
	const struct hpkm_range *r = find_ip(ranges, ip);
	enum hpkm_stack_status status;

	blocker->on_stack = 0;
	if (r && !(ip == r->start && !r->unmap && r->called_ok &&
		   was_called(mm, r, sp)))
		return blocked(blocker, r->func, ip);
	r = find_probed(thread, ranges, &ip);
	if (!r)
		r = find_register(thread, ranges, &ip);
	if (r)
		return blocked(blocker, r->func, ip);
	if (!ranges->words)
		return HPKM_STACK_CLEAR;
	status = scan_stack(mm, ranges, sp, blocker, scanned);
	if (status == HPKM_STACK_CLEAR && on_alternate(thread, sp))
		status = scan_interrupted(thread, mm, ranges, sp, blocker,
					  scanned);
	return status;
}
