// SPDX-License-Identifier: GPL-2.0
/*
 * Questions of the kernel about words on stacks (stage 10).
 *
 * Each process is looked into by a child without privileges, so that what one
 * process makes up harms the answers about that process at most.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "doubt.h"
#include "process.h"
#include "stale.h"

/* For one process, and for all of them. */
#define PROCESS_MS	2000
#define ALL_MS		4000

/* The doubts of one process. */
struct look {
	uint32_t pid;
	struct hpkm_doubt **doubts;
	size_t count;
	struct hpkm_memory *memory;
	struct hpkm_cfi *cfi;
};

/*
 * Has the thread not run since?  That tells also that its number means the
 * same thread here as it does to the kernel.
 */
static bool sleeps_still(const struct hpkm_doubt *doubt)
{
	uint64_t switches;

	return !hpkm_process_switches(doubt->pid, doubt->tid, &switches) &&
	       switches == doubt->switches;
}

static bool open_process(void *data)
{
	struct look *look = data;

	look->memory = hpkm_memory_open(look->pid);
	look->cfi = hpkm_cfi_open(look->pid);
	for (size_t i = 0; i < look->count; i++)
		if (!sleeps_still(look->doubts[i]))
			return false;
	return look->memory && look->cfi;
}

static void unwind_process(void *data, int out)
{
	struct hpkm_stack_verdict verdict;
	struct look *look = data;

	for (size_t i = 0; i < look->count; i++) {
		hpkm_stale_judge(look->memory, look->cfi, look->doubts[i],
				 &verdict);
		if (write(out, &verdict, sizeof(verdict)) != sizeof(verdict))
			return;
	}
}

static char *text_of(const struct hpkm_stack_verdict *verdict,
		     enum hpkm_verdict_of_word word)
{
	static const char *const words[] = {
		[HPKM_WORD_UNKNOWN] = "its stack can't be unwound",
		[HPKM_WORD_RETURNS] = "unwound: it returns there",
		[HPKM_WORD_OUTSIDE] = "unwound: the word is not in its frames",
		[HPKM_WORD_IN_LARGE] = "unwound: the word is in a frame that is large enough for another stack",
		[HPKM_WORD_PARKED] = "unwound: the word belongs to a context that is parked on its stack",
		[HPKM_WORD_NO_RETURN] = "unwound: the word is no return address, but may be kept for a jump",
	};
	char *text;

	if (word == HPKM_WORD_UNKNOWN && verdict->pc &&
	    asprintf(&text, "%s past 0x%" PRIx64 "%s%.*s%s", words[word],
		     verdict->pc, *verdict->where ? " (" : "",
		     HPKM_VERDICT_WHERE, verdict->where,
		     *verdict->where ? ")" : "") > 0)
		return text;
	return strdup(words[word]);
}

static void take_verdict(struct hpkm_doubt *doubt,
			 struct hpkm_stack_verdict *verdict)
{
	struct hpkm_word *words = doubt->words.items;

	verdict->where[HPKM_VERDICT_WHERE - 1] = '\0';
	for (size_t i = 0; i < doubt->words.count; i++) {
		uint8_t word = i < HPKM_VERDICT_WORDS ? verdict->words[i] :
							HPKM_WORD_UNKNOWN;

		words[i].stale = word == HPKM_WORD_STALE;
		if (word < HPKM_WORD_STALE && !doubt->why)
			doubt->why = text_of(verdict, word);
	}
}

static void settle_process(struct look *look, int timeout_ms)
{
	const struct hpkm_confined work = {
		.open = open_process,
		.work = unwind_process,
		.data = look,
	};
	struct hpkm_stack_verdict *verdicts;
	ssize_t got;

	verdicts = calloc(look->count, sizeof(*verdicts));
	if (!verdicts)
		return;
	got = hpkm_confine(&work, verdicts, look->count * sizeof(*verdicts),
			   timeout_ms);
	for (size_t i = 0; i < look->count; i++) {
		/* Part of a verdict is none. */
		if (got > 0 && i < got / sizeof(*verdicts))
			take_verdict(look->doubts[i], &verdicts[i]);
		else
			look->doubts[i]->why = strdup("its stack was not unwound: it ran, it has ended, or that took too long");
	}
	free(verdicts);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool seen(const struct hpkm_doubt *doubts, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (doubts[i].pid == doubts[before].pid)
			return true;
	return false;
}

void hpkm_doubts_settle(struct hpkm_list *list)
{
	struct hpkm_doubt *doubts = list->items;
	struct look look = { .count = 0 };
	int64_t end = now_ms() + ALL_MS;

	look.doubts = calloc(list->count, sizeof(*look.doubts));
	if (!look.doubts)
		return;
	for (size_t i = 0; i < list->count; i++) {
		int64_t left = end - now_ms();

		if (seen(doubts, i) || left <= 0)
			continue;
		look.pid = doubts[i].pid;
		look.count = 0;
		for (size_t j = i; j < list->count; j++)
			if (doubts[j].pid == look.pid)
				look.doubts[look.count++] = &doubts[j];
		settle_process(&look, left < PROCESS_MS ? left : PROCESS_MS);
	}
	free(look.doubts);
}
