// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation that a request makes fails once, one after the other: then it
 * ends with an error, and the target is as it was before, or it does not matter.
 *
 * The kernel counts down fail-nth of the task that allocates. A request runs in
 * a worker of an unbound pool, so all of those are set.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"
#include "patience.h"
#include "tap.h"
#include "targets/load.h"

#define ALLOCATIONS_MAX	2000
#define WORKERS_MAX	256
/* So many attempts in a row in which nothing failed are the end. */
#define QUIET		5

static struct stats *stats;
static int image_fd;
static size_t image_size;
static int target;
static int workers[WORKERS_MAX];
static int worker_count;

static bool write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) ==
		    (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool prepare_injection(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };
	static const char *const settings[][2] = {
		{ "ignore-gfp-wait", "N" }, { "verbose", "0" },
		{ "ignore-gfp-highmem", "N" }, { "min-order", "0" },
		{ "times", "-1" }, { "probability", "0" },
	};
	char file[128];

	for (size_t i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "/sys/kernel/debug/%s", kinds[i]);
		if (access(file, F_OK))
			return false;
		for (size_t k = 0; k < sizeof(settings) / sizeof(*settings);
		     k++) {
			snprintf(file, sizeof(file), "/sys/kernel/debug/%s/%s",
				 kinds[i], settings[k][0]);
			write_text(file, settings[k][1]);
		}
	}
	return !access("/proc/self/fail-nth", W_OK);
}

static void find_workers(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	worker_count = 0;
	while (proc && (entry = readdir(proc))) {
		char file[300], comm[64] = "";
		int fd;

		if (*entry->d_name < '0' || *entry->d_name > '9')
			continue;
		snprintf(file, sizeof(file), "/proc/%s/comm", entry->d_name);
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, comm, sizeof(comm) - 1) > 0 &&
		    !strncmp(comm, "kworker/u", 9) &&
		    worker_count < WORKERS_MAX)
			workers[worker_count++] = atoi(entry->d_name);
		close(fd);
	}
	if (proc)
		closedir(proc);
}

static void set_nth(int tid, int n)
{
	char file[64], text[16];

	snprintf(file, sizeof(file), "/proc/%d/fail-nth", tid);
	snprintf(text, sizeof(text), "%d", n);
	write_text(file, text);
}

/* 0: it has been used up. */
static int get_nth(int tid)
{
	char file[64], text[16] = "";
	int fd;

	snprintf(file, sizeof(file), "/proc/%d/fail-nth", tid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		*text = '1';
	close(fd);
	return atoi(text);
}

static void arm(int n)
{
	find_workers();
	for (int i = 0; i < worker_count; i++)
		set_nth(workers[i], n);
}

/* Did one of them fail? */
static bool disarm(void)
{
	bool failed = false;

	for (int i = 0; i < worker_count; i++) {
		failed |= !get_nth(workers[i]);
		set_nth(workers[i], 0);
	}
	return failed;
}

/* @self: allocations of this task fail, too. */
static int transition(int command, int nth, bool self, bool *failed)
{
	struct genl genl;
	struct message m;
	int ret, status = -1;

	*failed = false;
	if (!genl_open(&genl))
		return -1;
	if (!self) {
		ret = genl_load_fd(&genl, image_fd, 0, image_size);
		if (ret)
			goto out;
	}
	message_begin(&m, command);
	message_text(&m, HPKM_A_PATCH_NAME, "v2");
	message_target(&m, target, 0);
	message_u32(&m, HPKM_A_WAIT, patience() * 1000);
	if (self) {
		set_nth(syscall(SYS_gettid), nth);
		ret = genl_load_fd(&genl, image_fd, 0, image_size);
		if (!ret)
			ret = genl_ask(&genl, &m, 0);
		*failed = !get_nth(syscall(SYS_gettid));
		set_nth(syscall(SYS_gettid), 0);
	} else {
		if (nth)
			arm(nth);
		ret = genl_ask(&genl, &m, 0);
	}
	if (!ret)
		ret = genl_outcome(&genl, &status);
	if (nth && !self)
		*failed = disarm();
out:
	genl_close(&genl);
	if (ret < 0)
		return HPKM_STATUS_ERROR;
	return status;
}

static bool is_mapped(void)
{
	char file[64], line[512];
	bool found = false;
	FILE *maps;

	snprintf(file, sizeof(file), "/proc/%d/maps", target);
	maps = fopen(file, "r");
	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, "/hpkm:") || strstr(line, "/hpkm-table");
	if (maps)
		fclose(maps);
	return found;
}

static bool runs(unsigned long version)
{
	struct busy_stats *b = &stats->process[0].busy[0];
	struct timespec tick = { .tv_nsec = 2000000 };

	for (int i = 0; i < 5000; i++) {
		uint64_t before = __atomic_load_n(&b->calls, __ATOMIC_SEQ_CST);

		nanosleep(&tick, NULL);
		if (__atomic_load_n(&b->calls, __ATOMIC_SEQ_CST) > before + 9 &&
		    __atomic_load_n(&b->last, __ATOMIC_SEQ_CST) == version)
			return !stats->process[0].wrong;
	}
	return false;
}

/* One allocation after the other, until none is left to fail. */
static bool each(int command, bool self)
{
	int want = command == HPKM_CMD_APPLY ? HPKM_STATUS_APPLIED :
					       HPKM_STATUS_REVERTED;
	unsigned long old = command == HPKM_CMD_APPLY ? 1 : 2;
	int quiet = 0, failures = 0, errors = 0, nth;
	bool failed;

	for (nth = 1; quiet < QUIET; nth++) {
		int status = transition(command, nth, self, &failed);

		if (nth == ALLOCATIONS_MAX) {
			tap_note("no end of allocations");
			return false;
		}
		quiet = failed ? 0 : quiet + 1;
		failures += failed;
		if (status == HPKM_STATUS_ERROR) {
			errors++;
			if (!failed) {
				tap_note("%d: an error without a cause", nth);
				return false;
			}
			/*
			 * The acknowledgment may be what failed: then the
			 * request was cancelled, or was done before that.
			 */
			if (self && is_mapped() && runs(3 - old) &&
			    transition(HPKM_CMD_REVERT, 0, false, &failed) !=
			    HPKM_STATUS_REVERTED) {
				tap_note("%d: no way back", nth);
				return false;
			}
			if (is_mapped() != (old == 2)) {
				tap_note("%d: %s mapped", nth,
					 old == 2 ? "no longer" : "still");
				return false;
			}
			if (!runs(old)) {
				tap_note("%d: not as it was before", nth);
				return false;
			}
			continue;
		}
		if (status != want || !runs(3 - old)) {
			tap_note("%d: status %d", nth, status);
			return false;
		}
		/* Back to where it was. */
		status = transition(old == 1 ? HPKM_CMD_REVERT : HPKM_CMD_APPLY,
				    0, false, &failed);
		if (status != (old == 1 ? HPKM_STATUS_REVERTED :
					  HPKM_STATUS_APPLIED)) {
			tap_note("%d: the way back: status %d", nth, status);
			return false;
		}
	}
	tap_note("%d allocations failed, %d requests ended with an error",
		 failures, errors);
	return failures && errors;
}

static bool start_target(void)
{
	const char *program = built_path("pie/load");
	char file[] = "/tmp/hpkm-faults.XXXXXX", copy[512];
	struct timespec tick = { .tv_nsec = 20000000 };
	int fd = mkstemp(file);

	snprintf(copy, sizeof(copy), "%s", program);
	if (fd < 0 || ftruncate(fd, sizeof(*stats)))
		return false;
	stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (stats == MAP_FAILED)
		return false;
	target = fork();
	if (!target) {
		execl(copy, copy, "-s", file, "-b", "1", "-z", "5", NULL);
		_exit(127);
	}
	for (int i = 0; i < 3000 && stats->ready < 7; i++)
		nanosleep(&tick, NULL);
	unlink(file);
	return stats->ready == 7;
}

int main(void)
{
	bool failed;

	if (!prepare_injection())
		tap_skip_all("this kernel can't make allocations fail");
	image_fd = open(built_path("pie/v2.image"), O_RDONLY | O_CLOEXEC);
	image_size = lseek(image_fd, 0, SEEK_END);
	if (image_fd < 0 || !start_target()) {
		tap_plan(1);
		tap_result(false, "the target does not start");
		return tap_exit();
	}
	tap_plan(5);
	tap_result(each(HPKM_CMD_APPLY, false),
		   "allocations of a worker that applies");
	tap_result(each(HPKM_CMD_APPLY, true),
		   "allocations of a client that loads and applies");
	tap_result(transition(HPKM_CMD_APPLY, 0, false, &failed) ==
		   HPKM_STATUS_APPLIED && runs(2), "without failures");
	tap_result(each(HPKM_CMD_REVERT, false),
		   "allocations of a worker that reverts");
	tap_result(transition(HPKM_CMD_REVERT, 0, false, &failed) ==
		   HPKM_STATUS_REVERTED && runs(1) && !is_mapped(),
		   "afterwards nothing is left");
	kill(target, SIGTERM);
	waitpid(target, NULL, 0);
	return tap_exit();
}
