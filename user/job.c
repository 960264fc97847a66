// SPDX-License-Identifier: GPL-2.0
/* A command that stage 1 runs. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hpkm.h"
#include "job.h"

#define TICK_NS		250000000L
#define PATIENCE	20	/* ticks between SIGTERM and SIGKILL */

extern char **environ;

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static sigset_t before;

static void fatal_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		sigaddset(set, fatal[i]);
}

void hpkm_job_start(void)
{
	sigset_t set;

	fatal_signals(&set);
	/* Waited for, so that the end of a child needs no handler. */
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &before);
}

void hpkm_job_finish(void)
{
	sigprocmask(SIG_SETMASK, &before, NULL);
}

bool hpkm_job_interrupted(void)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		if (sigismember(&pending, fatal[i]) &&
		    !sigismember(&before, fatal[i]))
			return true;
	return false;
}

/* ---- in the child; each returns 0, or -1 with errno ---- */

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -1;
	err = write(fd, text, strlen(text)) < 0;
	close(fd);
	return err ? -1 : 0;
}

/* A user namespace in which everybody is who he was. */
static int new_namespaces(void)
{
	unsigned int uid = geteuid(), gid = getegid();
	char map[64];

	if (!unshare(CLONE_NEWNS))
		return 0;
	if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	if (write_to("/proc/self/setgroups", "deny"))
		return -1;
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (write_to("/proc/self/gid_map", map))
		return -1;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	return write_to("/proc/self/uid_map", map);
}

/* What is mounted here is seen by nobody else. */
static int cover(const char *directory, const char *by)
{
	if (new_namespaces() ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return mount(by, directory, NULL, MS_BIND | MS_REC, NULL);
}

static int redirect(const struct hpkm_job *job)
{
	int in = open("/dev/null", O_RDONLY);
	int out = open(job->log, O_WRONLY | O_CREAT | O_APPEND, 0666);

	if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		return -1;
	close(in);
	close(out);
	return 0;
}

static void become(const struct hpkm_job *job)
{
	setpgid(0, 0);
	if (redirect(job) ||
	    (job->cover && cover(job->directory, job->cover)) ||
	    (job->directory && chdir(job->directory)))
		return;
	sigprocmask(SIG_SETMASK, &before, NULL);
	execvpe(job->argv[0], job->argv, job->env ? job->env : environ);
}

/* ---- in the parent ---- */

/* Returns 0, or the errno of what the child could not do. */
static int start(const struct hpkm_job *job, pid_t *pid)
{
	int fds[2], err = 0;

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	*pid = fork();
	if (!*pid) {
		become(job);
		err = errno;
		if (write(fds[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	close(fds[1]);
	if (*pid < 0)
		err = errno;
	else if (read(fds[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(fds[0]);
	if (*pid > 0 && err)
		waitpid(*pid, NULL, 0);
	return err;
}

bool hpkm_job_can_cover(void)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(cover("/tmp", "/tmp") ? 1 : 0);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Until a child may have ended, or for one tick. */
static void wait_tick(void)
{
	struct timespec tick = { .tv_nsec = TICK_NS };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigtimedwait(&child, NULL, &tick);
}

static void end_group(pid_t pid)
{
	kill(-pid, SIGTERM);
	for (int i = 0; i < PATIENCE; i++) {
		while (waitpid(-pid, NULL, WNOHANG) > 0)
			;
		if (kill(-pid, 0))
			return;
		wait_tick();
	}
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int hpkm_job_run(const struct hpkm_job *job)
{
	pid_t pid = 0, n;
	int status, err;

	err = start(job, &pid);
	if (err) {
		hpkm_error("cannot run '%s': %s", job->argv[0], strerror(err));
		return -1;
	}
	for (;;) {
		n = waitpid(pid, &status, WNOHANG);
		if (n == pid)
			break;
		if (n < 0 && errno != EINTR) {
			hpkm_error("cannot wait for '%s': %s", job->argv[0],
				   strerror(errno));
			return -1;
		}
		if (hpkm_job_interrupted()) {
			end_group(pid);
			return -1;
		}
		if (job->tick)
			job->tick(job->data);
		wait_tick();
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
		128 + WTERMSIG(status);
}
