// SPDX-License-Identifier: GPL-2.0
/*
 * pause TARGET IMAGE REPETITIONS PROCESSES THREADS BUSY DEPTH: how long do a
 * target's threads stand still?
 *
 * A repetition measures each of these, every time beginning with another one:
 * nothing at all, an empty stop, hpkm's apply and revert.  The ptrace patcher
 * has its repetitions after theirs, for it makes system calls return, and who
 * was woken among busy threads may get back into its own much later.  The first
 * repetition is a warm-up and gives no sample.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "patcher.h"
#include "rival.h"
#include "subject.h"

#define NOTHING_US	5000
#define SETTLE_US	20000
/* Who was woken among busy threads may have to wait for its turn. */
#define SETTLE_BUSY_US	100000

struct pause {
	struct subject subject;
	struct subject_shape shape;
	struct patcher patcher;
	int repetition;
};

/* System calls that returned until now: all threads sleep again. */
static uint32_t settled(struct pause *p)
{
	const uint32_t *counter = &p->subject.control->interrupted;
	uint32_t last;

	do {
		last = __atomic_load_n(counter, __ATOMIC_SEQ_CST);
		usleep(p->shape.busy ? SETTLE_BUSY_US : SETTLE_US);
	} while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) != last);
	return last;
}

static void sample(struct pause *p, const char *what, uint64_t pause_ns,
		   uint64_t time_ns, uint32_t before,
		   const struct patcher_figures *figures)
{
	static const struct patcher_figures none;
	uint64_t gap = subject_gap(&p->subject);
	uint32_t interrupted = settled(p) - before;

	if (!figures)
		figures = &none;
	if (!p->repetition)
		return;
	bench_sample("\"part\": \"pause\", \"what\": \"%s\", \"rep\": %d, "
		     "\"processes\": %d, \"threads\": %d, \"busy\": %d, "
		     "\"depth\": %d, \"functions\": %llu, \"gap_ns\": %llu, "
		     "\"pause_ns\": %llu, \"time_ns\": %llu, "
		     "\"interrupted\": %u, \"attempts\": %u, "
		     "\"scanned\": %llu", what, p->repetition,
		     p->shape.processes, p->shape.threads, p->shape.busy,
		     p->shape.depth,
		     (unsigned long long)p->subject.control->functions,
		     (unsigned long long)gap, (unsigned long long)pause_ns,
		     (unsigned long long)time_ns,
		     interrupted, figures->attempts,
		     (unsigned long long)figures->scanned);
}

static void nothing(struct pause *p)
{
	uint32_t before = settled(p);

	subject_watch(&p->subject);
	usleep(NOTHING_US);
	sample(p, "nothing", 0, 0, before, NULL);
}

static void empty_stop(struct pause *p)
{
	uint32_t before = settled(p);
	uint64_t ns;

	subject_watch(&p->subject);
	ns = patcher_floor();
	sample(p, "floor", ns, ns, before, NULL);
}

static void hpkm(struct pause *p)
{
	struct patcher_figures figures;
	uint32_t before = settled(p);

	subject_watch(&p->subject);
	patcher_apply(&p->patcher, 0, 0, &figures);
	sample(p, "apply", figures.pause_ns, figures.time_ns, before,
	       &figures);
	if ((int)figures.targets != p->shape.processes)
		bench_die("%u processes were patched", figures.targets);
	if (!p->repetition && subject_version(&p->subject) != 2)
		bench_die("the patch does not run everywhere");
	before = settled(p);
	subject_watch(&p->subject);
	patcher_revert(&p->patcher, 0, 0, &figures);
	sample(p, "revert", figures.pause_ns, figures.time_ns, before,
	       &figures);
	if (!p->repetition && subject_version(&p->subject) != 1)
		bench_die("the revert is not everywhere");
}

static void ptrace_patcher(struct pause *p)
{
	uint32_t before = settled(p);
	uint64_t pause_ns, whole;

	subject_watch(&p->subject);
	pause_ns = rival_patch(&p->subject, &whole);
	sample(p, "ptrace", pause_ns, whole, before, NULL);
	rival_undo(&p->subject);
	if (!p->repetition && subject_version(&p->subject) != 1)
		bench_die("ptrace left something");
}

static void (*const kinds[])(struct pause *p) = {
	nothing, empty_stop, hpkm,
};

#define KINDS	(sizeof(kinds) / sizeof(*kinds))

int main(int argc, char **argv)
{
	struct pause p = { 0 };
	int repetitions;

	if (argc != 8)
		return 2;
	repetitions = atoi(argv[3]);
	p.shape.processes = atoi(argv[4]);
	p.shape.threads = atoi(argv[5]);
	p.shape.busy = atoi(argv[6]);
	p.shape.depth = atoi(argv[7]);
	subject_start(&p.subject, argv[1], &p.shape);
	/* The target's watcher has the last CPU. */
	bench_pin(0);
	patcher_open(&p.patcher, argv[2]);
	for (; p.repetition <= repetitions; p.repetition++)
		for (unsigned int k = 0; k < KINDS; k++)
			kinds[(k + p.repetition) % KINDS](&p);
	for (p.repetition = 0; p.repetition <= repetitions; p.repetition++)
		ptrace_patcher(&p);
	patcher_close(&p.patcher);
	subject_end(&p.subject);
	return 0;
}
