// SPDX-License-Identifier: GPL-2.0
/*
 * Reads what targets/load counts.
 *
 *	stats FILE get NAME		ready, early, wrong, other, slow, ...
 *	stats FILE wait NAME VALUE	until it has reached VALUE
 *	stats FILE runs VERSION [CHILD]	until every busy thread's answers are
 *					VERSION's; then none may be another's
 *	stats FILE counts		the answers of each version
 *
 * Waiting ends after a generous minute, with status 1.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "patience.h"
#include "targets/load.h"

static const struct {
	const char *name;
	size_t offset;
} names[] = {
	{ "ready", offsetof(struct stats, ready) },
	{ "early", offsetof(struct stats, early) },
	{ "early-kind", offsetof(struct stats, early_kind) },
	{ "early-errno", offsetof(struct stats, early_errno) },
	{ "commands", offsetof(struct stats, commands) },
	{ "children", offsetof(struct stats, children) },
	{ "handlers", offsetof(struct stats, handlers) },
	{ "made", offsetof(struct stats, made) },
	{ "wrong", offsetof(struct stats, process[0].wrong) },
	{ "other", offsetof(struct stats, process[0].other) },
	{ "slow", offsetof(struct stats, process[0].slow) },
	{ "child-wrong", offsetof(struct stats, process[1].wrong) },
	{ "child-pid", offsetof(struct stats, process[1].pid) },
};

static time_t deadline;

static uint64_t get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static bool time_left(void)
{
	struct timespec now, tick = { .tv_nsec = 5000000 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!deadline)
		deadline = now.tv_sec + patience();
	if (now.tv_sec > deadline)
		return false;
	nanosleep(&tick, NULL);
	return true;
}

/* After @since, has this thread called again, and got @version's answer? */
static bool is_at(const struct busy_stats *busy, uint64_t since,
		  uint64_t version)
{
	/* Once more than that, for the call that was under way. */
	return get(&busy->calls) > since + 6 && get(&busy->last) == version;
}

static int wait_version(const struct process_stats *p, uint64_t version)
{
	uint64_t since[BUSY_MAX];

	for (uint64_t i = 0; i < p->busy_count; i++)
		since[i] = get(&p->busy[i].calls);
	for (uint64_t i = 0; i < p->busy_count; i++) {
		while (!is_at(&p->busy[i], since[i], version)) {
			if (time_left())
				continue;
			printf("busy thread %" PRIu64 ": version %" PRIu64
			       " answers, not %" PRIu64 "\n", i,
			       get(&p->busy[i].last), version);
			return 1;
		}
	}
	return 0;
}

static int runs(const struct process_stats *p, uint64_t version)
{
	uint64_t before[VERSIONS];

	if (wait_version(p, version))
		return 1;
	for (int i = 0; i < VERSIONS; i++)
		before[i] = get(&p->answers[i]);
	if (wait_version(p, version))
		return 1;
	for (uint64_t i = 0; i < VERSIONS; i++) {
		if (i == version || before[i] == get(&p->answers[i]))
			continue;
		printf("version %" PRIu64 " still answers\n", i);
		return 1;
	}
	if (!get(&p->wrong))
		return 0;
	printf("%" PRIu64 " answers are wrong\n", get(&p->wrong));
	return 1;
}

int main(int argc, char **argv)
{
	const struct stats *stats;
	const uint64_t *counter = NULL;
	uint64_t value;
	int fd;

	if (argc < 3)
		return 2;
	fd = open(argv[1], O_RDONLY);
	stats = mmap(NULL, sizeof(*stats), PROT_READ, MAP_SHARED, fd, 0);
	if (stats == MAP_FAILED) {
		perror(argv[1]);
		return 2;
	}
	if (!strcmp(argv[2], "counts")) {
		for (int i = 0; i < VERSIONS; i++)
			printf("%" PRIu64 " ", get(&stats->process[0].answers[i]));
		printf("wrong %" PRIu64 "\n", get(&stats->process[0].wrong));
		return 0;
	}
	if (argc < 4)
		return 2;
	value = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
	if (!strcmp(argv[2], "runs"))
		return runs(&stats->process[value], strtoull(argv[3], NULL, 10));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i].name, argv[3]))
			counter = (void *)((char *)stats + names[i].offset);
	if (!counter)
		return 2;
	if (!strcmp(argv[2], "get")) {
		printf("%" PRIu64 "\n", get(counter));
		return 0;
	}
	while (get(counter) < value) {
		if (!time_left()) {
			printf("%s is %" PRIu64 ", not %" PRIu64 "\n", argv[3],
			       get(counter), value);
			return 1;
		}
	}
	return 0;
}
