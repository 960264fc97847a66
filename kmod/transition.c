// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 10: stop, check, commit.
 *
 * stop_machine() brings every CPU into its stopper thread, the highest
 * priority there is.  So every user thread is off its CPU, its user registers
 * saved at its kernel entry; and code that runs with preemption disabled
 * (holders of raw spinlocks, and but for PREEMPT_RT of all spinlocks) is not
 * in the middle of anything.  What may be in the middle of something is a
 * task that was preempted or sleeps: it may hold mutexes and mmap_lock.
 *
 * mmap_lock is taken by trylock inside the stop, for reading.  It fails if
 * fork, mmap, munmap or mprotect hold it for writing, and then it is "not
 * now".  It can't be taken before: stop_machine() takes the CPU hotplug lock,
 * and there are tasks that take an mmap_lock under that one.  Once held, with
 * all CPUs stopped, mappings and page tables stand still, no fork has copied
 * half of them, and vm_private_data and flags of our mappings may be written.
 * It is given up after the stop, in process context, for waking a writer is no
 * work for the stopper.
 *
 * Inside the stop nothing is allocated, faulted in, printed or waited for.
 */
#include <linux/ktime.h>
#include <linux/mmap_lock.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sort.h>
#include <linux/stop_machine.h>

#include "arch/arch.h"
#include "compat.h"
#include "transition.h"

/*
 * lockdep's idea of the lock: it is told of it only around code that asks, so
 * that any number of locks can be held, and given up by another thread.
 */
static void say_locked(struct mm_struct *mm)
{
	rwsem_acquire_read(&mm->mmap_lock.dep_map, 0, 1, _RET_IP_);
}

static void say_unlocked(struct mm_struct *mm)
{
	rwsem_release(&mm->mmap_lock.dep_map, _RET_IP_);
}

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

/* The next entry of the blockers; the last one is used over again. */
static struct hpkm_blocker *next_blocker(struct hpkm_transition *t)
{
	return &t->blockers[min_t(u32, t->blocker_count,
				  HPKM_BLOCKERS_MAX - 1)];
}

static void block(struct hpkm_transition *t, const char *why)
{
	struct hpkm_blocker *b = next_blocker(t);

	memset(b, 0, sizeof(*b));
	strscpy(b->func, why, sizeof(b->func));
	t->blocker_count = min(t->blocker_count + 1, HPKM_BLOCKERS_MAX);
}

static void check_thread(struct hpkm_stop *stop, struct hpkm_transition *t,
			 struct task_struct *thread)
{
	struct hpkm_blocker *b = next_blocker(t);
	enum hpkm_stack_status status;

	t->threads++;
	say_locked(t->target.mm);
	status = hpkm_stack_check(thread, t->target.mm, &t->ranges, b,
				  &stop->scanned);
	say_unlocked(t->target.mm);
	if (status == HPKM_STACK_CLEAR)
		return;
	if (status == HPKM_STACK_ABSENT) {
		t->fault_at = b->on_stack;
		strscpy(b->func, "(stack not in memory)", sizeof(b->func));
		b->ip = 0;
	}
	b->tid = task_pid_nr(thread);
	/* Readers of comm can't lock here; a torn name is still a string. */
	memcpy(b->comm, thread->comm, sizeof(b->comm));
	b->comm[sizeof(b->comm) - 1] = 0;
	t->blocker_count = min(t->blocker_count + 1, HPKM_BLOCKERS_MAX);
}

/* Every thread of every process that shares an mm of ours. */
static void check_threads(struct hpkm_stop *stop)
{
	struct task_struct *process, *thread;
	struct hpkm_transition *t;

	rcu_read_lock();
	for_each_process_thread(process, thread) {
		if (!thread->mm ||
		    thread->flags & (HPKM_PF_NO_USER | PF_EXITING))
			continue;
		t = find_transition(stop, thread->mm);
		if (t)
			check_thread(stop, t, thread);
	}
	rcu_read_unlock();
}

/* Are mappings, pages and bytes what the plan was made for? */
static bool plan_fits(const struct hpkm_transition *t)
{
	struct mm_struct *mm = t->target.mm;
	const struct hpkm_state *to = t->to;
	u32 had = t->from ? t->from->table_count : 0;
	bool fits = true;
	u32 i;

	say_locked(mm);
	for (i = 0; i < to->table_count && fits; i++)
		fits = hpkm_table_intact(mm, &to->tables[i],
					 i < had ? t->from : NULL);
	if (fits && t->added)
		fits = hpkm_place_intact(mm, t->added);
	say_unlocked(mm);
	return fits && hpkm_text_intact(&t->text, mm);
}

static void commit(struct hpkm_transition *t)
{
	struct mm_struct *mm = t->target.mm;
	const struct hpkm_state *to = t->to;
	bool any = to->place_count;
	u32 i;

	say_locked(mm);
	if (t->added)
		hpkm_place_inherit(mm, t->added, true);
	for (i = 0; t->from && i < t->from->place_count; i++) {
		struct hpkm_place *place = t->from->places[i];

		if (hpkm_state_find(to, place->patch) < 0)
			hpkm_place_inherit(mm, place, false);
	}
	/* The references that the tables held pass to hpkm_plan_complete(). */
	for (i = 0; i < to->table_count; i++)
		hpkm_table_show(mm, &to->tables[i], t->to, any);
	say_unlocked(mm);
	hpkm_text_commit(&t->text);
}

static bool lock_all(struct hpkm_stop *stop, u32 *locked)
{
	for (*locked = 0; *locked < stop->count; (*locked)++) {
		struct hpkm_transition *t = stop->transitions[*locked];

		/* Not mmap_read_trylock(): its tracepoints take locks. */
		if (!down_read_trylock(&t->target.mm->mmap_lock)) {
			block(t, "(its memory map is being changed)");
			return false;
		}
		say_unlocked(t->target.mm);
	}
	return true;
}

struct stop_data {
	struct hpkm_stop *stop;
	u32 locked;
	atomic_t arrived;
	bool finished;
};

/* What one CPU does for all of them. */
static void check_and_commit(struct stop_data *d)
{
	struct hpkm_stop *stop = d->stop;
	bool safe;
	u32 i;

	safe = lock_all(stop, &d->locked);
	if (!safe)
		return;
	check_threads(stop);
	stop->checked = true;
	for (i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];

		/* Nobody is left to run it: it ended or called exec. */
		if (!t->threads)
			continue;
		if (t->blocker_count) {
			safe = false;
		} else if (!plan_fits(t)) {
			t->stale = true;
			safe = false;
		}
	}
	stop->done = safe;
	for (i = 0; safe && stop->commit && i < stop->count; i++)
		if (stop->transitions[i]->threads)
			commit(stop->transitions[i]);
}

/* Runs on every CPU; the first one works, the others wait for it. */
static int stop_cb(void *data)
{
	struct stop_data *d = data;

	if (atomic_inc_return(&d->arrived) == 1) {
		check_and_commit(d);
		/* Pairs with the acquire below: text before "finished". */
		smp_store_release(&d->finished, true);
	} else {
		/* Pairs with the release above. */
		while (!smp_load_acquire(&d->finished))
			cpu_relax();
	}
	hpkm_arch_sync_cpu();
	return 0;
}

/**
 * hpkm_stop_and_switch() - switch all the targets in one stop, or none
 * @stop: transitions, count and commit are set, the rest is 0
 *
 * A target without threads is left out: nobody runs there any more.
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0, whether it was safe or not; or the error of stop_machine().
 */
int hpkm_stop_and_switch(struct hpkm_stop *stop)
{
	struct stop_data d = { .stop = stop };
	u64 begin;
	int ret;
	u32 i;

	sort(stop->transitions, stop->count, sizeof(*stop->transitions), by_mm,
	     NULL);
	for (i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];

		t->threads = 0;
		t->blocker_count = 0;
		t->fault_at = 0;
		t->stale = false;
		t->attempts++;
	}
	begin = ktime_get_ns();
	ret = stop_machine(stop_cb, &d, cpu_online_mask);
	stop->pause_ns = ktime_get_ns() - begin;
	for (i = 0; i < d.locked; i++)
		mmap_read_unlock_non_owner(stop->transitions[i]->target.mm);
	return ret;
}
