/* SPDX-License-Identifier: GPL-2.0 */
/* Code that no thread may be in when a target is switched. */
#ifndef _HPKM_RANGE_H
#define _HPKM_RANGE_H

#include <linux/types.h>

/**
 * struct hpkm_range - a piece of code, in one address space
 * @start: user address
 * @size: bytes
 * @window: so many bytes from @start on are about to be overwritten; 0: none
 * @body: an old version of a function: nobody may be anywhere in it
 * @entry_ok: but standing at @start is safe: the jump is there, or comes there
 * @called_ok: so it is if a call instruction brought the thread there
 * @ends_in_call: the last instruction is a call, so @start + @size is an
 *	address that it returns to
 * @removed: index of the removed patch (struct hpkm_removed) that it belongs
 *	to: it stays mapped while a thread is there, or may come there; -1
 * @func: what is there, for people; belongs to the patch
 */
struct hpkm_range {
	unsigned long start;
	unsigned long size;
	u32 window;
	bool body;
	bool entry_ok;
	bool called_ok;
	bool ends_in_call;
	s32 removed;
	const char *func;
};

/**
 * struct hpkm_ranges - what to look for in one address space
 * @range: in ascending order of start, without overlap
 * @count: of ranges
 * @low: no range starts below this address
 * @high: no range ends above it
 * @words: stacks must be scanned
 * @removed: some range belongs to a removed patch
 * @distance: bytes past the start of a range with a window where no thread
 *	may stand
 */
struct hpkm_ranges {
	struct hpkm_range *range;
	u32 count;
	unsigned long low, high;
	bool words;
	bool removed;
	u32 distance;
};

/**
 * enum hpkm_hit - what an address in a range means
 * @HPKM_HIT_NONE: nothing
 * @HPKM_HIT_KEEP: the removed patch that it belongs to stays mapped
 * @HPKM_HIT_BLOCK: the switch must not happen now
 */
enum hpkm_hit {
	HPKM_HIT_NONE,
	HPKM_HIT_KEEP,
	HPKM_HIT_BLOCK,
};

/* The quick part of hpkm_ranges_word(): can @word mean anything? */
static inline bool hpkm_ranges_near(const struct hpkm_ranges *ranges,
				    unsigned long word)
{
	return word >= ranges->low && word <= ranges->high;
}

void hpkm_ranges_finish(struct hpkm_ranges *ranges);
enum hpkm_hit hpkm_ranges_word(const struct hpkm_ranges *ranges,
			       unsigned long word,
			       const struct hpkm_range **range);
enum hpkm_hit hpkm_ranges_ip(const struct hpkm_ranges *ranges,
			     unsigned long ip,
			     const struct hpkm_range **range);

#endif /* _HPKM_RANGE_H */
