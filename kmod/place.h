/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 8: images and update tables in an address space. */
#ifndef _HPKM_PLACE_H
#define _HPKM_PLACE_H

#include "state.h"
#include "target.h"

int hpkm_place_map(const struct hpkm_target *target, struct hpkm_place *place,
		   char *why, size_t why_size);
void hpkm_place_unmap(const struct hpkm_target *target,
		      const struct hpkm_place *place);

int hpkm_table_map(const struct hpkm_target *target, unsigned long base,
		   u64 size, struct hpkm_table *table);
void hpkm_table_unmap(const struct hpkm_target *target,
		      const struct hpkm_table *table);
bool hpkm_table_reaches(const struct hpkm_table *table, unsigned long base,
			u64 size);

bool hpkm_place_is_own(const struct vm_area_struct *vma);
struct hpkm_state *hpkm_state_of(struct mm_struct *mm);

/* Inside the stop, with the target's mmap_lock held for reading. */
bool hpkm_place_intact(struct mm_struct *mm, const struct hpkm_place *place);
bool hpkm_table_intact(struct mm_struct *mm, const struct hpkm_table *table,
		       const struct hpkm_state *state);
void hpkm_place_inherit(struct mm_struct *mm, const struct hpkm_place *place,
			bool inherit);
struct hpkm_state *hpkm_table_show(struct mm_struct *mm,
				   const struct hpkm_table *table,
				   struct hpkm_state *state, bool inherit);

int hpkm_place_init(void);

#endif /* _HPKM_PLACE_H */
