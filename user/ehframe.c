// SPDX-License-Identifier: GPL-2.0
/* What the .eh_frame of a relocatable file says of its functions. */
#include <dwarf.h>

#include "ehframe.h"

/* One .eh_frame. */
struct source {
	struct hpkm_object *object;
	const struct hpkm_elf_section *section;
	Elf_Data data;
};

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

static bool read_fde(const struct source *s, const Dwarf_FDE *fde,
		     struct hpkm_eh_frame *to)
{
	uint64_t place = fde->start - s->section->data, next, skip;
	const uint8_t *at = fde->start;
	Dwarf_CFI_Entry cie;
	unsigned int size;

	to->item = function_at(s, place, &to->offset);
	if (!to->item || !read_entry(s, fde->CIE_pointer, &next, &cie) ||
	    !dwarf_cfi_cie_p(&cie))
		return false;
	size = address_size(&cie.cie);
	if (!size || (size_t)(fde->end - at) < 2 * size)
		return false;
	at += 2 * size;
	if (!get_uleb(&at, fde->end, &skip) || skip > (size_t)(fde->end - at))
		return false;
	to->offset -= to->item->offset;
	to->cie = cie.cie;
	to->length = size == 4 ? hpkm_get32(fde->start + 4) :
		hpkm_get64(fde->start + 8);
	to->instructions = at + skip;
	to->end = fde->end;
	return true;
}

void hpkm_eh_frames(struct hpkm_object *object,
		    void (*visit)(const struct hpkm_eh_frame *, void *),
		    void *data)
{
	struct source s = { .object = object };
	struct hpkm_eh_frame frame;
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
		if (!dwarf_cfi_cie_p(&entry) &&
		    read_fde(&s, &entry.fde, &frame))
			visit(&frame, data);
}
