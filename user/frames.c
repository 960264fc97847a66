// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 4: how to unwind the new functions, for debuggers.
 *
 * The objects' .eh_frame says it for all functions of a file.  What it says of
 * those that were taken along goes into a .debug_frame, which holds plain
 * addresses and is in nobody's memory.  What can't be read is left out: nothing
 * that runs needs it.
 */
#include <string.h>

#include "ehframe.h"
#include "frames.h"
#include "link.h"

/* DW_CIE_ID of the 32-bit format, in a .debug_frame. */
#define CIE_ID		0xffffffff
#define CIE_VERSION	4

/* What is being written, and where in it the CIEs are. */
struct frames {
	struct hpkm_buffer *to;
	size_t *cies;
	size_t cie_count;
};

static void put8(struct hpkm_buffer *b, uint8_t value)
{
	hpkm_buffer_append(b, &value, 1);
}

static void put32(struct hpkm_buffer *b, uint32_t value)
{
	uint8_t bytes[4];

	hpkm_put32(bytes, value);
	hpkm_buffer_append(b, bytes, sizeof(bytes));
}

static void put64(struct hpkm_buffer *b, uint64_t value)
{
	uint8_t bytes[8];

	hpkm_put64(bytes, value);
	hpkm_buffer_append(b, bytes, sizeof(bytes));
}

static void put_uleb(struct hpkm_buffer *b, uint64_t value)
{
	do {
		put8(b, (value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
}

static void put_sleb(struct hpkm_buffer *b, int64_t value)
{
	bool more = true;

	while (more) {
		uint8_t byte = value & 0x7f;

		value >>= 7;
		more = !(value == 0 && !(byte & 0x40)) &&
			!(value == -1 && (byte & 0x40));
		put8(b, byte | (more ? 0x80 : 0));
	}
}

/* Each entry begins with its length, and is as long as addresses want it. */
static size_t begin_entry(struct hpkm_buffer *b)
{
	return hpkm_buffer_append(b, NULL, 4);
}

/* The bytes that fill it up are DW_CFA_nop. */
static void end_entry(struct hpkm_buffer *b, size_t entry)
{
	hpkm_buffer_align(b, 8);
	hpkm_put32(b->bytes + entry, b->size - entry - 4);
}

/* Returns the entry's offset; an equal one that is there already serves. */
static size_t put_cie(struct frames *f, const Dwarf_CIE *cie)
{
	struct hpkm_buffer *b = f->to;
	size_t entry = begin_entry(b);

	put32(b, CIE_ID);
	put8(b, CIE_VERSION);
	put8(b, 0);			/* no augmentation */
	put8(b, 8);			/* bytes of an address */
	put8(b, 0);			/* bytes of a segment's selector */
	put_uleb(b, cie->code_alignment_factor);
	put_sleb(b, cie->data_alignment_factor);
	put_uleb(b, cie->return_address_register);
	hpkm_buffer_append(b, cie->initial_instructions,
			   cie->initial_instructions_end -
			   cie->initial_instructions);
	end_entry(b, entry);
	for (size_t i = 0; i < f->cie_count; i++) {
		/* Its length is the first thing compared. */
		if (memcmp(b->bytes + f->cies[i], b->bytes + entry,
			   b->size - entry))
			continue;
		b->size = entry;
		return f->cies[i];
	}
	f->cies = hpkm_arena_push(b->arena, f->cies, f->cie_count,
				  sizeof(*f->cies));
	f->cies[f->cie_count++] = entry;
	return entry;
}

static void put_fde(const struct hpkm_eh_frame *from, void *data)
{
	struct frames *f = data;
	struct hpkm_buffer *b = f->to;
	const struct hpkm_link_piece *piece;
	size_t entry, of;

	if (!from->item->piece || !hpkm_item_is_code(from->item))
		return;
	piece = from->item->piece;
	of = put_cie(f, &from->cie);
	entry = begin_entry(b);
	put32(b, of);
	put64(b, piece->span->base + piece->span->distance +
	      piece->span_offset + piece->item_offset + from->offset);
	put64(b, from->length);
	hpkm_buffer_append(b, from->instructions,
			   from->end - from->instructions);
	end_entry(b, entry);
}

void hpkm_frames(const struct hpkm_patch *patch, struct hpkm_buffer *frames)
{
	struct frames f = { .to = frames };

	for (size_t i = 0; i < patch->pair_count; i++)
		hpkm_eh_frames(&patch->pairs[i].new, put_fde, &f);
}
