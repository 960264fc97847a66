/* SPDX-License-Identifier: GPL-2.0 */
/* What the bench's programs share: the clock, samples, and giving up. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of the monotonic clock. */
uint64_t bench_now(void);

/* Says what failed, with errno, and ends the program. */
__attribute__((noreturn, format(printf, 1, 2)))
void bench_die(const char *format, ...);

/*
 * One sample: a JSON object on a line of standard output.  @text is what
 * stands between its braces.
 */
__attribute__((format(printf, 1, 2)))
void bench_sample(const char *format, ...);

/* For people, on standard error. */
__attribute__((format(printf, 1, 2)))
void bench_note(const char *format, ...);

/* The number behind @key at a line's start in a file of /proc; 0: none. */
uint64_t bench_proc(const char *path, const char *key);

/* This process keeps to one CPU. */
void bench_pin(int cpu);

#endif /* BENCH_H */
