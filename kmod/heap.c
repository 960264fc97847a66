// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of code in memory that is no thread's stack (heap consistency).
 *
 * A coroutine that is parked has its stack, with return addresses, or its
 * saved registers in memory that no thread's stack pointer tells of.  So all
 * private memory that the target can write is looked through.  What lies below
 * the stack pointer of a thread is left out: it is dead, and full of addresses.
 * A stack that a thread runs on, but that is not the one it began with, may be
 * anything, so of such a one all is looked at.  Where stacks and other memory
 * have become one mapping, a stack reaches down no further than to a guard page
 * or to another thread's descriptor.
 *
 * It is done inside the stop, for threads that run may park a coroutine at any
 * time.  How long the machine may stand still for it is limited.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "arch/arch.h"
#include "compat.h"
#include "heap.h"
#include "place.h"
#include "walk.h"

/* Threads may be made between the count and the stop. */
#define MORE_THREADS	64
/* No stack is taken to be deeper: what lies further down is looked at. */
#define STACK_MAX	SZ_64M

/**
 * hpkm_heap_prepare() - make room for what the stop finds of stacks
 * @t: threads is how many there are
 *
 * Return: 0 or -ENOMEM.
 */
int hpkm_heap_prepare(struct hpkm_transition *t)
{
	kvfree(t->dead);
	t->dead_count = 0;
	/* A thread may have two: its stack and its alternate stack. */
	t->dead_room = 2 * (t->threads + MORE_THREADS);
	t->dead = kvmalloc_array(t->dead_room, sizeof(*t->dead), GFP_KERNEL);
	return t->dead ? 0 : -ENOMEM;
}

static void add_dead(struct hpkm_transition *t, unsigned long start,
		     unsigned long end, unsigned long top)
{
	if (start >= end || t->dead_count >= t->dead_room)
		return;
	t->dead[t->dead_count++] = (struct hpkm_dead) { start, end, top };
}

/* How far down the stack of @sp may reach in a mapping that begins at @start. */
static unsigned long stack_bottom(struct mm_struct *mm, unsigned long start,
				  unsigned long sp)
{
	unsigned long at = (sp - 1) & PAGE_MASK;
	void *page;

	if (sp - start > STACK_MAX)
		start = PAGE_ALIGN(sp - STACK_MAX);
	for (; at > start; at -= PAGE_SIZE)
		if (hpkm_walk(mm, at - PAGE_SIZE, &page) == HPKM_WALK_GUARD)
			return at;
	return start;
}

/**
 * hpkm_heap_thread() - note what of a thread's stacks is dead
 * @t: the target
 * @thread: of that
 *
 * A stack is known by what lies above it: the strings of main's, the thread
 * pointer of others.
 */
void hpkm_heap_thread(struct hpkm_transition *t, struct task_struct *thread)
{
	struct pt_regs *regs = task_pt_regs(thread);
	unsigned long sp = user_stack_pointer(regs);
	unsigned long pointer = hpkm_arch_thread_pointer(thread);
	unsigned long alternate = thread->sas_ss_sp;
	struct vm_area_struct *vma = find_vma(t->target.mm, sp - 1);

	if (thread->sas_ss_size) {
		unsigned long end = alternate + thread->sas_ss_size;

		add_dead(t, alternate, sp > alternate && sp <= end ? sp : end,
			 0);
	}
	if (!vma || vma->vm_start > sp - 1)
		return;
	if (vma->vm_flags & VM_GROWSDOWN)
		add_dead(t, vma->vm_start, sp, 0);
	else if (pointer >= sp && pointer < vma->vm_end)
		add_dead(t, stack_bottom(t->target.mm, vma->vm_start, sp), sp,
			 PAGE_ALIGN(pointer + 1));
}

static int by_end(const void *a, const void *b)
{
	const struct hpkm_dead *l = a, *r = b;

	return l->end < r->end ? -1 : l->end > r->end;
}

/* What another thread's stack has above its stack pointer is not dead. */
static void part_stacks(struct hpkm_transition *t)
{
	unsigned long top = 0;

	sort(t->dead, t->dead_count, sizeof(*t->dead), by_end, NULL);
	for (u32 i = 0; i < t->dead_count; i++) {
		struct hpkm_dead *d = &t->dead[i];

		if (top <= d->end)
			d->start = max(d->start, top);
		top = max(top, d->top);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct hpkm_dead *l = a, *r = b;

	return l->start < r->start ? -1 : l->start > r->start;
}

static struct hpkm_blocker *next_blocker(struct hpkm_transition *t)
{
	if (t->blocker_count == HPKM_BLOCKERS_MAX)
		return NULL;
	memset(&t->blockers[t->blocker_count], 0, sizeof(t->blockers[0]));
	return &t->blockers[t->blocker_count++];
}

static void block(struct hpkm_transition *t, const char *func,
		  unsigned long address, u64 word)
{
	struct hpkm_blocker *b = next_blocker(t);

	if (!b)
		return;
	strscpy(b->func, func, sizeof(b->func));
	b->on_stack = address;
	b->ip = word;
}

/*
 * Is @address in a part that is dead?  They do not overlap, but for alternate
 * stacks within a stack: so a few are looked at.
 */
static bool is_dead(const struct hpkm_transition *t, unsigned long address)
{
	u32 low = 0, high = t->dead_count, i;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (t->dead[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	for (i = 0; i < 4 && low > i; i++)
		if (t->dead[low - 1 - i].end > address)
			return true;
	return false;
}

static void check_words(struct hpkm_look *look, struct hpkm_transition *t,
			unsigned long address, const u64 *words)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
		unsigned long at = address + i * sizeof(*words);
		const struct hpkm_range *r;

		if (!hpkm_ranges_near(look->ranges, words[i]))
			continue;
		switch (hpkm_ranges_word(look->ranges, words[i], &r)) {
		case HPKM_HIT_BLOCK:
			if (!is_dead(t, at))
				block(t, r->func, at, words[i]);
			break;
		case HPKM_HIT_KEEP:
			if (!is_dead(t, at))
				look->kept[r->removed] = true;
			break;
		case HPKM_HIT_NONE:
			break;
		}
	}
	look->scanned->words += i;
}

/* False when there is no sense in looking on. */
static bool check_area(struct hpkm_look *look, struct hpkm_transition *t,
		       const struct hpkm_area *area, u64 deadline)
{
	unsigned long at = area->start;
	const u64 *words;

	for (;;) {
		at = hpkm_walk_next(t->target.mm, at, area->end);
		if (at >= area->end)
			return true;
		if (ktime_get_mono_fast_ns() > deadline) {
			block(t, "(too much memory to look through)", 0, 0);
			return false;
		}
		switch (hpkm_memory_words(&look->memory, area, at,
					  PAGE_SIZE / sizeof(*words), &words)) {
		case HPKM_MEMORY_READ:
			check_words(look, t, at, words);
			break;
		case HPKM_MEMORY_ZEROS:
		case HPKM_MEMORY_GUARD:
		case HPKM_MEMORY_UNREADABLE:
			break;
		case HPKM_MEMORY_ABSENT:
			t->fault_at = at;
			block(t, "(memory not present)", at, 0);
			return false;
		}
		if (t->blocker_count == HPKM_BLOCKERS_MAX)
			return false;
		at += PAGE_SIZE;
	}
}

/*
 * Private memory that the process writes, and that is not ours.  What is on a
 * shadow stack is on another stack, too, or is dead.
 */
static bool is_heap(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE &&
	       !(vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP |
				  VM_SHADOW_STACK)) &&
	       !hpkm_place_is_own(vma);
}

/**
 * hpkm_heap_check() - look through the target's memory
 * @look: at its target, inside the stop
 * @t: gets blockers, kept and fault_at; its threads were noted
 * @deadline: ns of the monotonic clock, when to give up
 */
void hpkm_heap_check(struct hpkm_look *look, struct hpkm_transition *t,
		     u64 deadline)
{
	struct mm_struct *mm = t->target.mm;
	struct vm_area_struct *vma;

	if (t->dead_count >= t->dead_room) {
		block(t, "(too many new threads)", 0, 0);
		return;
	}
	part_stacks(t);
	sort(t->dead, t->dead_count, sizeof(*t->dead), by_start, NULL);
	for (vma = find_vma(mm, 0); vma; vma = find_vma(mm, vma->vm_end)) {
		struct hpkm_area area;

		if (!is_heap(vma))
			continue;
		hpkm_memory_describe(vma, &area);
		/* What was never touched is as it is in its file. */
		if (!IS_ENABLED(CONFIG_PREEMPT_RT))
			area.zeros = true;
		if (!check_area(look, t, &area, deadline))
			return;
	}
}
