// SPDX-License-Identifier: GPL-2.0
/* What the bench's programs share. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

uint64_t bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void bench_die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (%s)\n", strerror(error));
	exit(1);
}

void bench_sample(const char *format, ...)
{
	va_list args;

	putchar('{');
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("}");
	fflush(stdout);
}

void bench_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

uint64_t bench_proc(const char *path, const char *key)
{
	unsigned long long value = 0;
	size_t length = strlen(key);
	FILE *file = fopen(path, "re");
	char line[512];

	if (!file)
		bench_die("%s", path);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, length) && line[length] == ':') {
			value = strtoull(line + length + 1, NULL, 10);
			break;
		}
	fclose(file);
	return value;
}

void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("CPU %d", cpu);
}
