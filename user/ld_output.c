// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 3, link: what GNU ld made.  With --emit-relocs it has kept the
 * relocations, of which those become fixups whose value depends on where an
 * anchor or the image is loaded.
 */
#include <hpkm/image.h>
#include <stdlib.h>
#include <string.h>

#include "hpkm.h"
#include "ld.h"
#include "span.h"

static const struct hpkm_elf_section *output(const struct hpkm_link *link,
					     const struct hpkm_link_span *span,
					     int kind)
{
	const struct hpkm_elf_section *s;
	char name[32];

	hpkm_ld_section(name, sizeof(name), kind, span->object);
	s = hpkm_elf_section(&link->elf, name);
	return s && s->size ? s : NULL;
}

static void add_segment(struct hpkm_link *link, struct hpkm_link_span *span,
			enum hpkm_link_kind kind)
{
	const struct hpkm_elf_section *s = output(link, span, kind);
	const struct hpkm_elf_section *bss = NULL;
	uint64_t start = hpkm_span_start(span), end;
	uint32_t align = link->arch->align;
	struct hpkm_link_segment *seg;

	if (kind == HPKM_LINK_DATA)
		bss = output(link, span, HPKM_LINK_BSS);
	if (!s && !bss)
		return;
	link->segments = hpkm_arena_push(link->arena, link->segments,
					 link->segment_count, sizeof(*seg));
	seg = &link->segments[link->segment_count++];
	memset(seg, 0, sizeof(*seg));
	seg->span = span;
	seg->kind = kind;
	seg->mem_offset = ((s ? s->addr : bss->addr) - start) &
		~(uint64_t)(align - 1);
	if (s && s->data) {
		seg->data = s->data;
		seg->data_size = s->size;
	}
	end = bss ? bss->addr + bss->size : s->addr + s->size;
	seg->mem_size = hpkm_span_align(end - start - seg->mem_offset, align);
	if (seg->mem_offset + seg->mem_size > span->size)
		span->size = seg->mem_offset + seg->mem_size;
}

static int read_pieces(struct hpkm_link *link)
{
	/* ld keeps local symbols in the order of its input. */
	const struct hpkm_elf_symtab *t = &link->elf.symtab;
	size_t next = 0;

	for (size_t i = 1; i < t->count && next < link->piece_count; i++) {
		const struct hpkm_elf_symbol *s = &t->symbols[i];
		struct hpkm_link_piece *p = link->pieces[next];

		if ((s->type != STT_FUNC && s->type != STT_OBJECT) ||
		    strcmp(s->name, p->name) || s->size != p->item_size)
			continue;
		p->span_offset = s->value - p->item_offset -
			hpkm_span_start(p->span);
		next++;
	}
	if (next == link->piece_count)
		return 0;
	hpkm_error("the linker lost the symbol %s", link->pieces[next]->name);
	return -1;
}

static uint16_t fixup_kind(enum hpkm_rel rel)
{
	switch (rel) {
	case HPKM_REL_ABS64:
		return HPKM_FIXUP_ABS64;
	case HPKM_REL_ABS32:
		return HPKM_FIXUP_ABS32;
	case HPKM_REL_ABS32S:
		return HPKM_FIXUP_ABS32S;
	case HPKM_REL_PC64:
		return HPKM_FIXUP_PC64;
	default:
		return HPKM_FIXUP_PC32;
	}
}

/* The span whose anchor an address belongs to, or that it lies in. */
static const struct hpkm_link_span *span_of(const struct hpkm_link *link,
					    uint64_t address)
{
	const struct hpkm_link_span *best = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < link->span_count; i++) {
		const struct hpkm_link_span *span = &link->spans[i];
		uint64_t away = address > span->base ? address - span->base :
			span->base - address;

		if (span->piece_count && away < least) {
			least = away;
			best = span;
		}
	}
	return best;
}

static uint32_t segment_of(const struct hpkm_link *link, uint64_t address,
			   unsigned int size)
{
	const struct hpkm_link_span *span = span_of(link, address);
	uint64_t place = address - hpkm_span_start(span);
	uint32_t i;

	for (i = 0; i < link->segment_count; i++) {
		const struct hpkm_link_segment *s = &link->segments[i];

		if (s->span == span && place >= s->mem_offset &&
		    hpkm_inside(place - s->mem_offset, size, s->data_size))
			break;
	}
	return i;
}

static int add_fixup(struct hpkm_link *link, const Elf64_Rela *rela)
{
	enum hpkm_rel rel = link->arch->rel(ELF64_R_TYPE(rela->r_info));
	uint64_t sym = ELF64_R_SYM(rela->r_info);
	const struct hpkm_link_span *from, *to;
	const struct hpkm_elf_symbol *s;
	struct hpkm_link_fixup *f;
	uint32_t segment;
	bool anchored;

	if (sym >= link->elf.symtab.count || rel == HPKM_REL_UNKNOWN)
		return -1;
	s = &link->elf.symtab.symbols[sym];
	if (rel == HPKM_REL_NONE)
		return 0;
	anchored = s->section == HPKM_SECTION_ABS;
	from = span_of(link, rela->r_offset);
	to = span_of(link, s->value);
	if (!anchored && from == to && hpkm_rel_pcrel(rel))
		return 0;
	segment = segment_of(link, rela->r_offset, hpkm_rel_size(rel));
	if (segment == link->segment_count)
		return -1;
	link->fixups = hpkm_arena_push(link->arena, link->fixups,
				       link->fixup_count, sizeof(*f));
	f = &link->fixups[link->fixup_count++];
	if (anchored && s->value >= HPKM_EXTERN_BASE) {
		*f = (struct hpkm_link_fixup){
			.kind = fixup_kind(rel),
			.relative = HPKM_RELATIVE_EXTERN,
			.object = (s->value - HPKM_EXTERN_BASE) /
				HPKM_EXTERN_STEP,
			.segment = segment,
			.place = rela->r_offset - hpkm_span_start(from) -
				link->segments[segment].mem_offset,
			.addend = rela->r_addend,
		};
		return 0;
	}
	f->kind = fixup_kind(rel);
	f->relative = anchored ? HPKM_RELATIVE_OBJECT : HPKM_RELATIVE_SPAN;
	f->object = to->object;
	f->segment = segment;
	f->place = rela->r_offset - hpkm_span_start(from) -
		link->segments[segment].mem_offset;
	f->addend = s->value + rela->r_addend -
		(anchored ? to->base : hpkm_span_start(to));
	return 0;
}

/* What ld knows nothing of. */
static int add_copies(struct hpkm_link *link)
{
	for (size_t i = 0; i < link->copy_count; i++) {
		const struct hpkm_link_copy *from = &link->copies[i];
		const struct hpkm_link_span *span = from->piece->span;
		uint64_t place = from->piece->span_offset;
		uint32_t segment;

		segment = segment_of(link, hpkm_span_start(span) + place, 8);
		if (segment == link->segment_count)
			return -1;
		link->fixups = hpkm_arena_push(link->arena, link->fixups,
					       link->fixup_count,
					       sizeof(*link->fixups));
		link->fixups[link->fixup_count++] = (struct hpkm_link_fixup){
			.kind = HPKM_FIXUP_COPY64,
			.relative = HPKM_RELATIVE_OBJECT,
			.object = span->object,
			.segment = segment,
			.place = place - link->segments[segment].mem_offset,
			.addend = from->from - span->anchor->base,
		};
	}
	return 0;
}

static int compare_fixups(const void *x, const void *y)
{
	const struct hpkm_link_fixup *a = x, *b = y;

	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

int hpkm_ld_read(struct hpkm_link *link, const char *path)
{
	if (hpkm_elf_open(link->arena, &link->elf, path))
		return -1;
	for (size_t i = 0; i < link->span_count; i++) {
		struct hpkm_link_span *span = &link->spans[i];

		if (!span->piece_count)
			continue;
		add_segment(link, span, HPKM_LINK_TEXT);
		add_segment(link, span, HPKM_LINK_RODATA);
		add_segment(link, span, HPKM_LINK_DATA);
		add_segment(link, span, HPKM_LINK_FRESH);
	}
	if (read_pieces(link) || add_copies(link))
		return -1;
	for (size_t i = 1; i < link->elf.section_count; i++) {
		const struct hpkm_elf_section *s = &link->elf.sections[i];

		if (s->type != SHT_RELA || !s->data)
			continue;
		for (size_t k = 0; hpkm_inside(k, 24, s->size); k += 24) {
			Elf64_Rela rela;

			memcpy(&rela, s->data + k, sizeof(rela));
			if (add_fixup(link, &rela)) {
				hpkm_error("the linker kept a relocation that is not understood");
				return -1;
			}
		}
	}
	if (link->fixup_count)
		qsort(link->fixups, link->fixup_count, sizeof(*link->fixups),
		      compare_fixups);
	return 0;
}
