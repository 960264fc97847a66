// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3, of a proof: does a field of the anchor's code lead to
 * what the old object's relocation names?
 */
#include <stdint.h>
#include <string.h>

#include "candidates.h"
#include "proof_ref.h"
#include "tls.h"

/* Index of the instruction that an offset leads to; padding leads on. */
static size_t lead_to(const uint32_t *list, size_t count, uint64_t offset)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list[mid] < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Does an address of the anchor correspond to an offset in the section? */
static bool corresponds(const struct hpkm_proof *p, uint64_t o_offset,
			uint64_t t_addr)
{
	if (t_addr < p->addr || t_addr - p->addr > p->size)
		return false;
	return lead_to(p->o_list, p->list_count, o_offset) ==
		lead_to(p->t_list, p->list_count, t_addr - p->addr);
}

static bool note_item(struct hpkm_proof *p, struct hpkm_item *item,
		      uint64_t addr)
{
	if (item->live_known)
		return item->live == addr;
	for (size_t i = 0; i < p->found_count; i++)
		if (p->found[i].item == item)
			return p->found[i].addr == addr;
	p->found = hpkm_arena_push(p->patch->arena, p->found, p->found_count,
				   sizeof(*p->found));
	p->found[p->found_count++] = (struct hpkm_evidence){ item, addr };
	return true;
}

/* ---- what a reference may lead to ---- */

static bool has_address(const struct hpkm_candidates *all, uint64_t addr)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i]->addr == addr)
			return true;
	return false;
}

static bool is_candidate(struct hpkm_item *item, uint64_t addr)
{
	const struct hpkm_candidates *all = hpkm_candidates(item);

	if (has_address(all, addr))
		return true;
	if (hpkm_item_numbered(item)) {
		all = hpkm_candidates_numbered(item);
		if (has_address(all, addr))
			return true;
	}
	/* Without a symbol the field is all there is to go by. */
	return !all->count &&
		(!item->global || item->object->anchor->partial);
}

/* Is the address one of the code of a candidate? */
static bool is_inside(struct hpkm_item *item, uint64_t addr)
{
	const struct hpkm_candidates *all = hpkm_candidates(item);

	if (!all->count)
		all = hpkm_candidates_numbered(item);
	for (size_t i = 0; i < all->count; i++)
		if (addr >= all->list[i]->addr &&
		    addr - all->list[i]->addr <= all->list[i]->size)
			return true;
	return !all->count;
}

static const struct hpkm_anchor_slot *plt_at(const struct hpkm_anchor *a,
					     uint64_t addr)
{
	for (size_t i = 0; addr && i < a->slot_count; i++)
		if (a->slots[i].plt == addr)
			return &a->slots[i];
	return NULL;
}

/* ---- references ---- */

/* A table of places in the function, or other constants without a name. */
static bool same_table(struct hpkm_proof *p, uint32_t section, int64_t offset,
		       uint64_t t_addr)
{
	const struct hpkm_elf_section *s = &p->object->elf.sections[section];
	uint64_t start = offset < 0 ? 0 : offset, end, at;
	const uint8_t *bytes;
	size_t first, count;

	if (start >= s->size || !s->data ||
	    (s->flags & SHF_WRITE && !hpkm_object_is_pool(p->object, section)))
		return true;
	t_addr += start - offset;
	hpkm_object_extent(p->object, section, start, &end);
	bytes = hpkm_anchor_bytes(p->anchor, t_addr, end - start);
	if (!bytes)
		return false;
	hpkm_object_relocs(p->object, section, start, end, &first, &count);
	for (at = start; at < end;) {
		struct hpkm_ref ref;
		uint64_t value;
		enum hpkm_rel rel;

		if (!count || at < s->relocs[first].offset) {
			if (s->data[at] != bytes[at - start])
				return false;
			at++;
			continue;
		}
		rel = p->object->arch->rel(s->relocs[first].type);
		if (hpkm_object_ref(p->object, section, first, &ref)) {
			p->damaged = true;
			return false;
		}
		if (rel == HPKM_REL_PC32 && at + 4 <= end) {
			value = t_addr + (int32_t)hpkm_get32(bytes +
							     at - start);
			/* The entry counts from the table's start. */
			ref.offset -= at - start;
		} else if (rel != HPKM_REL_ABS64 ||
			   !hpkm_anchor_pointer(p->anchor,
						t_addr + (at - start),
						&value)) {
			return false;
		}
		if (ref.kind == HPKM_REF_ITEM && ref.item == p->item &&
		    !corresponds(p, p->item->offset + ref.offset, value))
			return false;
		at += hpkm_rel_size(rel);
		first++;
		count--;
	}
	return true;
}

static bool same_content(struct hpkm_proof *p, const struct hpkm_ref *ref,
			 uint64_t addr)
{
	const struct hpkm_elf_section *s =
		&p->object->elf.sections[ref->section];
	uint64_t from = ref->offset, size;
	const uint8_t *bytes;

	addr -= ref->delta;
	if (ref->kind == HPKM_REF_STRING) {
		size = hpkm_string_size(s, from);
	} else {
		size = s->entsize;
		addr -= from % size;
		from -= from % size;
	}
	bytes = hpkm_anchor_bytes(p->anchor, addr, size);
	return bytes && !memcmp(bytes, s->data + from, size);
}

static bool tpoff_is(const struct hpkm_anchor *a, uint64_t value,
		     uint64_t offset)
{
	return a->arch->tpoff(offset, a->tls_size, a->tls_align) == value;
}

/* The offset in the anchor's block that a place in it means. */
static uint64_t block_offset(const struct hpkm_anchor *a,
			     const struct hpkm_match *m, uint64_t value)
{
	/* What ld has relaxed counts from the thread pointer. */
	if (m->kind == HPKM_MATCH_TPOFF || !a->library)
		value -= a->arch->tpoff(0, a->tls_size, a->tls_align);
	return value;
}

/* "name@VERSION" -> "name": slots and PLT entries are called that. */
static const char *plain_name(const struct hpkm_proof *p, const char *name)
{
	size_t n = strcspn(name, "@");

	return name[n] ? hpkm_arena_printf(p->patch->arena, "%.*s", (int)n,
					   name) : name;
}

static bool check_undef(struct hpkm_proof *p, const struct hpkm_ref *ref,
			const struct hpkm_match *m)
{
	const char *name = plain_name(p, ref->symbol->name);
	const struct hpkm_anchor_symbol *s;
	const struct hpkm_anchor_slot *slot;
	uint64_t value = m->value - ref->offset, pointer;
	size_t count;

	s = hpkm_anchor_find(p->anchor, name, &count);
	if (m->kind == HPKM_MATCH_SLOT) {
		slot = hpkm_anchor_slot_at(p->anchor, m->value);
		if (slot && !strcmp(slot->name, name))
			return true;
		if (hpkm_tls_offset(p->anchor, m->value, &pointer)) {
			for (size_t i = 0; i < count; i++)
				if (s[i].type == STT_TLS &&
				    s[i].addr == pointer)
					return true;
			return false;
		}
		if (!hpkm_anchor_pointer(p->anchor, m->value, &pointer) &&
		    !(slot && slot->type == p->anchor->arch->type_irelative))
			return false;
		for (size_t i = 0; i < count; i++)
			if (s[i].type == STT_TLS ?
			    tpoff_is(p->anchor, pointer, s[i].addr) :
			    s[i].addr == pointer)
				return true;
		return !count && ref->symbol->bind == STB_WEAK && !pointer;
	}
	if (m->kind == HPKM_MATCH_TPOFF || m->kind == HPKM_MATCH_DTPOFF)
		value = block_offset(p->anchor, m, value);
	for (size_t i = 0; i < count; i++)
		if (s[i].addr == value)
			return true;
	slot = plt_at(p->anchor, value);
	if (slot && !strcmp(slot->name, name))
		return true;
	for (size_t i = 0; slot && i < count; i++)
		if (s[i].type == STT_GNU_IFUNC && s[i].addr == slot->value)
			return true;
	/* A weak one that nobody defines was linked to nothing. */
	return !count && ref->symbol->bind == STB_WEAK &&
		!hpkm_anchor_import(p->anchor, name);
}

/* One of several names, if they are aliases. */
static bool is_named(const struct hpkm_proof *p, const struct hpkm_ref *ref,
		     const char *name)
{
	return !strcmp(name, plain_name(p, ref->item->name)) ||
		!strcmp(name, plain_name(p, ref->symbol->name));
}

/* What the anchor exports may have one name in several versions. */
static bool is_slot_of(struct hpkm_proof *p, const struct hpkm_ref *ref,
		       const struct hpkm_anchor_slot *slot)
{
	if (!slot || !is_named(p, ref, slot->name))
		return false;
	if (!slot->value || (!strchr(ref->item->name, '@') &&
			     !strchr(ref->symbol->name, '@')))
		return true;
	return is_candidate(ref->item, slot->value);
}

static bool check_item(struct hpkm_proof *p, const struct hpkm_ref *ref,
		       const struct hpkm_match *m)
{
	struct hpkm_item *item = ref->item;
	const struct hpkm_anchor_slot *slot;
	uint64_t value = m->value - ref->offset;

	if (m->kind == HPKM_MATCH_SLOT) {
		slot = hpkm_anchor_slot_at(p->anchor, m->value);
		if (is_slot_of(p, ref, slot))
			return true;
		if (item->ifunc)
			return true;
		if (item->kind == HPKM_ITEM_TLS) {
			if (!hpkm_tls_offset(p->anchor, m->value, &value))
				return true;
		} else if (!hpkm_anchor_pointer(p->anchor, m->value, &value)) {
			return false;
		}
	} else if (m->kind == HPKM_MATCH_TPOFF ||
		   m->kind == HPKM_MATCH_DTPOFF) {
		value = block_offset(p->anchor, m, value);
	} else {
		if (item == p->item && ref->offset)
			return corresponds(p, item->offset + ref->offset,
					   m->value);
		slot = plt_at(p->anchor, value);
		if (slot && (item->ifunc || is_slot_of(p, ref, slot)))
			return true;
		/*
		 * Inside of another function: only its moved part and its
		 * parent do that, whose branches may have other sizes.
		 */
		if (ref->offset && hpkm_item_is_code(item))
			return is_inside(item, m->value);
	}
	if (!is_candidate(item, value))
		return false;
	return note_item(p, item, value);
}

bool hpkm_proof_near(struct hpkm_proof *p, const struct hpkm_insn *o,
		     const struct hpkm_insn *t)
{
	struct hpkm_item *item = p->object->of_section[p->item->section];
	struct hpkm_match m = { .kind = HPKM_MATCH_ADDRESS, .value = t->target };
	struct hpkm_ref ref = { .kind = HPKM_REF_ITEM };

	for (; item && o->target >= item->offset; item = item->next) {
		if (item == p->item || o->target - item->offset >= item->size)
			continue;
		ref.symbol = item->symbol;
		ref.item = item;
		ref.offset = o->target - item->offset;
		return check_item(p, &ref, &m);
	}
	return corresponds(p, o->target, t->target);
}

bool hpkm_proof_ref(struct hpkm_proof *p, size_t reloc,
		    const struct hpkm_match *m)
{
	const struct hpkm_elf_reloc *r =
		&hpkm_item_section(p->item)->relocs[reloc];
	const struct hpkm_anchor_slot *slot;
	struct hpkm_ref ref;

	if (hpkm_object_ref(p->object, p->item->section, reloc, &ref)) {
		p->damaged = true;
		return false;
	}
	if (m->kind == HPKM_MATCH_NOTHING)
		return true;
	if (p->object->arch->rel(r->type) == HPKM_REL_TLSLD) {
		/* Of the module, whatever variable is named. */
		slot = hpkm_anchor_slot_at(p->anchor, m->value);
		return slot && !*slot->name &&
			slot->type == p->anchor->arch->type_dtpmod64;
	}
	switch (ref.kind) {
	case HPKM_REF_UNDEF:
		return check_undef(p, &ref, m);
	case HPKM_REF_ITEM:
		return check_item(p, &ref, m);
	case HPKM_REF_STRING:
	case HPKM_REF_CONSTANT:
		return same_content(p, &ref, m->value);
	case HPKM_REF_SECTION:
		return same_table(p, ref.section, ref.offset, m->value);
	case HPKM_REF_ABSOLUTE:
		return m->value == (uint64_t)ref.offset;
	}
	return false;
}
