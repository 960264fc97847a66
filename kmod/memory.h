/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a target, before the stop and inside it. */
#ifndef _HPKM_MEMORY_H
#define _HPKM_MEMORY_H

#include <linux/mm_types.h>

#include "target.h"

/**
 * struct hpkm_memory - how memory of a target is read now
 * @target: whose
 * @stopped: inside the stop, its mmap_lock held for reading: pages are found
 *	by walking the page tables.  Else outside, no mmap_lock held
 * @page: outside, a buffer of PAGE_SIZE bytes for hpkm_memory_words()
 */
struct hpkm_memory {
	const struct hpkm_target *target;
	bool stopped;
	void *page;
};

/**
 * struct hpkm_area - a mapping of the target
 * @start: user address
 * @end: the first address behind it
 * @file: what is mapped, only to be compared; NULL for anonymous memory
 * @pgoff: page of that at @start
 * @readable: for the target itself
 * @grows: downwards, as the first thread's stack
 * @zeros: pages that are not there may be taken for zeros
 */
struct hpkm_area {
	unsigned long start;
	unsigned long end;
	const struct file *file;
	unsigned long pgoff;
	bool readable;
	bool grows;
	bool zeros;
};

enum hpkm_memory_status {
	HPKM_MEMORY_READ,	/* here they are */
	HPKM_MEMORY_ZEROS,	/* it would be all zeros */
	HPKM_MEMORY_GUARD,	/* nobody's: what is below it ends here */
	HPKM_MEMORY_ABSENT,	/* not there now; may be faulted in */
	HPKM_MEMORY_UNREADABLE,	/* it is there, but not for the kernel */
};

void hpkm_memory_describe(const struct vm_area_struct *vma,
			  struct hpkm_area *area);
bool hpkm_memory_area(const struct hpkm_memory *memory, unsigned long address,
		      struct hpkm_area *area);
bool hpkm_memory_continue(const struct hpkm_memory *memory,
			  struct hpkm_area *area);
enum hpkm_memory_status hpkm_memory_words(const struct hpkm_memory *memory,
					  const struct hpkm_area *area,
					  unsigned long address, size_t count,
					  const u64 **words);
bool hpkm_memory_read(const struct hpkm_memory *memory, unsigned long address,
		      void *to, size_t size);

#endif /* _HPKM_MEMORY_H */
