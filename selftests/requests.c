// SPDX-License-Identifier: GPL-2.0
/*
 * Requests as no tool makes them: a pid that was used again, a thread for a
 * process, a client that goes away at the wrong moment, uploads without end.
 */
#define _GNU_SOURCE
#include <dirent.h>
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
#include "subject.h"
#include "tap.h"

#define UPLOADS		10000
#define SOCKETS		100
/* What the module keeps of uploads that are not applied. */
#define UPLOADS_MAX	64
#define SLACK_KB	4096
#define NAME_SIZE	16

static char *image;
static size_t image_size;
static struct subject subject;

static char *image_name(void)
{
	struct hpkm_image_header *h = (void *)image;

	return image + h->strings.offset + h->name;
}

/* Give the image a copy of its strings that has room for any name. */
static void move_strings(void)
{
	struct hpkm_image_header *h = (void *)image;

	memcpy(image + image_size, image + h->strings.offset,
	       h->strings.count);
	h->strings.offset = image_size;
	h->name = h->strings.count;
	h->strings.count += NAME_SIZE;
	image_size += (h->strings.count + 7) & ~7;
	h->size = image_size;
	strcpy(image_name(), "v2");
}

/* It becomes another patch. */
static void rename_image(int n)
{
	memset(image_name(), 0, NAME_SIZE);
	snprintf(image_name(), NAME_SIZE, "patch-%d", n);
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

/*
 * Of the patch that the image is now.  Returns the status of the whole;
 * @status gets the target's.
 */
static int transition(struct genl *genl, int command, pid_t pid,
		      uint64_t start, int *status)
{
	struct message m;
	int ret;

	message_begin(&m, command);
	message_text(&m, HPKM_A_PATCH_NAME, image_name());
	message_target(&m, pid, start);
	message_u32(&m, HPKM_A_WAIT, 30000);
	ret = genl_ask(genl, &m, 0);
	*status = -1;
	return ret ? ret : genl_outcome(genl, status);
}

static void test_targets(void)
{
	uint64_t start = start_time(subject.pid);
	struct genl genl;
	int status, ret;
	char text[64];

	if (!genl_open(&genl))
		exit(1);
	ret = genl_load(&genl, image, image_size);
	tap_result(!ret, "load: %s", genl.words);
	ret = transition(&genl, HPKM_CMD_APPLY, subject.pid, start + 1, &status);
	tap_result(status == HPKM_STATUS_GONE,
		   "a pid with another start time: status %d, %d", ret, status);
	ret = transition(&genl, HPKM_CMD_APPLY, subject.pid, start, &status);
	tap_result(!ret && status == HPKM_STATUS_APPLIED,
		   "the right start time: status %d, %d", ret, status);
	ret = transition(&genl, HPKM_CMD_REVERT, subject.pid, start - 1, &status);
	tap_result(status == HPKM_STATUS_GONE,
		   "a revert with another start time: status %d, %d", ret,
		   status);
	ret = transition(&genl, HPKM_CMD_REVERT, subject.pid, start, &status);
	tap_result(status == HPKM_STATUS_REVERTED,
		   "a revert: status %d, %d", ret, status);
	/* The thread that sleeps was the first one to be started. */
	snprintf(text, sizeof(text), "/proc/%d/task/%d", subject.pid,
		 subject.pid + 1);
	if (access(text, F_OK)) {
		tap_result(true, "a thread's id # SKIP its number is unknown");
	} else {
		ret = transition(&genl, HPKM_CMD_APPLY, subject.pid + 1, 0, &status);
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

/* A thread in read(), other than the one that reads commands. */
static bool slow_sleeps(void)
{
	char path[300], text[64];
	struct dirent *entry;
	bool found = false;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", subject.pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (atoi(entry->d_name) <= subject.pid)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/syscall",
			 subject.pid, entry->d_name);
		read_text(path, text, sizeof(text));
		found |= !strncmp(text, "0 ", 2);
	}
	if (tasks)
		closedir(tasks);
	return found;
}

/* A thread sleeps in slow(), so that the request has to wait. */
static void test_cancel(void)
{
	struct timespec half = { .tv_nsec = 500000000 };
	struct message m;
	struct genl genl;
	int ret, status;

	if (write(subject.commands, "slow\n", 5) != 5 || !soon(slow_sleeps))
		exit(1);
	if (!genl_open(&genl) || genl_load(&genl, image, image_size))
		exit(1);
	message_begin(&m, HPKM_CMD_APPLY);
	message_text(&m, HPKM_A_PATCH_NAME, "v2");
	message_target(&m, subject.pid, 0);
	message_u32(&m, HPKM_A_WAIT, 3600000);
	ret = genl_ask(&genl, &m, 0);
	nanosleep(&half, NULL);
	genl_close(&genl);
	tap_result(!ret && soon(nothing_left),
		   "a client that closes while its request waits");
	if (write(subject.commands, "let\n", 4) != 4 || !genl_open(&genl) ||
	    genl_load(&genl, image, image_size))
		exit(1);
	ret = transition(&genl, HPKM_CMD_APPLY, subject.pid, 0, &status);
	tap_result(status == HPKM_STATUS_APPLIED,
		   "the next client is served: status %d, %d", ret, status);
	transition(&genl, HPKM_CMD_REVERT, subject.pid, 0, &status);
	genl_close(&genl);
}

/* Kernel memory, kB: slab that can't be reclaimed, vmalloc, shared memory. */
static long memory(void)
{
	static const char *const names[] = {
		"SUnreclaim:", "VmallocUsed:", "Shmem:",
	};
	char text[8192], *at;
	long sum = 0;

	read_text("/proc/meminfo", text, sizeof(text));
	for (int i = 0; i < 3; i++) {
		at = strstr(text, names[i]);
		if (!at)
			exit(1);
		sum += strtol(at + strlen(names[i]), NULL, 10);
	}
	return sum;
}

static long memory_before;

/* What was freed is given back behind a grace period. */
static bool memory_is_back(void)
{
	return memory() < memory_before + SLACK_KB;
}

/* By one client, and by many. */
static void test_flood(void)
{
	static struct genl genl[SOCKETS];
	long limit = UPLOADS_MAX * (2 * image_size / 1024 + 64) + SLACK_KB;
	int good = 0, other = 0, n, sockets;
	bool clear = true;
	long most = 0;

	for (sockets = 1; sockets <= SOCKETS; sockets += SOCKETS - 1) {
		good = 0;
		memory_before = memory();
		for (n = 0; n < sockets; n++)
			if (!genl_open(&genl[n]))
				exit(1);
		for (n = 0; n < UPLOADS; n++) {
			struct genl *g = &genl[n % sockets];
			int ret;

			rename_image(n);
			ret = genl_load(g, image, image_size);
			good += !ret;
			other += ret && ret != -ENOSPC;
			if (ret && !strstr(g->words, "loaded and not applied"))
				clear = false;
			if (n % 100 == 99 && memory() - memory_before > most)
				most = memory() - memory_before;
		}
		tap_result(good == UPLOADS_MAX && !other && clear,
			   "%d uploads by %d clients: %d are accepted, %d errors of another kind",
			   n, sockets, good, other);
		for (n = 0; n < sockets; n++)
			genl_close(&genl[n]);
		tap_result(soon(nothing_left) && soon(memory_is_back),
			   "nothing is left of them");
	}
	tap_result(most < limit, "kernel memory grew by %ld of %ld kB", most,
		   limit);
}

/* What is applied does not count. */
static void test_applied(void)
{
	int n, applied = 0, accepted = 0, reverted = 0, ret, status;
	struct genl genl;

	if (!genl_open(&genl))
		exit(1);
	for (n = 0; n < UPLOADS_MAX + 6; n++) {
		rename_image(n);
		ret = genl_load(&genl, image, image_size);
		if (ret)
			tap_note("%d: %d, %s", n, ret, genl.words);
		transition(&genl, HPKM_CMD_APPLY, subject.pid, 0, &status);
		applied += status == HPKM_STATUS_APPLIED;
	}
	tap_result(applied == n, "%d of %d patches are loaded and applied",
		   applied, n);
	for (; n < UPLOADS_MAX + 6 + UPLOADS_MAX; n++) {
		rename_image(n);
		accepted += !genl_load(&genl, image, image_size);
	}
	rename_image(n);
	ret = genl_load(&genl, image, image_size);
	tap_result(accepted == UPLOADS_MAX && ret == -ENOSPC,
		   "and %d more, of which none is: then %s", accepted,
		   genl.words);
	for (n = UPLOADS_MAX + 6; n--;) {
		rename_image(n);
		transition(&genl, HPKM_CMD_REVERT, subject.pid, 0, &status);
		reverted += status == HPKM_STATUS_REVERTED;
	}
	tap_result(reverted == UPLOADS_MAX + 6, "%d are reverted", reverted);
	rename_image(UPLOADS_MAX);
	ret = genl_load(&genl, image, image_size);
	tap_result(!ret, "one that is there can be loaded again: %s",
		   genl.words);
	genl_close(&genl);
	tap_result(soon(nothing_left), "nothing is left of them");
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
	move_strings();
	tap_plan(22);
	if (!subject_start(&subject, 0, 1)) {
		tap_note("the target does not start");
		return 1;
	}
	test_targets();
	test_close();
	test_cancel();
	test_flood();
	test_applied();
	subject_end(&subject);
	return tap_exit();
}
