/* SPDX-License-Identifier: GPL-2.0 */
/* Reading page tables while nothing can change them. */
#ifndef _HPKM_WALK_H
#define _HPKM_WALK_H

#include <linux/mm_types.h>

enum hpkm_walk_status {
	HPKM_WALK_PRESENT,	/* a page of memory is mapped there */
	HPKM_WALK_NONE,		/* nothing */
	HPKM_WALK_ZEROS,	/* the page of zeros */
	HPKM_WALK_GUARD,	/* MADV_GUARD_INSTALL: an access is an error */
	HPKM_WALK_ABSENT,	/* swapped out, in migration, or not memory */
};

enum hpkm_walk_status hpkm_walk(struct mm_struct *mm, unsigned long address,
				void **page);
unsigned long hpkm_walk_next(struct mm_struct *mm, unsigned long address,
			     unsigned long end);
bool hpkm_walk_read(struct mm_struct *mm, unsigned long address, void *to,
		    size_t size);

#endif /* _HPKM_WALK_H */
