// SPDX-License-Identifier: GPL-2.0
/* Code that no thread may be in: what an address that a thread has means. */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/sort.h>

#include <hpkm/image.h>

#include "arch/arch.h"
#include "range.h"

static int by_start(const void *a, const void *b)
{
	const struct hpkm_range *l = a, *r = b;

	return l->start < r->start ? -1 : l->start > r->start;
}

/**
 * hpkm_ranges_finish() - all ranges are there: make them ready for use
 * @ranges: range, count and distance are set
 */
void hpkm_ranges_finish(struct hpkm_ranges *ranges)
{
	u32 i;

	sort(ranges->range, ranges->count, sizeof(*ranges->range), by_start,
	     NULL);
	ranges->low = ULONG_MAX;
	ranges->high = 0;
	ranges->words = false;
	ranges->removed = false;
	for (i = 0; i < ranges->count; i++) {
		const struct hpkm_range *r = &ranges->range[i];
		unsigned long size = max3(r->size, 2UL * HPKM_WINDOW_MAX,
					  (unsigned long)ranges->distance);

		ranges->low = min(ranges->low, r->start);
		ranges->high = max(ranges->high, r->start + size);
		if (r->body || r->window || r->removed >= 0)
			ranges->words = true;
		if (r->removed >= 0)
			ranges->removed = true;
	}
}

/* The last range that starts at or below @address; NULL when none does. */
static const struct hpkm_range *last_below(const struct hpkm_ranges *ranges,
					   unsigned long address)
{
	u32 low = 0, high = ranges->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (ranges->range[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &ranges->range[low - 1] : NULL;
}

static enum hpkm_hit word_in(const struct hpkm_range *r, unsigned long offset)
{
	bool inside = offset < r->size ||
		      (r->ends_in_call && offset == r->size);

	/* No call returns to a first instruction: that is a pointer. */
	if (offset && ((r->body && inside) || offset < r->window))
		return HPKM_HIT_BLOCK;
	return r->removed >= 0 && inside ? HPKM_HIT_KEEP : HPKM_HIT_NONE;
}

/**
 * hpkm_ranges_word() - what a word that a thread has means
 * @ranges: finished
 * @word: from its stack, or from a register other than the instruction pointer
 * @range: gets where it leads, unless the answer is HPKM_HIT_NONE
 *
 * Context: Any.
 */
enum hpkm_hit hpkm_ranges_word(const struct hpkm_ranges *ranges,
			       unsigned long word,
			       const struct hpkm_range **range)
{
	const struct hpkm_range *r;
	enum hpkm_hit hit;

	if (!hpkm_ranges_near(ranges, word))
		return HPKM_HIT_NONE;
	r = last_below(ranges, word);
	if (!r)
		return HPKM_HIT_NONE;
	*range = r;
	hit = word_in(r, word - r->start);
	/* The first byte of one may be the end of the one before. */
	if (hit != HPKM_HIT_BLOCK && word == r->start && r > ranges->range) {
		const struct hpkm_range *before = r - 1;
		enum hpkm_hit other = word_in(before, word - before->start);

		if (other > hit) {
			*range = before;
			hit = other;
		}
	}
	return hit;
}

static enum hpkm_hit ip_in(const struct hpkm_ranges *ranges,
			   const struct hpkm_range *r, unsigned long offset)
{
	if (!offset && r->entry_ok)
		return r->removed >= 0 ? HPKM_HIT_KEEP : HPKM_HIT_NONE;
	/* A system call behind the window may be restarted inside it. */
	if (r->window && (offset < r->window + hpkm_arch_restart_size() ||
			  offset < ranges->distance))
		return HPKM_HIT_BLOCK;
	if (offset >= r->size)
		return HPKM_HIT_NONE;
	if (r->body)
		return HPKM_HIT_BLOCK;
	return r->removed >= 0 ? HPKM_HIT_KEEP : HPKM_HIT_NONE;
}

/**
 * hpkm_ranges_ip() - what the instruction pointer of a thread means
 * @ranges: finished
 * @ip: its instruction pointer
 * @range: gets where it is, unless the answer is HPKM_HIT_NONE
 *
 * Context: Any.
 */
enum hpkm_hit hpkm_ranges_ip(const struct hpkm_ranges *ranges,
			     unsigned long ip, const struct hpkm_range **range)
{
	const struct hpkm_range *r = last_below(ranges, ip);
	enum hpkm_hit hit = HPKM_HIT_NONE;

	/* Of short functions, the distance reaches beyond the next one. */
	for (; r && r >= ranges->range; r--) {
		unsigned long offset = ip - r->start;
		enum hpkm_hit other = ip_in(ranges, r, offset);

		if (other > hit) {
			*range = r;
			hit = other;
		}
		if (offset >= max_t(unsigned long, ranges->distance,
				    2 * HPKM_WINDOW_MAX))
			break;
	}
	return hit;
}
