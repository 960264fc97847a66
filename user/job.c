// SPDX-License-Identifier: GPL-2.0
/* A command that stage 1 runs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
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

static int start(const struct hpkm_job *job, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
					 O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, job->log,
					 O_WRONLY | O_CREAT | O_APPEND, 0666);
	posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO,
					 STDERR_FILENO);
	if (job->directory)
		posix_spawn_file_actions_addchdir_np(&actions, job->directory);
	fatal_signals(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setsigmask(&attr, &before);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
				 POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF);
	err = posix_spawnp(pid, job->argv[0], &actions, &attr, job->argv,
			   job->env ? job->env : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return err;
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
	int status, err;
	pid_t pid, n;

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
