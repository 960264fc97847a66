// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: pieces, which is what the image is made of.
 *
 * A function, a variable, a string, a constant: each is made a piece when
 * something first refers to it.  Cells and stubs are pieces that no object
 * file has.
 */
#include <string.h>

#include "hook.h"
#include "piece.h"

struct hpkm_cell {
	enum hpkm_cell_kind kind;
	struct hpkm_link_piece *to;
	uint64_t value;
	bool copied;		/* of a slot; value is the offset */
	struct hpkm_link_piece *piece;
};

static enum hpkm_link_kind piece_kind(const struct hpkm_elf_section *s)
{
	if (s->flags & SHF_EXECINSTR)
		return HPKM_LINK_TEXT;
	/* include/hpkm/patch.h puts only zeros there. */
	if (!strcmp(s->name, HPKM_HOOK_FRESH_SECTION))
		return HPKM_LINK_FRESH;
	/* Constants with addresses in them are only written by fixups. */
	if (!(s->flags & SHF_WRITE) || !strncmp(s->name, ".data.rel.ro", 12))
		return HPKM_LINK_RODATA;
	return s->data ? HPKM_LINK_DATA : HPKM_LINK_BSS;
}

static struct hpkm_link_piece *
add_piece(struct hpkm_closure *c, struct hpkm_object *o, uint32_t section,
	  uint64_t start, uint64_t end, const char *name)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	struct hpkm_link_piece *piece;
	uint64_t align = s->align;

	/* A slice stands as it stood, modulo the section's alignment. */
	while (align > 1 && start & (align - 1))
		align /= 2;
	piece = hpkm_link_add(c->link, c->span, name, piece_kind(s), align,
			      s->data ? s->data + start : NULL, end - start);
	c->work = hpkm_arena_push(c->patch->arena, c->work, c->work_count,
				  sizeof(*c->work));
	c->work[c->work_count++] = (struct hpkm_taken){
		.piece = piece,
		.object = o,
		.section = section,
		.start = start,
		.end = end,
		.name = name,
	};
	return piece;
}

struct hpkm_link_piece *hpkm_piece_item(struct hpkm_closure *c,
					struct hpkm_item *item)
{
	uint64_t start = item->offset, end = start + item->size;

	if (item->piece)
		return item->piece;
	if (item->section == HPKM_SECTION_COMMON) {
		/* The value of a common symbol is its alignment. */
		uint64_t align = item->symbol->value;

		if (!align || align & (align - 1) || align > 1 << 24)
			align = 16;
		item->piece = hpkm_link_add(c->link, c->span, item->name,
					    HPKM_LINK_BSS, align, NULL,
					    item->size);
		return item->piece;
	}
	if (item->alone) {
		start = 0;
		end = hpkm_item_section(item)->size;
	}
	item->piece = add_piece(c, item->object, item->section, start, end,
				item->name);
	item->piece->item_offset = item->offset - start;
	item->piece->item_size = item->size;
	return item->piece;
}

struct hpkm_link_piece *hpkm_piece_section(struct hpkm_closure *c,
					   struct hpkm_object *o,
					   uint32_t section)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];

	if (!o->section_piece[section]) {
		o->section_piece[section] =
			add_piece(c, o, section, 0, s->size, s->name);
		c->work[c->work_count - 1].nameless = true;
	}
	return o->section_piece[section];
}

struct hpkm_link_piece *hpkm_piece_pool(struct hpkm_closure *c,
					const struct hpkm_elf_section *s,
					uint64_t start, uint64_t size)
{
	struct hpkm_link_piece *piece;

	for (size_t i = 0; i < c->pool_count; i++) {
		piece = c->pool[i];
		if (piece->size == size && piece->align >= s->align &&
		    !memcmp(piece->data, s->data + start, size))
			return piece;
	}
	piece = hpkm_link_add(c->link, c->span, s->name, HPKM_LINK_RODATA,
			      s->align, s->data + start, size);
	c->pool = hpkm_arena_push(c->patch->arena, c->pool, c->pool_count,
				  sizeof(*c->pool));
	c->pool[c->pool_count++] = piece;
	return piece;
}

struct hpkm_link_piece *hpkm_piece_cell(struct hpkm_closure *c,
					enum hpkm_cell_kind kind,
					const struct hpkm_place *to,
					uint64_t value)
{
	const struct hpkm_arch *arch = c->anchor->arch;
	struct hpkm_link_piece *piece, *target = NULL;
	struct hpkm_link_reloc *r;
	uint8_t bytes[8] = { 0 };

	if (to && (to->kind == HPKM_PLACE_PIECE ||
		   to->kind == HPKM_PLACE_OTHER)) {
		target = to->piece;
		value = to->offset;
	}
	if (kind == HPKM_CELL_ADDRESS && to->kind == HPKM_PLACE_EXTERN)
		kind = HPKM_CELL_EXTERN;
	for (size_t i = 0; i < c->cell_count; i++)
		if (c->cells[i].kind == kind && c->cells[i].to == target &&
		    c->cells[i].value == value && !c->cells[i].copied)
			return c->cells[i].piece;
	if (kind == HPKM_CELL_TPOFF)
		hpkm_put64(bytes, value);
	if (kind == HPKM_CELL_STUB)
		piece = hpkm_link_add(c->link, c->span, hpkm_arena_printf
				      (c->patch->arena, "%s@plt", to->name),
				      HPKM_LINK_TEXT, 8, arch->stub,
				      arch->stub_size);
	else
		piece = hpkm_link_add(c->link, c->span, hpkm_arena_printf
				      (c->patch->arena, "%s@got", to->name),
				      HPKM_LINK_RODATA, 8, bytes, 8);
	if (kind != HPKM_CELL_TPOFF) {
		r = hpkm_link_add_reloc(c->link, piece);
		r->offset = kind == HPKM_CELL_STUB ? arch->stub_place : 0;
		r->type = kind == HPKM_CELL_STUB ? arch->type_pc32 :
			arch->type_abs64;
		r->addend = kind == HPKM_CELL_STUB ? arch->stub_addend : 0;
		r->to = target;
		r->name = to->name;
		r->is_extern = kind == HPKM_CELL_EXTERN;
		if (target)
			r->addend += to->offset;
		else
			r->value = value;
	}
	c->cells = hpkm_arena_push(c->patch->arena, c->cells, c->cell_count,
				   sizeof(*c->cells));
	c->cells[c->cell_count++] = (struct hpkm_cell){
		.kind = kind, .to = target, .value = value, .piece = piece,
	};
	return piece;
}

struct hpkm_link_piece *hpkm_piece_tls(struct hpkm_closure *c,
				       enum hpkm_cell_kind kind,
				       const char *name,
				       const struct hpkm_tls_cell *cell,
				       uint64_t value)
{
	struct hpkm_link_piece *piece;
	uint8_t bytes[16] = { 0 };

	for (size_t i = 0; i < c->cell_count; i++)
		if (c->cells[i].kind == kind && c->cells[i].copied &&
		    c->cells[i].value == value)
			return c->cells[i].piece;
	hpkm_put64(bytes, cell->add);
	hpkm_put64(bytes + 8, value);
	piece = hpkm_link_add(c->link, c->span, hpkm_arena_printf
			      (c->patch->arena, "%s@tls", name),
			      HPKM_LINK_RODATA, 8, bytes,
			      kind == HPKM_CELL_TLS_PAIR ? 16 : 8);
	hpkm_link_copy(c->link, piece, cell->copy);
	c->cells = hpkm_arena_push(c->patch->arena, c->cells, c->cell_count,
				   sizeof(*c->cells));
	c->cells[c->cell_count++] = (struct hpkm_cell){
		.kind = kind, .copied = true, .value = value, .piece = piece,
	};
	return piece;
}
