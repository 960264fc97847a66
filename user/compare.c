// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff: are an old and a new item the same?  Where things stand in
 * their files, how labels and local symbols are numbered and in which pool a
 * string lies makes no difference.
 */
#include <string.h>

#include "compare.h"

#define DEPTH_MAX 16

struct compare {
	struct hpkm_object *old, *new;
	bool *damaged;
	bool refs_only;
};

static bool same_item(struct compare *c, struct hpkm_item *o,
		      struct hpkm_item *n, unsigned int depth);
static bool same_nameless(struct compare *c, const struct hpkm_ref *o,
			  const struct hpkm_ref *n, unsigned int depth);

static bool same_ref(struct compare *c, uint32_t os, size_t oi, uint32_t ns,
		     size_t ni, unsigned int depth)
{
	const struct hpkm_elf_section *a, *b;
	struct hpkm_ref o, n;
	uint64_t size;

	if (hpkm_object_ref(c->old, os, oi, &o) ||
	    hpkm_object_ref(c->new, ns, ni, &n)) {
		*c->damaged = true;
		return false;
	}
	if (o.kind != n.kind || o.delta != n.delta)
		return false;
	a = &c->old->elf.sections[o.section];
	b = &c->new->elf.sections[n.section];
	switch (o.kind) {
	case HPKM_REF_UNDEF:
		return o.offset == n.offset &&
			!strcmp(o.symbol->name, n.symbol->name);
	case HPKM_REF_ITEM:
		if (o.offset != n.offset || o.item->pair == n.item)
			return o.offset == n.offset;
		/* Constants without a pair are what they contain. */
		return !o.item->pair && !n.item->pair && depth < DEPTH_MAX &&
			n.item->kind == HPKM_ITEM_CONST &&
			hpkm_item_numbered(n.item) &&
			hpkm_item_same_base(o.item, n.item) &&
			same_item(c, o.item, n.item, depth + 1);
	case HPKM_REF_ABSOLUTE:
		return o.offset == n.offset;
	case HPKM_REF_STRING:
		size = hpkm_string_size(a, o.offset);
		return size == hpkm_string_size(b, n.offset) &&
			!memcmp(a->data + o.offset, b->data + n.offset, size);
	case HPKM_REF_CONSTANT:
		if (a->entsize != b->entsize ||
		    o.offset % a->entsize != n.offset % b->entsize)
			return false;
		return !memcmp(a->data + o.offset - o.offset % a->entsize,
			       b->data + n.offset - n.offset % b->entsize,
			       a->entsize);
	case HPKM_REF_SECTION:
		return same_nameless(c, &o, &n, depth + 1);
	}
	return false;
}

/* Compares [o_off, o_off + size) with [n_off, n_off + size). */
static bool same_range(struct compare *c, uint32_t os, uint64_t o_off,
		       uint32_t ns, uint64_t n_off, uint64_t size,
		       unsigned int depth)
{
	const struct hpkm_elf_section *a = &c->old->elf.sections[os];
	const struct hpkm_elf_section *b = &c->new->elf.sections[ns];
	bool refs_only = c->refs_only && !depth;
	size_t oi, ni, o_count, n_count;
	uint64_t at = 0, place, end;

	hpkm_object_relocs(c->old, os, o_off, o_off + size, &oi, &o_count);
	hpkm_object_relocs(c->new, ns, n_off, n_off + size, &ni, &n_count);
	if (o_count != n_count)
		return false;
	for (size_t i = 0; i <= o_count; i++) {
		place = size;
		end = size;
		if (i < o_count) {
			const struct hpkm_elf_reloc *r = &a->relocs[oi + i];
			const struct hpkm_elf_reloc *s = &b->relocs[ni + i];

			place = r->offset - o_off;
			if (s->offset - n_off != place || r->type != s->type)
				return false;
			end = place + hpkm_rel_size(c->old->arch->rel(r->type));
		}
		/* Zeros, and maybe a great many of them. */
		if (((!a->data && !b->data) || refs_only) && at < place)
			at = place;
		for (; at < place; at++)
			if ((a->data ? a->data[o_off + at] : 0) !=
			    (b->data ? b->data[n_off + at] : 0))
				return false;
		if (at < end)
			at = end;
		if (i < o_count &&
		    !same_ref(c, os, oi + i, ns, ni + i, depth))
			return false;
	}
	return true;
}

/* Parts of sections that no symbol names: jump tables, mostly. */
static bool same_nameless(struct compare *c, const struct hpkm_ref *o,
			  const struct hpkm_ref *n, unsigned int depth)
{
	const struct hpkm_elf_section *a = &c->old->elf.sections[o->section];
	const struct hpkm_elf_section *b = &c->new->elf.sections[n->section];
	uint64_t o_end, n_end;

	if (depth > DEPTH_MAX || a->flags != b->flags || a->type != b->type)
		return false;
	if (o->offset < 0 || n->offset < 0 ||
	    (uint64_t)o->offset >= a->size || (uint64_t)n->offset >= b->size)
		/* Beside it: then all of it has to be the same. */
		return o->offset == n->offset && a->size == b->size &&
			same_range(c, o->section, 0, n->section, 0, a->size,
				   depth);
	hpkm_object_extent(c->old, o->section, o->offset, &o_end);
	hpkm_object_extent(c->new, n->section, n->offset, &n_end);
	return o_end - o->offset == n_end - n->offset &&
		same_range(c, o->section, o->offset, n->section, n->offset,
			   o_end - o->offset, depth);
}

static bool same_common(const struct hpkm_item *o, const struct hpkm_item *n)
{
	const struct hpkm_item *other =
		o->section == HPKM_SECTION_COMMON ? n : o;
	const uint8_t *bytes = hpkm_item_bytes(other);

	for (uint64_t i = 0; bytes && i < other->size; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool same_item(struct compare *c, struct hpkm_item *o,
		      struct hpkm_item *n, unsigned int depth)
{
	if (o->size != n->size)
		return false;
	if (o->section == HPKM_SECTION_COMMON ||
	    n->section == HPKM_SECTION_COMMON)
		return same_common(o, n);
	return same_range(c, o->section, o->offset, n->section, n->offset,
			  o->size, depth);
}

bool hpkm_same_item(struct hpkm_item *o, struct hpkm_item *n, bool *damaged)
{
	struct compare c = {
		.old = o->object, .new = n->object, .damaged = damaged,
	};

	return same_item(&c, o, n, 0);
}

bool hpkm_same_refs(struct hpkm_item *o, struct hpkm_item *n, bool *damaged)
{
	struct compare c = {
		.old = o->object, .new = n->object, .damaged = damaged,
		.refs_only = true,
	};

	return same_item(&c, o, n, 0);
}
