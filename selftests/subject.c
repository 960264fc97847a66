// SPDX-License-Identifier: GPL-2.0
/* A target for tests in C, and what they see of it and of the module. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"
#include "patience.h"
#include "subject.h"

static void nap(void)
{
	struct timespec tick = { .tv_nsec = 10000000 };

	nanosleep(&tick, NULL);
}

bool soon(bool (*condition)(void))
{
	time_t end = time(NULL) + patience();

	while (!condition()) {
		if (time(NULL) > end)
			return false;
		nap();
	}
	return true;
}

/* Until it is that much. */
static bool reaches(const uint64_t *counter, uint64_t value)
{
	time_t end = time(NULL) + patience();

	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < value) {
		if (time(NULL) > end)
			return false;
		nap();
	}
	return true;
}

bool subject_start(struct subject *subject, int busy, int sleeping)
{
	char busy_text[16], sleeping_text[16];
	int input[2], fd;

	snprintf(subject->path, sizeof(subject->path), "/tmp/hpkm.XXXXXX");
	fd = mkstemp(subject->path);
	if (fd < 0 || pipe(input) || ftruncate(fd, sizeof(*subject->stats)))
		return false;
	subject->stats = mmap(NULL, sizeof(*subject->stats), PROT_READ,
			      MAP_SHARED, fd, 0);
	snprintf(busy_text, sizeof(busy_text), "%d", busy);
	snprintf(sleeping_text, sizeof(sleeping_text), "%d", sleeping);
	subject->pid = fork();
	if (!subject->pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(input[0], 0);
		close(input[1]);
		execl(built_path("pie/load"), "load", "-s", subject->path, "-b",
		      busy_text, "-z", sleeping_text, NULL);
		_exit(127);
	}
	subject->commands = input[1];
	close(input[0]);
	close(fd);
	return subject->stats != MAP_FAILED &&
	       reaches(&subject->stats->ready, busy + sleeping + 1);
}

void subject_end(struct subject *subject)
{
	kill(subject->pid, SIGTERM);
	waitpid(subject->pid, NULL, 0);
	close(subject->commands);
	unlink(subject->path);
}

bool subject_runs(const struct subject *subject, unsigned long version)
{
	const struct process_stats *p = &subject->stats->process[0];

	for (uint64_t i = 0; i < p->busy_count; i++) {
		const struct busy_stats *b = &p->busy[i];

		/* More than the call that was under way. */
		if (!reaches(&b->calls, b->calls + 9) || b->last != version)
			return false;
	}
	return true;
}

void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = 0;
	close(fd);
}

static bool module_unused(void)
{
	char text[16];

	read_text("/sys/module/hpkm/refcnt", text, sizeof(text));
	return !strcmp(text, "0\n");
}

bool is_loaded(void)
{
	struct message m;
	struct genl genl;

	if (!genl_open(&genl))
		exit(1);
	message_begin(&m, HPKM_CMD_PATCH_GET);
	if (genl_ask(&genl, &m, NLM_F_DUMP))
		exit(1);
	genl_close(&genl);
	return genl.replies;
}

bool nothing_left(void)
{
	return !is_loaded() && module_unused();
}
