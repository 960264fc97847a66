// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 9: arm.  The pages of the target that will change are made private to
 * it (copy-on-write is broken: the file and other processes keep theirs) and
 * pinned, and their bytes compared with what is expected.  Inside the stop
 * all of that is compared once more, and only then written.
 *
 * access_process_vm() would fault and sleep, and takes a thread that may have
 * another mm by now; a pin names the mm and leaves the stop a plain store.
 * While a page is pinned, fork copies it at once, so a child never shares it.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "arch/arch.h"
#include "compat.h"
#include "text.h"
#include "walk.h"

/* Make room for one more entry in an array of @count entries of @size. */
static int grow(void **array, u32 *room, u32 count, size_t size)
{
	u32 more = *room ? *room * 2 : 16;
	void *bigger;

	if (count < *room)
		return 0;
	bigger = kvmalloc_array(more, size, GFP_KERNEL);
	if (!bigger)
		return -ENOMEM;
	if (count)
		memcpy(bigger, *array, count * size);
	kvfree(*array);
	*array = bigger;
	*room = more;
	return 0;
}

/* The kernel address of @address, its page pinned; callers go upwards. */
static void *pin(struct hpkm_text *text, const struct hpkm_target *target,
		 unsigned long address)
{
	struct hpkm_pin *p;
	int ret;

	for (u32 i = text->pin_count; i-- > 0;) {
		p = &text->pins[i];
		if (p->address == (address & PAGE_MASK))
			return page_address(p->page) + offset_in_page(address);
		/* Text ascends; slots are in one page, or in very few. */
		if (i + 4 < text->pin_count)
			break;
	}
	ret = grow((void **)&text->pins, &text->pin_room, text->pin_count,
		   sizeof(*text->pins));
	if (ret)
		return ERR_PTR(ret);
	p = &text->pins[text->pin_count];
	p->address = address & PAGE_MASK;
	mmap_read_lock(target->mm);
	ret = hpkm_target_pin(target, p->address, FOLL_FORCE, &p->page);
	mmap_read_unlock(target->mm);
	if (ret)
		return ERR_PTR(ret);
	text->pin_count++;
	return page_address(p->page) + offset_in_page(address);
}

/**
 * hpkm_text_edit() - plan to change text
 * @text: gets the edit
 * @target: claimed
 * @address: user address of the first byte
 * @before: what is there
 * @after: what shall be there
 * @size: bytes, at most HPKM_WINDOW_MAX
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0; -EILSEQ when other bytes are there; -ENOMEM; or why the page
 * can't be had for writing.
 */
int hpkm_text_edit(struct hpkm_text *text, const struct hpkm_target *target,
		   unsigned long address, const u8 *before, const u8 *after,
		   u32 size)
{
	while (size) {
		u32 part = min_t(u32, size,
				 PAGE_SIZE - offset_in_page(address));
		struct hpkm_edit *edit;
		u8 *at;
		int ret;

		at = pin(text, target, address);
		if (IS_ERR(at))
			return PTR_ERR(at);
		if (memcmp(at, before, part))
			return -EILSEQ;
		ret = grow((void **)&text->edits, &text->edit_room,
			   text->edit_count, sizeof(*text->edits));
		if (ret)
			return ret;
		edit = &text->edits[text->edit_count++];
		edit->at = at;
		edit->size = part;
		memcpy(edit->before, before, part);
		memcpy(edit->after, after, part);
		address += part;
		before += part;
		after += part;
		size -= part;
	}
	return 0;
}

/* @check: it must be what it is expected to be now, too. */
static int add_cell(struct hpkm_text *text, const struct hpkm_target *target,
		    unsigned long address, u64 before, u64 after, bool check)
{
	struct hpkm_cell *cell;
	u64 *at;
	int ret;

	at = pin(text, target, address);
	if (IS_ERR(at))
		return PTR_ERR(at);
	if (check && *at != before)
		return -EILSEQ;
	ret = grow((void **)&text->cells, &text->cell_room, text->cell_count,
		   sizeof(*text->cells));
	if (ret)
		return ret;
	cell = &text->cells[text->cell_count++];
	cell->at = at;
	cell->before = before;
	cell->after = after;
	return 0;
}

/**
 * hpkm_text_cell() - plan to change a slot
 * @text: gets the cell
 * @target: claimed
 * @address: user address of the slot, 8-byte aligned
 * @before: what is there
 * @after: what shall be there
 *
 * Context: Process context, no mmap_lock held.
 * Return: as hpkm_text_edit().
 */
int hpkm_text_cell(struct hpkm_text *text, const struct hpkm_target *target,
		   unsigned long address, u64 before, u64 after)
{
	return add_cell(text, target, address, before, after, true);
}

/**
 * hpkm_text_expect() - what a word must be in the stop
 * @text: gets it
 * @target: claimed
 * @address: user address of the word, 8-byte aligned
 * @value: what it must be; it stays as it is
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0; -ENOMEM; or why the page can't be had.
 */
int hpkm_text_expect(struct hpkm_text *text, const struct hpkm_target *target,
		     unsigned long address, u64 value)
{
	return add_cell(text, target, address, value, value, false);
}

/**
 * hpkm_text_release() - let go of the pages, changed or not
 * @text: zeroed, as at the beginning
 *
 * Context: Process context.
 */
void hpkm_text_release(struct hpkm_text *text)
{
	for (u32 i = 0; i < text->pin_count; i++)
		unpin_user_pages_dirty_lock(&text->pins[i].page, 1, true);
	kvfree(text->pins);
	kvfree(text->edits);
	kvfree(text->cells);
	memset(text, 0, sizeof(*text));
}

/**
 * hpkm_text_intact() - is everything as it was when it was pinned?
 * @text: of @mm
 * @mm: the address space
 *
 * A page that was unmapped, moved or exchanged (by the target itself, by a
 * uprobe, by a debugger that wrote a breakpoint) is found here.
 *
 * Context: Inside the stop, mmap_lock held for reading.
 */
bool hpkm_text_intact(const struct hpkm_text *text, struct mm_struct *mm)
{
	u32 i;

	for (i = 0; i < text->pin_count; i++) {
		const struct hpkm_pin *p = &text->pins[i];
		void *page;

		if (hpkm_walk(mm, p->address, &page) != HPKM_WALK_PRESENT ||
		    page != page_address(p->page))
			return false;
	}
	for (i = 0; i < text->edit_count; i++) {
		const struct hpkm_edit *e = &text->edits[i];

		if (memcmp(e->at, e->before, e->size))
			return false;
	}
	for (i = 0; i < text->cell_count; i++)
		if (*text->cells[i].at != text->cells[i].before)
			return false;
	return true;
}

/**
 * hpkm_text_commit() - change the bytes
 * @text: intact
 *
 * Slots first, then the jumps that go through them.  Every CPU is in the
 * stopper, so the order shows to nobody; it is kept so that the text never
 * holds a jump to nowhere.
 *
 * Context: Inside the stop.
 */
void hpkm_text_commit(const struct hpkm_text *text)
{
	u32 i;

	for (i = 0; i < text->cell_count; i++)
		WRITE_ONCE(*text->cells[i].at, text->cells[i].after);
	for (i = 0; i < text->edit_count; i++) {
		const struct hpkm_edit *e = &text->edits[i];

		memcpy(e->at, e->after, e->size);
		hpkm_arch_sync_text(e->at, e->size);
	}
}
