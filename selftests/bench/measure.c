// SPDX-License-Identifier: GPL-2.0
/*
 * measure FILE COMMAND...: run it, and add a line to FILE: seconds that passed,
 * seconds of CPU, and the most memory (kB) that one of its processes had.
 * Exits as the command did.
 *
 * As `ld` it runs the ld behind its own directory in PATH, and FILE is
 * $MEASURE_LD: that is how the linker's part is told from hpkm-build's.
 */
#define _GNU_SOURCE
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

/* Takes the first directory, which is this program's, from PATH. */
static void shorten_path(void)
{
	const char *path = getenv("PATH"), *rest = path ? strchr(path, ':') : 0;

	if (rest)
		setenv("PATH", rest + 1, 1);
}

int main(int argc, char **argv)
{
	const char *name = basename(argv[0]), *file;
	struct rusage usage;
	double begin;
	int status;
	FILE *out;
	pid_t pid;

	if (!strcmp(name, "ld")) {
		file = getenv("MEASURE_LD");
		argv[0] = "ld";
		shorten_path();
	} else {
		if (argc < 3)
			return 2;
		file = argv[1];
		argv += 2;
	}
	begin = now();
	pid = fork();
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 127;
	out = file ? fopen(file, "ae") : NULL;
	if (!out)
		return 127;
	fprintf(out, "%.6f %.6f %ld\n", now() - begin,
		seconds(usage.ru_utime) + seconds(usage.ru_stime),
		usage.ru_maxrss);
	fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
