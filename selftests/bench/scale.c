// SPDX-License-Identifier: GPL-2.0
/*
 * scale processes TARGET IMAGE REPETITIONS COUNT: one request for COUNT
 *	processes, from the upload to the report of the last one
 * scale rate TARGET IMAGE REPETITIONS COUNT: COUNT times to and fro
 * scale stack TARGET IMAGE REPETITIONS COUNT: COUNT patches, one on top of the
 *	other, and back
 * scale untouched TARGET IMAGE REPETITIONS MS: what a process that is not
 *	patched gets done in MS while another one is not patched, is patched, and
 *	is patched and reverted all the time
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "patcher.h"
#include "subject.h"

static const char *target, *image;
static int repetitions, count;

static void sample(const char *what, int repetition, int number,
		   uint64_t time_ns, const struct patcher_figures *figures)
{
	bench_sample("\"part\": \"scale\", \"what\": \"%s\", \"rep\": %d, "
		     "\"count\": %d, \"number\": %d, \"time_ns\": %llu, "
		     "\"pause_ns\": %llu, \"attempts\": %u", what, repetition,
		     count, number, (unsigned long long)time_ns,
		     (unsigned long long)(figures ? figures->pause_ns : 0),
		     figures ? figures->attempts : 0);
}

static void processes(void)
{
	struct subject_shape shape = { .processes = count };
	struct patcher_figures apply, revert;
	struct patcher patcher;
	struct subject subject;

	subject_start(&subject, target, &shape);
	patcher_open(&patcher, image);
	for (int i = 0; i <= repetitions; i++) {
		patcher_apply(&patcher, 0, 0, &apply);
		if ((int)apply.targets != count)
			bench_die("%u processes were patched", apply.targets);
		if (!i && subject_version(&subject) != 2)
			bench_die("the patch does not run everywhere");
		patcher_revert(&patcher, 0, 0, &revert);
		if (!i)
			continue;
		sample("processes-apply", i, 0, apply.time_ns, &apply);
		sample("processes-revert", i, 0, revert.time_ns, &revert);
	}
	patcher_close(&patcher);
	subject_end(&subject);
}

static void rate(void)
{
	struct subject_shape shape = { .processes = 1 };
	struct patcher_figures figures;
	struct patcher patcher;
	struct subject subject;

	subject_start(&subject, target, &shape);
	patcher_open(&patcher, image);
	for (int i = 0; i <= repetitions; i++) {
		uint64_t begin = bench_now();

		for (int k = 0; k < count; k++) {
			patcher_apply(&patcher, 0, subject.pid, &figures);
			patcher_revert(&patcher, 0, subject.pid, &figures);
		}
		if (i)
			sample("rate", i, 0, (bench_now() - begin) / count,
			       NULL);
	}
	patcher_close(&patcher);
	subject_end(&subject);
}

static void stack(void)
{
	struct subject_shape shape = { .processes = 1 };
	struct patcher_figures figures;
	struct patcher patcher;
	struct subject subject;

	for (int i = 1; i <= repetitions; i++) {
		subject_start(&subject, target, &shape);
		patcher_open(&patcher, image);
		for (int k = 1; k <= count; k++) {
			patcher_apply(&patcher, k, subject.pid, &figures);
			sample("stack-apply", i, k, figures.time_ns, &figures);
		}
		if (subject_version(&subject) != 2)
			bench_die("the patch does not run");
		for (int k = count; k > 0; k--) {
			patcher_revert(&patcher, k, subject.pid, &figures);
			sample("stack-revert", i, k, figures.time_ns,
			       &figures);
		}
		if (subject_version(&subject) != 1)
			bench_die("a patch is left");
		patcher_close(&patcher);
		subject_end(&subject);
	}
}

/* How often the other process is switched in so many ms. */
static int switch_for(struct patcher *patcher, pid_t pid, int ms)
{
	uint64_t end = bench_now() + ms * 1000000ULL;
	struct patcher_figures figures;
	int times = 0;

	while (bench_now() < end) {
		patcher_apply(patcher, 0, pid, &figures);
		patcher_revert(patcher, 0, pid, &figures);
		times += 2;
	}
	return times;
}

static void untouched_one(struct subject *other, struct patcher *patcher,
			  pid_t pid, int kind, int repetition)
{
	static const char *const names[] = {
		"untouched-none", "untouched-patched", "untouched-switching",
	};
	struct patcher_figures figures;
	uint64_t begin, time, done;
	int times = 0;

	if (kind == 1)
		patcher_apply(patcher, 0, pid, &figures);
	subject_count(other);
	begin = bench_now();
	if (kind == 2)
		times = switch_for(patcher, pid, count);
	else
		usleep(count * 1000);
	time = bench_now() - begin;
	done = subject_counted(other);
	if (kind == 1)
		patcher_revert(patcher, 0, pid, &figures);
	/* Calls per ms are what is compared. */
	if (repetition)
		bench_sample("\"part\": \"scale\", \"what\": \"%s\", "
			     "\"rep\": %d, \"switches\": %d, "
			     "\"time_ns\": %llu, \"calls\": %llu",
			     names[kind], repetition, times,
			     (unsigned long long)time,
			     (unsigned long long)done);
}

static void untouched(void)
{
	struct subject_shape shape = { .processes = 1 };
	struct subject subject, other;
	struct patcher patcher;

	subject_start(&subject, target, &shape);
	subject_start(&other, target, &shape);
	patcher_open(&patcher, image);
	for (int i = 0; i <= repetitions; i++)
		for (int k = 0; k < 3; k++)
			untouched_one(&other, &patcher, subject.pid,
				      (i + k) % 3, i);
	patcher_close(&patcher);
	subject_end(&other);
	subject_end(&subject);
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "processes", processes },
	{ "rate", rate },
	{ "stack", stack },
	{ "untouched", untouched },
};

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	target = argv[2];
	image = argv[3];
	repetitions = atoi(argv[4]);
	count = atoi(argv[5]);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(argv[1], kinds[i].name)) {
			kinds[i].run();
			return 0;
		}
	return 2;
}
