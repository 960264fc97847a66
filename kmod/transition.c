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
 * mmap_lock is taken by trylock inside the stop, for reading.  If fork, mmap,
 * munmap or mprotect hold it for writing, it is "not now".  It can't be taken
 * before: stop_machine() takes the CPU hotplug lock, and there are tasks that
 * take an mmap_lock under that one.  Once held, with all CPUs stopped, mappings
 * and page tables stand still, no fork has copied half of them, and
 * vm_private_data and flags of our mappings may be written.
 * It is given up after the stop, in process context, for waking a writer is no
 * work for the stopper.
 *
 * The trylock fails as well while somebody waits for the lock, and of a process
 * whose threads map and unmap all the time somebody always does.  But who waits
 * goes on waiting while all CPUs are stopped.  So where nobody holds it for
 * writing, it is as good as held.
 *
 * The CPUs share what takes long: which sleepers have slept on, whether the
 * plans still fit, and where the other threads stand.  One of them leads: it
 * locks before that, says when the next stage begins, decides and commits.
 *
 * Inside the stop nothing is allocated, faulted in or printed, and nobody is
 * waited for but the CPUs that are there.
 */
#include <linux/ktime.h>
#include <linux/mmap_lock.h>
#include <linux/stop_machine.h>

#include "arch/arch.h"
#include "compat.h"
#include "threads.h"

static void block(struct hpkm_transition *t, const char *why)
{
	struct hpkm_blocker *b = &t->blockers[0];

	memset(b, 0, sizeof(*b));
	strscpy(b->func, why, sizeof(b->func));
	t->blocker_count = 1;
}

/* Are mappings, pages and bytes what the plan was made for? */
static bool plan_fits(const struct hpkm_transition *t)
{
	struct mm_struct *mm = t->target.mm;
	const struct hpkm_state *to = t->to;
	u32 had = t->from ? t->from->table_count : 0;
	bool fits = true;
	u32 i;

	hpkm_say_locked(mm);
	for (i = 0; i < to->table_count && fits; i++)
		fits = hpkm_table_intact(mm, &to->tables[i],
					 i < had ? t->from : NULL);
	if (fits && t->added)
		fits = hpkm_place_intact(mm, t->added);
	hpkm_say_unlocked(mm);
	return fits && hpkm_text_intact(&t->text, mm);
}

static void commit(struct hpkm_transition *t)
{
	struct mm_struct *mm = t->target.mm;
	const struct hpkm_state *to = t->to;
	u32 i;

	hpkm_say_locked(mm);
	if (t->added)
		hpkm_place_inherit(mm, t->added, true);
	for (i = 0; i < t->removed_count; i++) {
		if (t->kept[i])
			hpkm_state_retire(t->to, t->removed[i]);
		else
			hpkm_place_inherit(mm, t->removed[i], false);
	}
	/* The references that the tables held pass to hpkm_plan_complete(). */
	for (i = 0; i < to->table_count; i++)
		hpkm_table_show(mm, &to->tables[i], t->to,
				to->place_count || to->retiring_count);
	hpkm_say_unlocked(mm);
	hpkm_text_commit(&t->text);
}

static bool lock_all(struct hpkm_stop *stop)
{
	for (u32 i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];
		struct mm_struct *mm = t->target.mm;

		/* Not mmap_read_trylock(): its tracepoints take locks. */
		t->locked = down_read_trylock(&mm->mmap_lock);
		if (t->locked) {
			hpkm_say_unlocked(mm);
		} else if (hpkm_write_locked(&mm->mmap_lock)) {
			block(t, "(its memory map is being changed)");
			return false;
		}
	}
	return true;
}

static void unlock_all(struct hpkm_stop *stop)
{
	for (u32 i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];

		if (t->locked)
			mmap_read_unlock_non_owner(t->target.mm);
		t->locked = false;
	}
}

enum stop_stage {
	ARRIVED,
	LOCKED,		/* sleepers and plans are looked at */
	KNOWN,		/* and the threads that are awake */
	FINISHED,
};

struct stop_data {
	struct hpkm_stop *stop;
	struct hpkm_threads *threads;
	atomic_t arrived;
	enum stop_stage stage;
	struct hpkm_share comparing;
};

/* What was written before it is seen by who has read it. */
static void begin_stage(struct stop_data *d, enum stop_stage stage)
{
	/* Pairs with the acquire in help(). */
	smp_store_release(&d->stage, stage);
}

static void compare_plans(struct stop_data *d)
{
	u32 i, count = d->stop->count;

	while ((i = hpkm_share_take(&d->comparing, count)) < count) {
		struct hpkm_transition *t = d->stop->transitions[i];

		t->fits = plan_fits(t);
		hpkm_share_done(&d->comparing);
	}
}

static bool all_safe(const struct hpkm_stop *stop)
{
	bool safe = true;

	for (u32 i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];

		/* Nobody is left to run it: it ended or called exec. */
		if (!t->threads)
			continue;
		if (t->blocker_count) {
			safe = false;
		} else if (!t->fits) {
			t->outdated = true;
			safe = false;
		}
	}
	return safe;
}

/* The first CPU. */
static void lead(struct stop_data *d)
{
	struct hpkm_stop *stop = d->stop;

	if (!lock_all(stop))
		return;
	begin_stage(d, LOCKED);
	hpkm_threads_verify(d->threads);
	hpkm_threads_known(d->threads, stop);
	begin_stage(d, KNOWN);
	hpkm_threads_check(d->threads, stop);
	hpkm_threads_complete(d->threads, stop);
	stop->checked = true;
	compare_plans(d);
	hpkm_share_wait(&d->comparing, stop->count);
	stop->done = all_safe(stop);
	for (u32 i = 0; stop->done && stop->commit && i < stop->count; i++)
		if (stop->transitions[i]->threads)
			commit(stop->transitions[i]);
}

/* The others take what they can off it, and stay until it is done. */
static void help(struct stop_data *d)
{
	enum stop_stage done = ARRIVED, stage;

	do {
		/* Pairs with the release in begin_stage(). */
		stage = smp_load_acquire(&d->stage);
		if (stage == LOCKED && done < LOCKED) {
			compare_plans(d);
			hpkm_threads_verify(d->threads);
			done = LOCKED;
		} else if (stage == KNOWN && done < KNOWN) {
			hpkm_threads_check(d->threads, d->stop);
			compare_plans(d);
			done = KNOWN;
		} else {
			cpu_relax();
		}
	} while (stage != FINISHED);
}

/* Runs on every CPU. */
static int stop_cb(void *data)
{
	struct stop_data *d = data;

	if (atomic_inc_return(&d->arrived) == 1) {
		lead(d);
		begin_stage(d, FINISHED);
	} else {
		help(d);
	}
	hpkm_arch_sync_cpu();
	return 0;
}

/* A new attempt: what the last one found is only kept to compare. */
static void begin(struct hpkm_stop *stop)
{
	u32 i;

	stop->now = ktime_get_ns();
	for (i = 0; i < stop->count; i++) {
		struct hpkm_transition *t = stop->transitions[i];

		memcpy(t->before, t->blockers, sizeof(t->before));
		t->before_count = t->blocker_count;
		t->blocker_count = 0;
		t->asleep_blocked = false;
		t->fault_at = 0;
		t->outdated = false;
		t->attempts++;
	}
}

/* A thread that sleeps is in the way: stopping the others would not help. */
static bool anybody_asleep(const struct hpkm_stop *stop)
{
	for (u32 i = 0; i < stop->count; i++)
		if (stop->transitions[i]->asleep_blocked)
			return true;
	return false;
}

/* Sleepers keep all that is to go: the stop would find them there, too. */
static bool all_kept(const struct hpkm_stop *stop)
{
	for (u32 i = 0; i < stop->count; i++) {
		const struct hpkm_transition *t = stop->transitions[i];

		for (u32 k = 0; k < t->removed_count; k++)
			if (!t->kept[k])
				return false;
	}
	return true;
}

/**
 * hpkm_stop_and_switch() - switch all the targets in one stop, or none
 * @stop: transitions, count and commit are set, the rest is 0
 * @threads: what is known of sleeping threads from the attempt before
 *
 * A target without threads is left out: nobody runs there any more.
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0, whether it was safe or not; -ENOMEM; or the error of
 * stop_machine().
 */
int hpkm_stop_and_switch(struct hpkm_stop *stop, struct hpkm_threads *threads)
{
	struct stop_data d = { .stop = stop, .threads = threads };
	u64 start;
	int ret;

	begin(stop);
	ret = hpkm_threads_prepare(threads, stop);
	if (ret || anybody_asleep(stop) || (stop->retire && all_kept(stop)))
		return ret;
	hpkm_threads_warm(threads);
	start = ktime_get_ns();
	ret = stop_machine(stop_cb, &d, cpu_online_mask);
	stop->pause_ns = ktime_get_ns() - start;
	unlock_all(stop);
	return ret;
}
