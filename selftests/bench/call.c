// SPDX-License-Identifier: GPL-2.0
/*
 * call RUN: what does the call of a patched function cost?
 *
 * In this program's own text the bytes are written that hpkm writes (jmp
 * *slot(%rip), FF 25 and 32 bits), and those of others: jmp rel32, and the
 * jump of 14 bytes that reaches any address (jmp *0(%rip) and the address
 * behind it).  The new versions lie where hpkm maps them: in pages of their
 * own, below the program.
 *
 * Which branches share an entry of the predictor depends on all the addresses,
 * and with a thousand functions that makes more of a difference than the kind
 * of jump.  So all ways use the same functions, which are patched anew before
 * each short block; the sample is the median of each way's blocks.  One start
 * is one run: the next one has other addresses.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "call.h"

#define BLOCKS		61
#define BLOCK_NS	200000
#define IMAGE_SIZE	(2 * CALL_FUNCTIONS * CALL_STRIDE)
#define TABLE_SIZE	(2 * CALL_FUNCTIONS * sizeof(uint64_t))
#define PAGE		4096UL
#define WINDOW		14	/* the longest jump */
#define WARM_UP		4	/* passes after patching */

enum { UNPATCHED, SLOT, DIRECT, FAR, WAYS };

static const char *const way_names[] = { "unpatched", "slot", "direct", "far" };

struct length {
	const char *name;
	const struct call_set *set;
	const unsigned char *new_code;
	unsigned char *image;
	uint64_t *table;
	unsigned char old_code[WINDOW];
};

static struct length lengths[] = {
	{ "short", &call_short, call_short_new, NULL, NULL, {} },
	{ "long", &call_long, call_long_new, NULL, NULL, {} },
};

#define LENGTHS	(sizeof(lengths) / sizeof(*lengths))

/* Within 2 GiB, as hpkm finds a place: below the program. */
static void *map_near(size_t size)
{
	uintptr_t at = (uintptr_t)call_short.functions & ~(PAGE - 1);

	at -= random() % 4096 * PAGE;
	for (int i = 1; i < 64; i++) {
		void *want = (void *)(at - i * (16UL << 20));
		void *got = mmap(want, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS |
				 MAP_FIXED_NOREPLACE, -1, 0);

		if (got == want)
			return got;
		if (got != MAP_FAILED)
			munmap(got, size);
	}
	bench_die("no room near the program");
}

static void put_rel32(unsigned char *at, const void *to)
{
	int64_t distance = (unsigned char *)to - (at + 4);
	int32_t rel32 = distance;

	if (rel32 != distance)
		bench_die("too far");
	memcpy(at, &rel32, sizeof(rel32));
}

/* @old: what the function begins with. */
static void patch(int way, unsigned char *function, const unsigned char *old,
		  unsigned char *new, uint64_t *slot)
{
	switch (way) {
	case UNPATCHED:
		memcpy(function, old, WINDOW);
		break;
	case SLOT:
		*slot = (uintptr_t)new;
		memcpy(function, "\xff\x25", 2);
		put_rel32(function + 2, slot);
		break;
	case DIRECT:
		function[0] = 0xe9;
		put_rel32(function + 1, new);
		break;
	case FAR:
		memcpy(function, "\xff\x25\0\0\0\0", 6);
		memcpy(function + 6, &new, sizeof(new));
		break;
	}
}

static void patch_all(const struct length *length, int way)
{
	for (int i = 0; i < CALL_FUNCTIONS; i++)
		patch(way, length->set->functions + i * CALL_STRIDE,
		      length->old_code, length->image + i * CALL_STRIDE,
		      &length->table[i]);
}

static void check(const struct length *length, int way)
{
	unsigned long want = way == UNPATCHED ? 1 : 2;

	for (int i = 0; i < CALL_FUNCTIONS; i++) {
		unsigned long (*function)(unsigned long x) =
			(void *)(length->set->functions + i * CALL_STRIDE);

		if (function(i) != 8UL * i + want)
			bench_die("%s, %s: another version runs",
				  length->name, way_names[way]);
	}
}

/* This program's own text, which is all it is about, can be written from now. */
static void make_writable(const struct length *length)
{
	unsigned char *functions = length->set->functions;
	unsigned char *first = (void *)((uintptr_t)functions & ~(PAGE - 1));

	if (mprotect(first, functions + CALL_FUNCTIONS * CALL_STRIDE - first,
		     PROT_READ | PROT_WRITE | PROT_EXEC))
		bench_die("mprotect");
}

static void prepare(void)
{
	unsigned char *image = map_near(IMAGE_SIZE);
	uint64_t *table = map_near(TABLE_SIZE);

	for (unsigned int l = 0; l < LENGTHS; l++) {
		struct length *length = &lengths[l];

		length->image = image + l * CALL_FUNCTIONS * CALL_STRIDE;
		length->table = table + l * CALL_FUNCTIONS;
		for (int i = 0; i < CALL_FUNCTIONS; i++)
			memcpy(length->image + i * CALL_STRIDE,
			       length->new_code, CALL_STRIDE);
		memcpy(length->old_code, length->set->functions, WINDOW);
		make_writable(length);
	}
	if (mprotect(image, IMAGE_SIZE, PROT_READ | PROT_EXEC))
		bench_die("mprotect");
	for (unsigned int l = 0; l < LENGTHS; l++)
		for (int way = WAYS; way-- > 0;) {
			patch_all(&lengths[l], way);
			check(&lengths[l], way);
		}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double block(void (*code)(unsigned long n), unsigned long n)
{
	uint64_t begin = bench_now();

	code(n);
	return bench_now() - begin;
}

/* So many passes take about BLOCK_NS. */
static unsigned long calibrate(void (*code)(unsigned long n))
{
	unsigned long n = 1;

	while (block(code, n) < BLOCK_NS && n < 1UL << 30)
		n *= 2;
	return n;
}

/* One length, over one function or all; run 0 gives no sample. */
static void measure(const struct length *length, int functions, int run)
{
	static double ns[WAYS][BLOCKS];
	void (*code)(unsigned long n) = functions == 1 ? length->set->one :
							 length->set->all;
	unsigned long n;

	patch_all(length, UNPATCHED);
	n = calibrate(code);
	for (int b = 0; b < BLOCKS; b++)
		for (int i = 0; i < WAYS; i++) {
			int way = (b + i) % WAYS;

			patch_all(length, way);
			code(WARM_UP + n / 8);
			ns[way][b] = block(code, n) / n / functions;
		}
	for (int way = 0; run && way < WAYS; way++) {
		qsort(ns[way], BLOCKS, sizeof(**ns), by_value);
		bench_sample("\"part\": \"call\", \"what\": \"%s\", "
			     "\"length\": \"%s\", \"functions\": %d, "
			     "\"rep\": %d, \"ns\": %.4f, \"low\": %.4f, "
			     "\"high\": %.4f", way_names[way], length->name,
			     functions, run, ns[way][BLOCKS / 2],
			     ns[way][BLOCKS / 4], ns[way][BLOCKS * 3 / 4]);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	srandom(bench_now());
	bench_pin(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	prepare();
	/* The first time is the warm-up. */
	for (int time = 0; time < 2; time++)
		for (unsigned int l = 0; l < LENGTHS; l++) {
			int run = time ? atoi(argv[1]) : 0;

			measure(&lengths[l], 1, run);
			measure(&lengths[l], CALL_FUNCTIONS, run);
		}
	return 0;
}
