// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 4: how to unwind the new functions, for debuggers.
 *
 * The objects' .eh_frame says it for all functions of a file.  What it says of
 * those that were taken along goes into a .debug_frame, which holds plain
 * addresses and is in nobody's memory.  What can't be read is left out: nothing
 * that runs needs it.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <string.h>

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

/* One .eh_frame. */
struct source {
	struct hpkm_object *object;
	const struct hpkm_elf_section *section;
	Elf_Data data;
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

static bool get_uleb(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	unsigned int shift = 0;

	*value = 0;
	while (*at < end && shift < 64) {
		uint8_t byte = *(*at)++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
		shift += 7;
	}
	return false;
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

static unsigned int encoded_size(uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_sdata4:
	case DW_EH_PE_udata4:
		return 4;
	case DW_EH_PE_absptr:
	case DW_EH_PE_sdata8:
	case DW_EH_PE_udata8:
		return 8;
	}
	return 0;
}

/* Bytes of an address in the FDEs of a CIE; 0: not understood. */
static unsigned int address_size(const Dwarf_CIE *cie)
{
	const uint8_t *data = cie->augmentation_data;
	const uint8_t *end = data + cie->augmentation_data_size;

	if (!data || *cie->augmentation != 'z')
		return 0;
	for (const char *c = cie->augmentation + 1; *c; c++) {
		if (*c == 'S')
			continue;
		if (data >= end)
			return 0;
		if (*c == 'R')
			return encoded_size(*data);
		/* A personality's address, the encoding of another one. */
		if (*c == 'P')
			data += encoded_size(*data);
		else if (*c != 'L')
			return 0;
		data++;
	}
	return 0;
}

/* What the relocation at an offset of the section refers to, or NULL. */
static const struct hpkm_item *function_at(const struct source *s,
					   uint64_t place, uint64_t *offset)
{
	const struct hpkm_elf *elf = &s->object->elf;
	const struct hpkm_elf_symbol *symbol;
	const struct hpkm_item *item;
	size_t first, count;

	hpkm_object_relocs(s->object, s->section - elf->sections, place,
			   place + 1, &first, &count);
	if (!count || s->section->relocs[first].symbol >= elf->symtab.count)
		return NULL;
	symbol = &elf->symtab.symbols[s->section->relocs[first].symbol];
	if (symbol->section == HPKM_SECTION_UNDEF ||
	    symbol->section >= elf->section_count)
		return NULL;
	*offset = symbol->value + s->section->relocs[first].addend;
	for (item = s->object->of_section[symbol->section]; item;
	     item = item->next)
		if (*offset >= item->offset &&
		    *offset - item->offset < item->size)
			return item;
	return NULL;
}

static bool read_entry(const struct source *s, uint64_t at, uint64_t *next,
		       Dwarf_CFI_Entry *entry)
{
	return dwarf_next_cfi(s->object->elf.bytes, (Elf_Data *)&s->data, true,
			      at, next, entry) == 0;
}

static void put_fde(struct frames *f, const struct source *s,
		    const Dwarf_FDE *fde)
{
	struct hpkm_buffer *b = f->to;
	uint64_t place = fde->start - s->section->data, offset, next, skip;
	const struct hpkm_link_piece *piece;
	const uint8_t *at = fde->start;
	const struct hpkm_item *item;
	Dwarf_CFI_Entry cie;
	unsigned int size;
	size_t entry, of;

	item = function_at(s, place, &offset);
	if (!item || !item->piece || !hpkm_item_is_code(item) ||
	    !read_entry(s, fde->CIE_pointer, &next, &cie) ||
	    !dwarf_cfi_cie_p(&cie))
		return;
	size = address_size(&cie.cie);
	if (!size || (size_t)(fde->end - at) < 2 * size)
		return;
	at += 2 * size;
	if (!get_uleb(&at, fde->end, &skip) || skip > (size_t)(fde->end - at))
		return;
	at += skip;
	piece = item->piece;
	of = put_cie(f, &cie.cie);
	entry = begin_entry(b);
	put32(b, of);
	put64(b, piece->span->base + piece->span->distance +
	      piece->span_offset + piece->item_offset + offset - item->offset);
	put64(b, size == 4 ? hpkm_get32(fde->start + 4) :
	      hpkm_get64(fde->start + 8));
	hpkm_buffer_append(b, at, fde->end - at);
	end_entry(b, entry);
}

static void put_object(struct frames *f, struct hpkm_object *object)
{
	struct source s = { .object = object };
	Dwarf_CFI_Entry entry;
	uint64_t at = 0, next;

	s.section = hpkm_elf_section(&object->elf, ".eh_frame");
	if (!s.section || !s.section->data)
		return;
	s.data.d_buf = (void *)s.section->data;
	s.data.d_size = s.section->size;
	s.data.d_type = ELF_T_BYTE;
	s.data.d_version = EV_CURRENT;
	for (; read_entry(&s, at, &next, &entry); at = next)
		if (!dwarf_cfi_cie_p(&entry))
			put_fde(f, &s, &entry.fde);
}

void hpkm_frames(const struct hpkm_patch *patch, struct hpkm_buffer *frames)
{
	struct frames f = { .to = frames };

	for (size_t i = 0; i < patch->pair_count; i++)
		put_object(&f, &patch->pairs[i].new);
}
