// SPDX-License-Identifier: GPL-2.0
/*
 * Work on what somebody hostile may have written (stage 10): in a child
 * without privileges, whose crash costs no more than its answer.
 *
 * The child keeps no descriptor of its parent's.  A netlink socket that
 * stayed open would keep the parent's request alive after the parent's death.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"

#define OUT		3	/* where the child has its pipe */
#define NOBODY		65534
#define CPU_SECONDS	10
#define DATA_BYTES	(512UL << 20)

static void limit(int what, rlim_t value)
{
	struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

	setrlimit(what, &limit);
}

static void limit_all(void)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CPU, CPU_SECONDS);
#ifndef __SANITIZE_ADDRESS__	/* which has its own idea of memory */
	limit(RLIMIT_DATA, DATA_BYTES);
#endif
}

static bool drop_privileges(pid_t parent)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (!geteuid() && (setgroups(0, NULL) ||
			   setresgid(NOBODY, NOBODY, NOBODY) ||
			   setresuid(NOBODY, NOBODY, NOBODY)))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capset, &header, none))
		return false;
	limit_all();
	/* Last, for a change of the user undoes it. */
	return !prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent;
}

__attribute__((noreturn))
static void run_child(const struct hpkm_confined *work, int out, pid_t parent)
{
	sigset_t none;

	/* What it could print would be of no use to anybody. */
	if (dup2(out, OUT) == OUT && !close_range(OUT + 1, ~0U, 0)) {
		sigemptyset(&none);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_DFL);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (work->open(work->data) && drop_privileges(parent))
			work->work(work->data, OUT);
	}
	_exit(0);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/* Until the child closes its end. */
static size_t collect(int fd, void *answer, size_t size, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	long end = now_ms() + timeout_ms;
	size_t got = 0;

	while (got < size) {
		long left = end - now_ms();
		ssize_t n;
		int ready;

		if (left <= 0)
			break;
		ready = poll(&poll_fd, 1, left);
		if (ready < 0 && errno != EINTR)
			break;
		if (ready <= 0)
			continue;
		n = read(fd, (char *)answer + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += n;
	}
	return got;
}

ssize_t hpkm_confine(const struct hpkm_confined *work, void *answer,
		     size_t size, int timeout_ms)
{
	pid_t parent = getpid(), child;
	int ends[2];
	size_t got;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (!child)
		run_child(work, ends[1], parent);
	close(ends[1]);
	if (child < 0) {
		got = errno;
		close(ends[0]);
		return -(ssize_t)got;
	}
	got = collect(ends[0], answer, size, timeout_ms);
	close(ends[0]);
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return got;
}
