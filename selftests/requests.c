// SPDX-License-Identifier: GPL-2.0
/*
 * Requests as no tool makes them: a pid that was used again, a thread for a
 * process, a client that goes away at the wrong moment, uploads without end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hpkm/image.h>

#include "genl.h"
#include "tap.h"
#include "targets/load.h"

#define PATIENCE_S	60
#define UPLOADS		2000

static char *image;
static size_t image_size;
static char stats_path[] = "/tmp/requests.XXXXXX";
static const struct stats *stats;
static pid_t target;
static int commands;		/* standard input of the target */

static void nap(void)
{
	struct timespec tick = { .tv_nsec = 10000000 };

	nanosleep(&tick, NULL);
}

static bool soon(bool (*condition)(void))
{
	time_t end = time(NULL) + PATIENCE_S;

	while (!condition()) {
		if (time(NULL) > end)
			return false;
		nap();
	}
	return true;
}

/* Field 22 of /proc/PID/stat. */
static uint64_t start_time(pid_t pid)
{
	char path[64], text[1024] = "", *field;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		exit(1);
	close(fd);
	field = strrchr(text, ')');
	for (int i = 0; i < 20 && field; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

static bool is_ready(void)
{
	return __atomic_load_n(&stats->ready, __ATOMIC_SEQ_CST) == 2;
}

/* One sleeping thread and main; its commands come from a pipe. */
static bool start_target(void)
{
	int input[2], fd = mkstemp(stats_path);

	if (fd < 0 || pipe(input) || ftruncate(fd, sizeof(*stats)))
		return false;
	stats = mmap(NULL, sizeof(*stats), PROT_READ, MAP_SHARED, fd, 0);
	target = fork();
	if (!target) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(input[0], 0);
		close(input[1]);
		execl(built_path("pie/load"), "load", "-s", stats_path, "-b",
		      "0", "-z", "1", NULL);
		_exit(127);
	}
	commands = input[1];
	close(input[0]);
	close(fd);
	return soon(is_ready);
}

static void read_text(const char *path, char *text, size_t size)
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

static bool is_loaded(void)
{
	struct message m;
	struct genl genl;
	int ret;

	if (!genl_open(&genl))
		exit(1);
	/* With a name that is loaded, a pid that does not exist is next. */
	message_begin(&m, HPKM_CMD_APPLY);
	message_text(&m, HPKM_A_PATCH_NAME, "v2");
	message_put(&m, HPKM_A_ALL, NULL, 0);
	message_put(&m, HPKM_A_DRY_RUN, NULL, 0);
	ret = genl_ask(&genl, &m, 0);
	genl_close(&genl);
	return ret != -ENOENT;
}

static bool nothing_left(void)
{
	return !is_loaded() && module_unused();
}

/* Returns the status of the whole; @status gets the target's. */
static int transition(struct genl *genl, int command, pid_t pid,
		      uint64_t start, int *status)
{
	struct message m;
	int ret;

	message_begin(&m, command);
	message_text(&m, HPKM_A_PATCH_NAME, "v2");
	message_target(&m, pid, start);
	message_u32(&m, HPKM_A_WAIT, 30000);
	ret = genl_ask(genl, &m, 0);
	*status = -1;
	return ret ? ret : genl_outcome(genl, status);
}

static void test_targets(void)
{
	uint64_t start = start_time(target);
	struct genl genl;
	int status, ret;
	char text[64];

	if (!genl_open(&genl))
		exit(1);
	ret = genl_load(&genl, image, image_size);
	tap_result(!ret, "load: %s", genl.words);
	ret = transition(&genl, HPKM_CMD_APPLY, target, start + 1, &status);
	tap_result(status == HPKM_STATUS_GONE,
		   "a pid with another start time: status %d, %d", ret, status);
	ret = transition(&genl, HPKM_CMD_APPLY, target, start, &status);
	tap_result(!ret && status == HPKM_STATUS_APPLIED,
		   "the right start time: status %d, %d", ret, status);
	ret = transition(&genl, HPKM_CMD_REVERT, target, start - 1, &status);
	tap_result(status == HPKM_STATUS_GONE,
		   "a revert with another start time: status %d, %d", ret,
		   status);
	ret = transition(&genl, HPKM_CMD_REVERT, target, start, &status);
	tap_result(status == HPKM_STATUS_REVERTED,
		   "a revert: status %d, %d", ret, status);
	/* The thread that sleeps was the first one to be started. */
	snprintf(text, sizeof(text), "/proc/%d/task/%d", target, target + 1);
	if (access(text, F_OK)) {
		tap_result(true, "a thread's id # SKIP its number is unknown");
	} else {
		ret = transition(&genl, HPKM_CMD_APPLY, target + 1, 0, &status);
		tap_result(status == HPKM_STATUS_REFUSED,
			   "a thread's id: status %d, %d", ret, status);
	}
	genl_close(&genl);
	tap_result(soon(nothing_left), "nothing is left of it");
}

static void test_close(void)
{
	struct genl genl;
	int status, pipes[2];
	char byte;
	pid_t pid;

	if (!genl_open(&genl) || genl_load(&genl, image, image_size))
		exit(1);
	tap_result(is_loaded(), "an upload is seen");
	genl_close(&genl);
	tap_result(soon(nothing_left), "a client that uploads and closes");

	if (pipe(pipes))
		exit(1);
	pid = fork();
	if (!pid) {
		if (!genl_open(&genl) || genl_load(&genl, image, image_size) ||
		    write(pipes[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(pipes[0], &byte, 1) != 1)
		exit(1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	tap_result(soon(nothing_left), "a client that uploads and is killed");
	close(pipes[0]);
	close(pipes[1]);
}

static bool slow_sleeps(void)
{
	return stats->commands == 1;
}

/* A thread sleeps in slow(), so that the request has to wait. */
static void test_cancel(void)
{
	struct timespec half = { .tv_nsec = 500000000 };
	struct message m;
	struct genl genl;
	int ret, status;

	if (write(commands, "slow\n", 5) != 5 || !soon(slow_sleeps))
		exit(1);
	nanosleep(&half, NULL);
	if (!genl_open(&genl) || genl_load(&genl, image, image_size))
		exit(1);
	message_begin(&m, HPKM_CMD_APPLY);
	message_text(&m, HPKM_A_PATCH_NAME, "v2");
	message_target(&m, target, 0);
	message_u32(&m, HPKM_A_WAIT, 3600000);
	ret = genl_ask(&genl, &m, 0);
	nanosleep(&half, NULL);
	genl_close(&genl);
	tap_result(!ret && soon(nothing_left),
		   "a client that closes while its request waits");
	if (write(commands, "let\n", 4) != 4 || !genl_open(&genl) ||
	    genl_load(&genl, image, image_size))
		exit(1);
	ret = transition(&genl, HPKM_CMD_APPLY, target, 0, &status);
	tap_result(status == HPKM_STATUS_APPLIED,
		   "the next client is served: status %d, %d", ret, status);
	transition(&genl, HPKM_CMD_REVERT, target, 0, &status);
	genl_close(&genl);
}

static void test_flood(void)
{
	struct hpkm_image_header *h = (void *)image;
	char *name = image + h->strings.offset + h->name;
	struct genl genl;
	int ret = 0, n;

	if (!genl_open(&genl))
		exit(1);
	for (n = 0; n < UPLOADS && !ret; n++) {
		name[0] = 'a' + n % 26;
		name[1] = 'a' + n / 26 % 26;
		ret = genl_load(&genl, image, image_size);
	}
	tap_result(ret < 0 && genl.words[0],
		   "uploads without end are refused: %s", genl.words);
	tap_note("%d uploads", n);
	genl_close(&genl);
	tap_result(soon(nothing_left), "nothing is left of them");
	name[0] = 'v';
	name[1] = '2';
}

int main(void)
{
	struct genl genl;

	image = read_whole(built_path("pie/v2.image"), &image_size);
	if (!image)
		tap_skip_all("pie/v2.image is missing");
	if (!genl_open(&genl))
		tap_skip_all("the module is not loaded");
	genl_close(&genl);
	tap_plan(14);
	if (!start_target()) {
		tap_note("the target does not start");
		return 1;
	}
	test_targets();
	test_close();
	test_cancel();
	test_flood();
	kill(target, SIGTERM);
	unlink(stats_path);
	return tap_exit();
}
