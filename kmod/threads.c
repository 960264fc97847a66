// SPDX-License-Identifier: GPL-2.0
/*
 * The threads of the targets: is any of them in the way?
 *
 * Those that sleep are looked at before the stop.  A thread that ran after
 * that, however shortly, has been switched out again when the stop has begun,
 * for every CPU is in its stopper thread then; and each time a thread is
 * switched out, one of its two counters of context switches grows.  So inside
 * the stop a thread with the same counters has not run since before they were
 * read, and what was found is still true.  Its registers need no second look:
 * they lie on its kernel stack, which it alone writes; a tracer writes them only
 * after the thread has stopped for it, and for that it has to run.  Left out are
 * threads that others may change while they sleep: those being traced, and those
 * with return probes.
 *
 * Reader and writer of the counters: a thread's stores to its stack come
 * before __schedule() increments the counter on its CPU; here the counter is
 * read before the stack (smp_rmb()).
 *
 * So the stop costs two loads for each thread that slept on and a scan for each
 * other one, and all CPUs share that.  All processes are walked, by one of
 * them, only if there may be threads that were not seen before the stop.
 *
 * Processes are walked under RCU.  All threads of a thread group share one mm
 * (CLONE_THREAD implies CLONE_VM, and exec is alone in its group), so one
 * thread tells for the group.
 */
#include <linux/bitmap.h>
#include <linux/cgroup.h>
#include <linux/hash.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "arch/arch.h"
#include "compat.h"
#include "heap.h"
#include "threads.h"

/* A sleeper that was in the way so often is looked at closely. */
#define DOUBT_AFTER	3
/* The machine may stand still so long while memory is looked through. */
#define HEAP_NS_MAX	(2ULL * NSEC_PER_SEC)

/* Inside the stop: what is found of a thread is added up by one CPU at a time. */
static DEFINE_RAW_SPINLOCK(found_lock);

static int by_mm(const void *a, const void *b)
{
	const struct hpkm_transition *l = *(struct hpkm_transition **)a;
	const struct hpkm_transition *r = *(struct hpkm_transition **)b;

	return l->target.mm < r->target.mm ? -1 :
	       l->target.mm > r->target.mm;
}

static struct hpkm_transition *find_transition(const struct hpkm_stop *stop,
					       const struct mm_struct *mm)
{
	u32 low = 0, high = stop->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (stop->transitions[mid]->target.mm == mm)
			return stop->transitions[mid];
		if (stop->transitions[mid]->target.mm < mm)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool has_user(const struct task_struct *thread)
{
	return !(thread->flags & (HPKM_PF_NO_USER | PF_EXITING));
}

/* The transition that a process belongs to, or NULL. */
static struct hpkm_transition *transition_of(const struct hpkm_stop *stop,
					     struct task_struct *process)
{
	struct task_struct *thread;

	for_each_thread(process, thread) {
		struct mm_struct *mm = READ_ONCE(thread->mm);

		if (mm && has_user(thread))
			return find_transition(stop, mm);
	}
	return NULL;
}

/* The next entry of the blockers; the last one is used over again. */
static struct hpkm_blocker *next_blocker(struct hpkm_transition *t)
{
	return &t->blockers[min_t(u32, t->blocker_count,
				  HPKM_BLOCKERS_MAX - 1)];
}

/* The entry that next_blocker() gave is filled in but for the thread. */
static void add_blocker(struct hpkm_transition *t, struct task_struct *thread,
			unsigned long switches, u64 now)
{
	struct hpkm_blocker *b = next_blocker(t);
	u32 i;

	b->tid = task_pid_nr(thread);
	b->switches = switches;
	b->since = now;
	for (i = 0; i < t->before_count; i++)
		if (t->before[i].tid == b->tid)
			b->since = t->before[i].since;
	/* Readers of comm can't lock here; a torn name is still a string. */
	memcpy(b->comm, thread->comm, sizeof(b->comm));
	b->comm[sizeof(b->comm) - 1] = 0;
	t->blocker_count = min(t->blocker_count + 1, HPKM_BLOCKERS_MAX);
}

static void init_look(struct hpkm_look *look, const struct hpkm_stop *stop,
		      struct hpkm_transition *t, struct hpkm_scanned *scanned)
{
	memset(look, 0, sizeof(*look));
	look->memory.target = &t->target;
	look->ranges = &t->ranges;
	look->stale = stop->stale;
	look->stale_count = stop->stale_count;
	look->kept = t->kept;
	look->scanned = scanned;
}

/* ---- inside the stop ---- */

static const struct hpkm_known *find(const struct hpkm_threads *threads,
				     const struct task_struct *thread)
{
	u32 mask = (1U << threads->bits) - 1, i;

	if (!threads->count)
		return NULL;
	for (i = hash_ptr(thread, threads->bits); threads->table[i & mask];
	     i++) {
		const struct hpkm_known *s =
			&threads->list[threads->table[i & mask] - 1];

		if (s->thread == thread)
			return s;
	}
	return NULL;
}

/* One word of the map stands for so many threads. */
static u32 map_words(const struct hpkm_threads *threads)
{
	return BITS_TO_LONGS(threads->count);
}

static unsigned long find_awake(const struct hpkm_threads *threads, u32 first)
{
	const struct hpkm_known *list = &threads->list[first];
	u32 count = min_t(u32, BITS_PER_LONG, threads->count - first);
	unsigned long awake = 0;
	u32 slept = 0;

	for (u32 i = 0; i < count; i++) {
		const struct hpkm_known *s = &list[i];

		if (s->clear && s->switches == hpkm_switches(s->thread))
			slept++;
		else
			awake |= 1UL << i;
		if (slept && (i + 1 == count || list[i + 1].of != s->of)) {
			atomic_add(slept, &s->of->slept);
			slept = 0;
		}
	}
	return awake;
}

/**
 * hpkm_threads_verify() - which of the known threads have slept on?
 * @threads: prepared
 *
 * What it needs is the threads' own, and referenced; no lock, and no mapping.
 *
 * Context: Inside the stop, on every CPU.
 */
void hpkm_threads_verify(struct hpkm_threads *threads)
{
	u32 i, count = map_words(threads);

	while ((i = hpkm_share_take(&threads->verifying, count)) < count) {
		threads->awake[i] = find_awake(threads, i * BITS_PER_LONG);
		hpkm_share_done(&threads->verifying);
	}
}

static bool slept_on(const struct hpkm_threads *threads,
		     const struct hpkm_known *s)
{
	return !test_bit(s - threads->list, threads->awake);
}

/*
 * A thread that is in the middle of a fork has copied registers, or the whole
 * address space, for a child that nobody can find yet.  One that waits for its
 * vfork child, stopped or traced ones can be killed; their child is there.  So it
 * is when the parent is frozen, on its way out or while it waits for vfork.
 */
static bool is_forking(const struct task_struct *thread,
		       const struct pt_regs *regs)
{
	return hpkm_arch_in_fork(regs) &&
	       !(READ_ONCE(thread->__state) & (TASK_WAKEKILL | TASK_FROZEN)) &&
	       !cgroup_task_frozen((struct task_struct *)thread);
}

static enum hpkm_stack_status look_in_stop(struct hpkm_stop *stop,
					   struct hpkm_transition *t,
					   struct task_struct *thread,
					   struct hpkm_scanned *scanned,
					   struct hpkm_blocker *b)
{
	const struct pt_regs *regs = task_pt_regs(thread);
	struct hpkm_look look;

	if (is_forking(thread, regs)) {
		strscpy(b->func, "(a process or thread is being made)",
			sizeof(b->func));
		b->ip = 0;
		b->on_stack = 0;
		return HPKM_STACK_BLOCKED;
	}
	init_look(&look, stop, t, scanned);
	look.memory.stopped = true;
	return hpkm_stack_check(&look, thread, regs, hpkm_switches(thread), b);
}

/*
 * Several CPUs do this, for threads that differ.  Of the target they write only
 * what found_lock protects, and kept, where each writes the same.
 */
static void check_thread(struct hpkm_stop *stop, struct hpkm_transition *t,
			 struct task_struct *thread)
{
	/* What others are looking at is not in it yet: the limit is not sharp. */
	struct hpkm_scanned scanned = {
		.pages = READ_ONCE(stop->scanned.pages),
	};
	u32 before = scanned.pages;
	enum hpkm_stack_status status;
	struct hpkm_blocker b;

	hpkm_say_locked(t->target.mm);
	status = look_in_stop(stop, t, thread, &scanned, &b);
	hpkm_say_unlocked(t->target.mm);
	if (status == HPKM_STACK_ABSENT) {
		strscpy(b.func, "(stack not in memory)", sizeof(b.func));
		b.ip = 0;
	}
	raw_spin_lock(&found_lock);
	t->threads++;
	stop->scanned.words += scanned.words;
	stop->scanned.pages += scanned.pages - before;
	if (status == HPKM_STACK_ABSENT)
		t->fault_at = b.on_stack;
	if (status == HPKM_STACK_ABSENT || status == HPKM_STACK_BLOCKED) {
		*next_blocker(t) = b;
		add_blocker(t, thread, hpkm_switches(thread), stop->now);
	}
	raw_spin_unlock(&found_lock);
}

/*
 * Are the threads that are known all there are?  Each task that has an mm as its
 * own holds one reference in mm_users from before it has it until after it has
 * it no longer, and the target holds one.  Who else holds one, a reader of
 * /proc say, makes the answer "no", and costs a walk.
 */
static bool all_known(struct hpkm_threads *threads,
		      const struct hpkm_stop *stop)
{
	u32 i;

	for (i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];

		t->threads = atomic_read(&t->slept);
		t->known = t->threads;
	}
	threads->busy_count = 0;
	for_each_set_bit(i, threads->awake, threads->count) {
		const struct hpkm_known *s = &threads->list[i];

		/* Only by running could it have changed its mm. */
		if (READ_ONCE(s->thread->mm) != s->of->target.mm)
			continue;
		s->of->known++;
		if (has_user(s->thread))
			threads->busy[threads->busy_count++] = i;
	}
	for (i = 0; i < stop->count; i++) {
		const struct hpkm_transition *t = stop->transitions[i];

		if (t->known + 1 != atomic_read(&t->target.mm->mm_users))
			return false;
	}
	return true;
}

/* There may be others, in these processes or in ones that share their mm. */
static void check_all(const struct hpkm_threads *threads,
		      struct hpkm_stop *stop)
{
	struct task_struct *process, *thread;
	u32 i;

	for (i = 0; i < stop->count; i++)
		stop->transitions[i]->threads = 0;
	rcu_read_lock();
	for_each_process(process) {
		struct hpkm_transition *t = transition_of(stop, process);

		if (!t)
			continue;
		for_each_thread(process, thread) {
			const struct hpkm_known *s;

			if (!thread->mm || !has_user(thread))
				continue;
			if (stop->heap) {
				hpkm_say_locked(t->target.mm);
				hpkm_heap_thread(t, thread);
				hpkm_say_unlocked(t->target.mm);
			}
			s = find(threads, thread);
			if (s && slept_on(threads, s))
				t->threads++;
			else
				check_thread(stop, t, thread);
		}
	}
	rcu_read_unlock();
}

/* A thread that is in the way is reported first, and soon gone. */
static void check_heaps(struct hpkm_stop *stop)
{
	u64 deadline = ktime_get_mono_fast_ns() + HEAP_NS_MAX;

	for (u32 i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];
		struct hpkm_look look;

		if (t->blocker_count)
			return;
		init_look(&look, stop, t, &stop->scanned);
		look.memory.stopped = true;
		hpkm_say_locked(t->target.mm);
		hpkm_heap_check(&look, t, deadline);
		hpkm_say_unlocked(t->target.mm);
	}
}

/**
 * hpkm_threads_known() - are there threads that were not seen before the stop?
 * @threads: of the same transitions
 * @stop: transitions get threads
 *
 * If all are known, those that are not asleep are left to hpkm_threads_check().
 * If not, or with heap consistency, which wants to see sleepers, too, all
 * threads of every process that shares an mm are looked at here.
 *
 * Context: Inside the stop, on one CPU, after its hpkm_threads_verify(), with
 * the mmap_lock of every target held for reading; see transition.c.
 */
void hpkm_threads_known(struct hpkm_threads *threads, struct hpkm_stop *stop)
{
	for (u32 i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];

		for (u32 k = 0; k < t->removed_count; k++)
			t->kept[k] = false;
	}
	hpkm_share_wait(&threads->verifying, map_words(threads));
	if (!stop->heap && all_known(threads, stop))
		return;
	threads->busy_count = 0;
	check_all(threads, stop);
}

/**
 * hpkm_threads_check() - look at the threads that are not asleep
 * @threads: after hpkm_threads_known()
 * @stop: transitions get threads, blockers, kept and fault_at
 *
 * Context: Inside the stop, on every CPU.
 */
void hpkm_threads_check(struct hpkm_threads *threads, struct hpkm_stop *stop)
{
	u32 i, count = threads->busy_count;

	while ((i = hpkm_share_take(&threads->checking, count)) < count) {
		const struct hpkm_known *s = &threads->list[threads->busy[i]];

		check_thread(stop, s->of, s->thread);
		hpkm_share_done(&threads->checking);
	}
}

/**
 * hpkm_threads_complete() - all have been looked at
 * @threads: after this CPU's hpkm_threads_check()
 * @stop: transitions get what was found
 *
 * Context: Inside the stop, on the CPU that called hpkm_threads_known().
 */
void hpkm_threads_complete(struct hpkm_threads *threads,
			   struct hpkm_stop *stop)
{
	hpkm_share_wait(&threads->checking, threads->busy_count);
	if (stop->heap)
		check_heaps(stop);
}

/* ---- before the stop ---- */

/* Asleep, and nobody else writes its registers or its stack? */
static bool may_be_asleep(const struct task_struct *thread)
{
	if (!READ_ONCE(thread->__state) || READ_ONCE(thread->ptrace))
		return false;
#ifdef CONFIG_UPROBES
	if (READ_ONCE(thread->utask))
		return false;
#endif
	return true;
}

/* Up to @room threads; the return value is how many there are. */
static u32 collect(const struct hpkm_stop *stop, struct hpkm_known *list,
		   u32 room)
{
	struct task_struct *process, *thread;
	u32 count = 0, i;

	for (i = 0; i < stop->count; i++)
		stop->transitions[i]->threads = 0;
	rcu_read_lock();
	for_each_process(process) {
		struct hpkm_transition *t = transition_of(stop, process);

		if (!t)
			continue;
		for_each_thread(process, thread) {
			t->threads += has_user(thread);
			if (!READ_ONCE(thread->mm))
				continue;
			if (count < room) {
				get_task_struct(thread);
				list[count] = (struct hpkm_known) {
					.thread = thread,
					.of = t,
					.asleep = has_user(thread) &&
						may_be_asleep(thread),
					.plan = t->plan,
				};
			}
			count++;
		}
	}
	rcu_read_unlock();
	return count;
}

static void put_list(struct hpkm_known *list, u32 count)
{
	for (u32 i = 0; i < count; i++)
		put_task_struct(list[i].thread);
	kvfree(list);
}

static int collect_all(const struct hpkm_stop *stop,
		       struct hpkm_threads *threads)
{
	u32 room = 64, count;

	for (;;) {
		threads->list = kvmalloc_array(room, sizeof(*threads->list),
					       GFP_KERNEL);
		if (!threads->list)
			return -ENOMEM;
		count = collect(stop, threads->list, room);
		threads->count = min(count, room);
		if (count <= room)
			return 0;
		put_list(threads->list, threads->count);
		threads->list = NULL;
		threads->count = 0;
		room = count + count / 8;
	}
}

/* The table by which they are found, and what the stop writes. */
static int make_table(struct hpkm_threads *threads)
{
	u32 mask;

	threads->awake = kvcalloc(map_words(threads) + 1,
				  sizeof(*threads->awake), GFP_KERNEL);
	threads->busy = kvmalloc_array(threads->count + 1,
				       sizeof(*threads->busy), GFP_KERNEL);
	if (!threads->awake || !threads->busy)
		return -ENOMEM;
	threads->bits = ilog2(max(threads->count, 8U)) + 2;
	mask = (1U << threads->bits) - 1;
	threads->table = kvcalloc(mask + 1, sizeof(*threads->table),
				  GFP_KERNEL);
	if (!threads->table)
		return -ENOMEM;
	for (u32 i = 0; i < threads->count; i++) {
		u32 at = hash_ptr(threads->list[i].thread, threads->bits);

		while (threads->table[at & mask])
			at++;
		threads->table[at & mask] = i + 1;
	}
	return 0;
}

/*
 * Its registers, copied: a thread that wakes up and ends takes its kernel
 * stack with it.  False when it has none.
 */
static bool copy_registers(struct task_struct *thread, struct pt_regs *regs)
{
	bool good = false;

	rcu_read_lock();
	if (READ_ONCE(thread->stack))
		good = !copy_from_kernel_nofault(regs, task_pt_regs(thread),
						 sizeof(*regs));
	rcu_read_unlock();
	return good;
}

/* What the operator's tool needs to unwind the stack. */
static void add_doubt(struct hpkm_look *look, struct hpkm_transition *t,
		      struct hpkm_known *s, const struct pt_regs *regs)
{
	struct hpkm_doubt *doubt;
	struct hpkm_blocker unused;

	if (t->doubt_count == HPKM_DOUBTS_MAX)
		return;
	doubt = kvzalloc(sizeof(*doubt), GFP_KERNEL);
	if (!doubt)
		return;
	doubt->tid = task_pid_nr(s->thread);
	doubt->switches = s->switches;
	doubt->sp = s->sp;
	doubt->regs = *regs;
	look->hits = &doubt->hits;
	hpkm_stack_check(look, s->thread, regs, s->switches, &unused);
	look->hits = NULL;
	/* There may be more than fit: these are asked about later. */
	s->asked = doubt->hits.count < HPKM_HITS_MAX;
	s->blocked = 0;
	t->doubts[t->doubt_count++] = doubt;
}

static void look_at(struct hpkm_look *look, struct hpkm_transition *t,
		    struct hpkm_known *s, u64 now)
{
	struct hpkm_blocker *b = next_blocker(t);
	enum hpkm_stack_status status;
	struct pt_regs regs;

	s->switches = hpkm_switches(s->thread);
	smp_rmb(); /* see the head of this file */
	/* By exec it may have left the target; as long as it sleeps it can't. */
	if (READ_ONCE(s->thread->mm) != t->target.mm)
		return;
	if (!may_be_asleep(s->thread) || !copy_registers(s->thread, &regs))
		return;
	/* It will soon be done, or the stop tells. */
	if (is_forking(s->thread, &regs))
		return;
	s->sp = user_stack_pointer(&regs);
	status = hpkm_stack_check(look, s->thread, &regs, s->switches, b);
	smp_rmb(); /* the stack was read before this: has it run? */
	if (!may_be_asleep(s->thread) ||
	    s->switches != hpkm_switches(s->thread))
		return;
	s->clear = status == HPKM_STACK_CLEAR;
	if (status != HPKM_STACK_BLOCKED)
		return;
	t->asleep_blocked = true;
	if (b->on_stack && !s->asked && ++s->blocked >= DOUBT_AFTER)
		add_doubt(look, t, s, &regs);
	add_blocker(t, s->thread, s->switches, now);
}

/*
 * What is known of a thread that has not run since the last attempt stays
 * true for the same plan.
 */
static bool take_over(const struct hpkm_threads *before, struct hpkm_known *s)
{
	const struct hpkm_known *old = find(before, s->thread);

	if (!old || old->of != s->of || old->switches !=
	    hpkm_switches(s->thread))
		return false;
	s->asked = old->asked;
	s->blocked = old->blocked;
	if (old->plan != s->plan || !old->clear)
		return false;
	s->switches = old->switches;
	s->sp = old->sp;
	s->clear = true;
	return true;
}

/**
 * hpkm_threads_prepare() - look at the threads that sleep
 * @threads: what the last attempt found; gets what this one finds
 * @stop: transitions, which get sorted, and blockers, asleep_blocked and doubts
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0; -ENOMEM, after which @threads is empty.
 */
int hpkm_threads_prepare(struct hpkm_threads *threads, struct hpkm_stop *stop)
{
	struct hpkm_threads now = { 0 };
	void *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	int ret = -ENOMEM;

	sort(stop->transitions, stop->count, sizeof(*stop->transitions), by_mm,
	     NULL);
	if (!page)
		goto out;
	ret = collect_all(stop, &now);
	if (!ret)
		ret = make_table(&now);
	for (u32 i = 0; !ret && i < now.count; i++) {
		struct hpkm_known *s = &now.list[i];
		struct hpkm_scanned scanned = { 0 };
		struct hpkm_transition *t;
		struct hpkm_look look;

		if (!s->asleep || take_over(threads, s))
			continue;
		t = find_transition(stop, s->of->target.mm);
		init_look(&look, stop, t, &scanned);
		look.memory.page = page;
		look_at(&look, t, s, stop->now);
		cond_resched();
	}
	for (u32 i = 0; i < stop->count; i++)
		atomic_set(&stop->transitions[i]->slept, 0);
	for (u32 i = 0; !ret && stop->heap && i < stop->count; i++)
		ret = hpkm_heap_prepare(stop->transitions[i]);
out:
	kfree(page);
	hpkm_threads_release(threads);
	if (ret)
		hpkm_threads_release(&now);
	*threads = now;
	return ret;
}

/**
 * hpkm_threads_warm() - touch what hpkm_threads_verify() will read
 * @threads: prepared
 *
 * Each thread's counters are in a page of their own: what this CPU has just read
 * it need not fetch inside the stop.
 *
 * Context: Process context, right before the stop.
 */
void hpkm_threads_warm(const struct hpkm_threads *threads)
{
	for (u32 i = 0; i < threads->count; i++)
		hpkm_switches(threads->list[i].thread);
}

void hpkm_threads_release(struct hpkm_threads *threads)
{
	put_list(threads->list, threads->count);
	kvfree(threads->table);
	kvfree(threads->awake);
	kvfree(threads->busy);
	memset(threads, 0, sizeof(*threads));
}
