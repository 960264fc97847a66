/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 9: bytes of the target that the commit will change. */
#ifndef _HPKM_TEXT_H
#define _HPKM_TEXT_H

#include "target.h"

/**
 * struct hpkm_pin - a page of the target that stays in memory
 * @address: user address of the page
 * @page: private to the target, pinned
 */
struct hpkm_pin {
	unsigned long address;
	struct page *page;
};

/**
 * struct hpkm_edit - bytes within one page of text
 * @at: kernel address
 * @size: bytes
 * @before: what must be there
 * @after: what shall be there
 */
struct hpkm_edit {
	u8 *at;
	u32 size;
	u8 before[HPKM_WINDOW_MAX];
	u8 after[HPKM_WINDOW_MAX];
};

/**
 * struct hpkm_cell - a slot of an update table
 * @at: kernel address, 8-byte aligned
 * @before: what must be there
 * @after: what shall be there
 */
struct hpkm_cell {
	u64 *at;
	u64 before;
	u64 after;
};

/* Zeroed to begin with.  Rooms are numbers of entries allocated. */
struct hpkm_text {
	struct hpkm_pin *pins;
	struct hpkm_edit *edits;
	struct hpkm_cell *cells;
	u32 pin_count, pin_room;
	u32 edit_count, edit_room;
	u32 cell_count, cell_room;
};

int hpkm_text_edit(struct hpkm_text *text, const struct hpkm_target *target,
		   unsigned long address, const u8 *before, const u8 *after,
		   u32 size);
int hpkm_text_cell(struct hpkm_text *text, const struct hpkm_target *target,
		   unsigned long address, u64 before, u64 after);
int hpkm_text_expect(struct hpkm_text *text, const struct hpkm_target *target,
		     unsigned long address, u64 value);
void hpkm_text_release(struct hpkm_text *text);

/* Inside the stop. */
bool hpkm_text_intact(const struct hpkm_text *text, struct mm_struct *mm);
void hpkm_text_commit(const struct hpkm_text *text);

#endif /* _HPKM_TEXT_H */
