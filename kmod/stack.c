// SPDX-License-Identifier: GPL-2.0
/*
 * Where a thread stands, and where it will return to.
 *
 * Every word between the stack pointer and the end of the stack is looked at:
 * a return address is one of them, and so is the instruction pointer that a
 * signal frame holds.  A word that only looks like one, left from an earlier
 * call, blocks as well, unless somebody has unwound the stack and knows better.
 *
 * The same code looks at sleeping threads before the stop, reading their
 * memory as a debugger would, and inside it, walking the page tables.
 */
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "arch/arch.h"
#include "compat.h"
#include "memory.h"
#include "probe.h"
#include "stack.h"

/*
 * Of all stacks in one stop, or of one thread before it: 256 MiB with pages
 * of 4 KiB.
 */
#define SCAN_PAGES_MAX		65536
/* Stacks that signals have interrupted, of one thread. */
#define INTERRUPTED_MAX		16
/* Where handlers return to there is a system call, and little else. */
#define RESTORER_SIZE		32

/*
 * A thread stands at the first instruction of @r.  Was it called there, by an
 * instruction that names it?  Then its caller stays, or is found on the stack.
 */
static bool was_called(const struct hpkm_look *look,
		       const struct hpkm_range *r, unsigned long sp)
{
	u8 code[HPKM_ARCH_CALL_SIZE];
	u64 back;

	return hpkm_memory_read(&look->memory, sp, &back, sizeof(back)) &&
	       hpkm_memory_read(&look->memory, back - sizeof(code), code,
				sizeof(code)) &&
	       hpkm_arch_calls(code, back, r->start);
}

/* ... and does that count? */
static bool is_called(const struct hpkm_look *look, const struct hpkm_range *r,
		      unsigned long sp)
{
	return r->removed < 0 && r->called_ok && was_called(look, r, sp);
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

/* What an address that the thread has means for the outcome. */
static enum hpkm_stack_status judge(struct hpkm_look *look, enum hpkm_hit hit,
				    const struct hpkm_range *r,
				    unsigned long ip,
				    struct hpkm_blocker *blocker)
{
	switch (hit) {
	case HPKM_HIT_BLOCK:
		return blocked(blocker, r->func, ip);
	case HPKM_HIT_KEEP:
		look->kept[r->removed] = true;
		return HPKM_STACK_KEEPS;
	case HPKM_HIT_NONE:
		break;
	}
	return HPKM_STACK_CLEAR;
}

/* Inside the stop only: the thread changes this while it runs. */
static enum hpkm_stack_status check_probed(struct hpkm_look *look,
					   const struct task_struct *thread,
					   const struct pt_regs *regs,
					   struct hpkm_blocker *blocker)
{
	enum hpkm_stack_status worst = HPKM_STACK_CLEAR, status;
	const struct hpkm_range *r;
	struct hpkm_probed probed;
	enum hpkm_hit hit;

	if (!hpkm_probe_read(&look->memory, thread, regs, &probed))
		return blocked(blocker, "(at a return probe)",
			       instruction_pointer((struct pt_regs *)regs));
	if (probed.stepping) {
		hit = hpkm_ranges_ip(look->ranges, probed.ip, &r);
		worst = judge(look, hit, r, probed.ip, blocker);
	}
	for (u32 i = 0; i < probed.count && worst != HPKM_STACK_BLOCKED; i++) {
		hit = hpkm_ranges_word(look->ranges, probed.back[i], &r);
		status = judge(look, hit, r, probed.back[i], blocker);
		worst = max(worst, status);
	}
	return worst;
}

/* Does @word point into a removed patch?  Then that is kept. */
static bool note_kept(struct hpkm_look *look, unsigned long word)
{
	const struct hpkm_range *r;

	if (hpkm_ranges_word(look->ranges, word, &r) == HPKM_HIT_NONE ||
	    r->removed < 0)
		return false;
	look->kept[r->removed] = true;
	return true;
}

/*
 * A pointer to code that goes may be in a register only; in vfork(), so may the
 * return address.
 */
static enum hpkm_stack_status check_registers(struct hpkm_look *look,
					      const struct pt_regs *regs,
					      struct hpkm_blocker *blocker)
{
	enum hpkm_stack_status status = HPKM_STACK_CLEAR;
	bool in_vfork = hpkm_arch_in_vfork(regs);
	const unsigned long *registers;
	const struct hpkm_range *r;
	unsigned int count;

	if (!look->ranges->removed && !in_vfork)
		return status;
	registers = hpkm_arch_registers(regs, &count);
	for (; count--; registers++) {
		if (in_vfork && hpkm_ranges_word(look->ranges, *registers, &r) ==
				HPKM_HIT_BLOCK)
			return blocked(blocker, r->func, *registers);
		if (note_kept(look, *registers))
			status = HPKM_STACK_KEEPS;
	}
	return status;
}

/* Of the signal handlers of a process. */
struct signals {
	unsigned long restorer[8];
	u32 restorer_count;
	bool at_handler;
	bool keep;		/* a handler or restorer is in a removed patch */
};

/*
 * Words that may mean something: at most @span above @low, or @restorer.  All
 * programs but strange ones have one restorer, far from what is replaced.
 */
struct sieve {
	u64 low, span, restorer;
};

/* One thread whose stacks are being scanned. */
struct scan {
	struct hpkm_look *look;
	pid_t tid;
	unsigned long switches;
	unsigned long sp;
	unsigned long thread_pointer;
	const struct signals *signals;
	struct sieve sieve;
	struct hpkm_blocker *blocker;
	/* Stacks that were interrupted, seen in signal frames. */
	unsigned long interrupted[INTERRUPTED_MAX];
	u32 interrupted_count;
};

static bool is_stale(const struct scan *s, unsigned long address, u64 word)
{
	const struct hpkm_stale *stale = s->look->stale;

	for (u32 i = 0; i < s->look->stale_count; i++, stale++)
		if (stale->address == address && stale->word == word &&
		    stale->tid == s->tid && stale->sp == s->sp &&
		    stale->switches == s->switches)
			return true;
	return false;
}

static void note_hit(struct hpkm_hit_list *hits, unsigned long address,
		     u64 word)
{
	if (hits->count == HPKM_HITS_MAX)
		return;
	hits->hit[hits->count].address = address;
	hits->hit[hits->count].word = word;
	hits->count++;
}

/*
 * What a signal has interrupted may stand at a first instruction: no return
 * address looks like that, so the scan makes nothing of it.  @address: of the
 * instruction pointer in the frame.
 */
static enum hpkm_stack_status check_interrupted(struct scan *s,
						unsigned long address,
						u64 ip, u64 sp)
{
	struct hpkm_look *look = s->look;
	const struct hpkm_range *r;

	if (hpkm_ranges_ip(look->ranges, ip, &r) != HPKM_HIT_BLOCK ||
	    ip != r->start || is_called(look, r, sp) ||
	    is_stale(s, address, ip))
		return HPKM_STACK_CLEAR;
	if (look->hits)
		note_hit(look->hits, address, ip);
	s->blocker->on_stack = address;
	return judge(look, HPKM_HIT_BLOCK, r, ip, s->blocker);
}

/*
 * A word at @address is where signal handlers return to: behind it stands the
 * frame of a signal, and in that the registers of what was interrupted.  A
 * frame that is left from an earlier signal makes us look at more than is
 * needed.
 */
static enum hpkm_stack_status note_frame(struct scan *s, unsigned long address)
{
	struct hpkm_memory *memory = &s->look->memory;
	enum hpkm_stack_status status;
	u64 sp, ip;
	u32 i;

	if (!hpkm_memory_read(memory, address + hpkm_arch_frame_sp(), &sp,
			      sizeof(sp)) ||
	    !hpkm_memory_read(memory, address + hpkm_arch_frame_ip(), &ip,
			      sizeof(ip)))
		return HPKM_STACK_CLEAR;
	status = check_interrupted(s, address + hpkm_arch_frame_ip(), ip, sp);
	sp &= ~(u64)(sizeof(u64) - 1);
	for (i = 0; i < s->interrupted_count; i++)
		if (s->interrupted[i] == sp)
			return status;
	if (s->interrupted_count == INTERRUPTED_MAX)
		return blocked(s->blocker, "(too many signal frames)", 0);
	s->interrupted[s->interrupted_count++] = sp;
	return status;
}

static bool is_restorer(const struct signals *signals, u64 word)
{
	for (u32 i = 0; i < signals->restorer_count; i++)
		if (signals->restorer[i] == word)
			return true;
	return false;
}

static struct sieve make_sieve(const struct hpkm_ranges *ranges,
			       const struct signals *signals)
{
	u64 low = ranges->low, high = ranges->high;

	for (u32 i = 1; i < signals->restorer_count; i++) {
		low = min_t(u64, low, signals->restorer[i]);
		high = max_t(u64, high, signals->restorer[i]);
	}
	return (struct sieve) {
		.low = low,
		.span = high - low,
		.restorer = signals->restorer_count ? signals->restorer[0] :
						      low,
	};
}

/*
 * The first of the words from @i on that may mean something, or @count.  Here
 * is where the time of a long scan goes.
 */
static size_t next_word(struct sieve sieve, const u64 *words, size_t i,
			size_t count)
{
	while (i < count && words[i] - sieve.low > sieve.span &&
	       words[i] != sieve.restorer)
		i++;
	return i;
}

/* Scan the words of one page or a part of it. */
static enum hpkm_stack_status scan_words(struct scan *s, const u64 *words,
					 size_t count, unsigned long start)
{
	const struct hpkm_ranges *ranges = s->look->ranges;
	enum hpkm_stack_status worst = HPKM_STACK_CLEAR;
	size_t i;

	for (i = next_word(s->sieve, words, 0, count); i < count;
	     i = next_word(s->sieve, words, i + 1, count)) {
		unsigned long address = start + i * sizeof(u64);
		u64 word = words[i];
		const struct hpkm_range *r;
		enum hpkm_hit hit;

		if (is_restorer(s->signals, word)) {
			worst = max(worst, note_frame(s, address));
			if (worst == HPKM_STACK_BLOCKED && !s->look->hits)
				break;
		}
		hit = hpkm_ranges_word(ranges, word, &r);
		if (hit == HPKM_HIT_NONE ||
		    (hit == HPKM_HIT_BLOCK && is_stale(s, address, word)))
			continue;
		if (hit == HPKM_HIT_BLOCK && worst != HPKM_STACK_BLOCKED)
			s->blocker->on_stack = address;
		if (hit == HPKM_HIT_KEEP || worst != HPKM_STACK_BLOCKED)
			worst = max(worst, judge(s->look, hit, r, word,
						 s->blocker));
		if (hit != HPKM_HIT_BLOCK)
			continue;
		if (!s->look->hits)
			break;
		note_hit(s->look->hits, address, word);
	}
	return worst;
}

/* [@sp, *@end) of the mapping that @area describes, or less: see *@end. */
static enum hpkm_stack_status scan_range(struct scan *s,
					 const struct hpkm_area *area,
					 unsigned long sp, unsigned long *end)
{
	struct hpkm_look *look = s->look;
	enum hpkm_stack_status worst = HPKM_STACK_CLEAR, status;

	while (sp < *end) {
		unsigned long stop = min(*end, (sp | ~PAGE_MASK) + 1);
		size_t count = (stop - sp) / sizeof(u64);
		const u64 *words;

		if (look->scanned->pages++ >= SCAN_PAGES_MAX)
			return blocked(s->blocker, "(stacks are too large)", 0);
		switch (hpkm_memory_words(&look->memory, area, sp, count,
					  &words)) {
		case HPKM_MEMORY_READ:
			look->scanned->words += count;
			status = scan_words(s, words, count, sp);
			worst = max(worst, status);
			break;
		case HPKM_MEMORY_ZEROS:
			break;
		case HPKM_MEMORY_GUARD:
			*end = sp;
			return worst;
		case HPKM_MEMORY_ABSENT:
			if (worst != HPKM_STACK_BLOCKED)
				return absent(s->blocker, sp);
			break;
		case HPKM_MEMORY_UNREADABLE:
			return blocked(s->blocker, "(unreadable stack)", 0);
		}
		if (worst == HPKM_STACK_BLOCKED && !look->hits)
			return worst;
		if (!look->memory.stopped)
			cond_resched();
		sp = stop;
	}
	return worst;
}

/*
 * Where in @area the stack ends that @sp points into; the area's end if it may
 * go on behind that.
 */
static unsigned long stack_end(const struct scan *s,
			       const struct hpkm_area *area, unsigned long sp)
{
	unsigned long start_stack = s->look->memory.target->mm->start_stack;

	/* Above where main's caller began there are only strings. */
	if (sp <= start_stack && start_stack < area->end)
		return start_stack;
	/*
	 * Of another thread, the C library's descriptor of it lies above its
	 * stack, and behind that may be anything: glibc's guard pages (since
	 * 2.42) do not part one mapping from the next.
	 */
	if (!area->grows && sp <= s->thread_pointer &&
	    s->thread_pointer < area->end)
		return min(area->end, PAGE_ALIGN(s->thread_pointer + 1));
	return area->end;
}

/* The stack that @sp points into, up to its end, which *@end gets. */
static enum hpkm_stack_status scan_stack(struct scan *s, unsigned long sp,
					 unsigned long *end)
{
	enum hpkm_stack_status worst = HPKM_STACK_CLEAR, status;
	unsigned long from = sp;
	struct hpkm_area area;

	/* An empty stack ends at its stack pointer. */
	if (!hpkm_memory_area(&s->look->memory, sp - 1, &area)) {
		*end = sp;
		return HPKM_STACK_ABSENT;
	}
	for (;;) {
		*end = stack_end(s, &area, sp);
		status = scan_range(s, &area, from, end);
		worst = max(worst, status);
		if (*end != area.end || status == HPKM_STACK_ABSENT ||
		    (worst == HPKM_STACK_BLOCKED && !s->look->hits) ||
		    !hpkm_memory_continue(&s->look->memory, &area))
			return worst;
		from = area.start;
	}
}

static bool on_alternate(const struct task_struct *thread, unsigned long sp)
{
	return thread->sas_ss_size &&
	       sp - thread->sas_ss_sp <= thread->sas_ss_size;
}

/* The thread's own stack, and those that its signal handlers interrupted. */
static enum hpkm_stack_status scan_stacks(struct scan *s,
					  const struct task_struct *thread)
{
	unsigned long from = s->sp, to, end;
	enum hpkm_stack_status worst, status;
	bool left = !on_alternate(thread, s->sp);
	u32 i;

	if (s->sp % sizeof(u64))
		return blocked(s->blocker, "(unaligned stack)", 0);
	worst = scan_stack(s, s->sp, &to);
	if (worst == HPKM_STACK_ABSENT && to == s->sp)
		return blocked(s->blocker, "(no stack)", 0);
	for (i = 0; i < s->interrupted_count; i++) {
		unsigned long sp = s->interrupted[i];

		if (worst == HPKM_STACK_ABSENT ||
		    (worst == HPKM_STACK_BLOCKED && !s->look->hits))
			return worst;
		if (!on_alternate(thread, sp))
			left = true;
		if (sp >= from && sp <= to)
			continue;
		status = scan_stack(s, sp, &end);
		/* A frame of long ago: what it interrupted is unmapped. */
		if (status == HPKM_STACK_ABSENT && end == sp)
			continue;
		worst = max(worst, status);
	}
	if (!left && worst < HPKM_STACK_BLOCKED)
		return blocked(s->blocker, "(alternate signal stack)", 0);
	return worst;
}

/* In the few instructions to which handlers return? */
static bool near_restorer(const struct signals *signals, unsigned long ip)
{
	for (u32 i = 0; i < signals->restorer_count; i++)
		if (ip - signals->restorer[i] < RESTORER_SIZE)
			return true;
	return false;
}

/*
 * On preemptible kernels a thread may be off its CPU while the kernel writes
 * its user registers one after the other, to enter a signal handler or to leave
 * it: then it stands at the handler, or behind it, but its stack pointer is not
 * at the frame yet, or no longer.
 */
static bool is_frame(const struct scan *s, unsigned long address)
{
	u64 word;

	return hpkm_memory_read(&s->look->memory, address, &word,
				sizeof(word)) &&
	       is_restorer(s->signals, word);
}

/*
 * Where signal handlers return to, whether @ip is where one starts, and whether
 * one is in code that goes.  False when there are too many.
 */
static bool read_signals(struct hpkm_look *look,
			 const struct task_struct *thread, unsigned long ip,
			 struct signals *signals)
{
	const struct sighand_struct *sighand;
	bool fits = true;
	u32 i, k;

	memset(signals, 0, sizeof(*signals));
	rcu_read_lock();
	sighand = rcu_dereference(thread->sighand);
	for (i = 0; sighand && i < _NSIG; i++) {
		const struct sigaction *a = &sighand->action[i].sa;
		unsigned long handler = (unsigned long)READ_ONCE(a->sa_handler);
		unsigned long restorer = hpkm_arch_restorer(a);

		if (handler == ip)
			signals->at_handler = true;
		if (look->ranges->removed && (note_kept(look, handler) ||
					      note_kept(look, restorer)))
			signals->keep = true;
		if (!restorer || is_restorer(signals, restorer))
			continue;
		k = signals->restorer_count;
		if (k < ARRAY_SIZE(signals->restorer))
			signals->restorer[signals->restorer_count++] = restorer;
		else
			fits = false;
	}
	rcu_read_unlock();
	return fits;
}

/**
 * hpkm_stack_check() - may this thread go on after a switch?
 * @look: at its target
 * @thread: a user thread that runs in the target's mm
 * @regs: its user-mode registers
 * @switches: its context switches, read before @regs
 * @blocker: func, ip and on_stack are set unless the thread is clear
 *
 * Context: Inside the stop, with the mm's mmap_lock held for reading: the
 * thread is off its CPU, its user registers were saved when it entered the
 * kernel.  Or outside, no mmap_lock held: then the answer counts only if the
 * thread has not run meanwhile, and it is neither traced nor has probes.
 * Return: see enum hpkm_stack_status.
 */
enum hpkm_stack_status hpkm_stack_check(struct hpkm_look *look,
					struct task_struct *thread,
					const struct pt_regs *regs,
					unsigned long switches,
					struct hpkm_blocker *blocker)
{
	unsigned long ip = instruction_pointer((struct pt_regs *)regs);
	enum hpkm_stack_status worst, status;
	const struct hpkm_range *r;
	struct signals signals;
	enum hpkm_hit hit;
	struct scan s = {
		.look = look,
		.tid = task_pid_nr(thread),
		.switches = switches,
		.sp = user_stack_pointer((struct pt_regs *)regs),
		.thread_pointer = hpkm_arch_thread_pointer(thread),
		.signals = &signals,
		.blocker = blocker,
	};

	blocker->on_stack = 0;
	hit = hpkm_ranges_ip(look->ranges, ip, &r);
	if (hit == HPKM_HIT_BLOCK && ip == r->start &&
	    is_called(look, r, s.sp))
		hit = HPKM_HIT_NONE;
	worst = judge(look, hit, r, ip, blocker);
	if (worst == HPKM_STACK_BLOCKED)
		return worst;
	if (!hpkm_arch_is_64bit(regs))
		return blocked(blocker, "(32-bit code)", ip);
	if (look->memory.stopped && hpkm_is_probed(thread)) {
		status = check_probed(look, thread, regs, blocker);
		worst = max(worst, status);
		if (worst == HPKM_STACK_BLOCKED)
			return worst;
	}
	status = check_registers(look, regs, blocker);
	worst = max(worst, status);
	if (worst == HPKM_STACK_BLOCKED || !look->ranges->words)
		return worst;
	if (!read_signals(look, thread, ip, &signals))
		return blocked(blocker, "(too many signal restorers)", 0);
	if ((hpkm_arch_in_signal_return(regs) &&
	     !is_frame(&s, s.sp - HPKM_ARCH_FRAME_POPPED)) ||
	    (signals.at_handler && !is_frame(&s, s.sp)))
		return blocked(blocker, "(a signal is being delivered)", ip);
	if (signals.keep)
		worst = max(worst, HPKM_STACK_KEEPS);
	/*
	 * About to end a handler on a stack that was disarmed for it: nothing
	 * but the frame tells what was interrupted.
	 */
	if (near_restorer(&signals, ip) &&
	    is_frame(&s, s.sp - HPKM_ARCH_FRAME_POPPED))
		worst = max(worst,
			    note_frame(&s, s.sp - HPKM_ARCH_FRAME_POPPED));
	if (worst == HPKM_STACK_BLOCKED)
		return worst;
	s.sieve = make_sieve(look->ranges, &signals);
	status = scan_stacks(&s, thread);
	return max(worst, status);
}
