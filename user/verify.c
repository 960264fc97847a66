// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: proof that the source is the one running.
 *
 * The old object was compiled with a section for each function, the anchor in
 * its own way.  So the instructions are the same but for: relocated fields
 * (filled in by the linker), the size of branches to other functions, the
 * padding that shifts with it, and what ld makes of GOT references.  Both
 * streams are walked side by side, no-operations left out.  Every relocated
 * field must lead to what the relocation names; where that has no symbol of
 * its own name (strings, jump tables) the content must be the same; where
 * it has several candidates the field says which one it is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candidates.h"
#include "hpkm.h"
#include "tls.h"
#include "verify.h"

struct evidence {
	struct hpkm_item *item;
	uint64_t addr;
};

/* The comparison of one function at one address. */
struct proof {
	struct hpkm_patch *patch;
	const struct hpkm_anchor *anchor;
	struct hpkm_object *object;
	struct hpkm_item *item;
	uint64_t addr, size;
	const struct hpkm_code *o_code;
	struct hpkm_code t_code;
	const uint8_t *o_bytes, *t_bytes;	/* section, function */
	/* Parallel: the instructions that are no padding. */
	uint32_t *o_list, *t_list;
	size_t list_count;
	struct evidence *found;
	size_t found_count;
	bool damaged;
	const char *why;
	char details[1024];
};

/* Instructions around the first difference. */
#define AROUND		2
#define COLUMN		44

/* "movl $1, %eax", in a column of its own; "" for none. */
static void describe(const struct proof *p, const uint8_t *bytes,
		     uint64_t addr, const struct hpkm_insn *in, char *text,
		     size_t size)
{
	*text = 0;
	if (in)
		p->anchor->arch->disassemble(bytes + in->offset, in->size,
					     addr + in->offset, text, size);
}

static const struct hpkm_insn *near(const struct hpkm_code *code,
				    const struct hpkm_insn *in, int step)
{
	ptrdiff_t at;

	if (!in)
		return NULL;
	at = in - code->insns + step;
	return at >= 0 && (size_t)at < code->count ? &code->insns[at] : NULL;
}

/* Both sides, the old object's and the target's, line by line. */
static void show_difference(struct proof *p, const struct hpkm_insn *o,
			    const struct hpkm_insn *t)
{
	uint64_t o_start = p->item->offset, o_end = o_start + p->item->size;
	char left[96], right[96];
	size_t n;

	n = snprintf(p->details, sizeof(p->details), "  %-*s %s\n", COLUMN,
		     p->item->object->elf.path, p->anchor->elf.path);
	for (int step = -AROUND; step <= AROUND; step++) {
		const struct hpkm_insn *a = near(p->o_code, o, step);
		const struct hpkm_insn *b = near(&p->t_code, t, step);

		if (a && (a->offset < o_start || a->offset >= o_end))
			a = NULL;
		if ((!a && !b) || n >= sizeof(p->details))
			continue;
		describe(p, p->o_bytes, 0, a, left, sizeof(left));
		describe(p, p->t_bytes, p->addr, b, right, sizeof(right));
		n += snprintf(p->details + n, sizeof(p->details) - n,
			      "%c %-*.*s %s\n", step ? ' ' : '>', COLUMN,
			      COLUMN, left, right);
	}
	/* The last line needs no end of its own. */
	n = strlen(p->details);
	if (n && p->details[n - 1] == '\n')
		p->details[n - 1] = 0;
}

static bool fail(struct proof *p, const struct hpkm_insn *o,
		 const struct hpkm_insn *t, const char *why)
{
	if (p->why)
		return false;
	p->why = why;
	p->details[0] = 0;
	if (o || t)
		show_difference(p, o, t);
	return false;
}

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
static bool corresponds(const struct proof *p, uint64_t o_offset,
			uint64_t t_addr)
{
	if (t_addr < p->addr || t_addr - p->addr > p->size)
		return false;
	return lead_to(p->o_list, p->list_count, o_offset) ==
		lead_to(p->t_list, p->list_count, t_addr - p->addr);
}

static bool note_item(struct proof *p, struct hpkm_item *item, uint64_t addr)
{
	if (item->live_known)
		return item->live == addr;
	for (size_t i = 0; i < p->found_count; i++)
		if (p->found[i].item == item)
			return p->found[i].addr == addr;
	p->found = hpkm_arena_push(p->patch->arena, p->found, p->found_count,
				   sizeof(*p->found));
	p->found[p->found_count++] = (struct evidence){ item, addr };
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
static bool same_table(struct proof *p, uint32_t section, int64_t offset,
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

static bool same_content(struct proof *p, const struct hpkm_ref *ref,
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

static bool check_undef(struct proof *p, const struct hpkm_ref *ref,
			const struct hpkm_match *m)
{
	const char *name = ref->symbol->name;
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
static bool is_named(const struct hpkm_ref *ref, const char *name)
{
	return !strcmp(name, ref->item->name) ||
		!strcmp(name, ref->symbol->name);
}

static bool check_item(struct proof *p, const struct hpkm_ref *ref,
		       const struct hpkm_match *m)
{
	struct hpkm_item *item = ref->item;
	const struct hpkm_anchor_slot *slot;
	uint64_t value = m->value - ref->offset;

	if (m->kind == HPKM_MATCH_SLOT) {
		slot = hpkm_anchor_slot_at(p->anchor, m->value);
		if (slot && is_named(ref, slot->name))
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
		if (slot && (item->ifunc || is_named(ref, slot->name)))
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

/* Without a relocation: to the function itself, or another of its section. */
static bool check_near(struct proof *p, const struct hpkm_insn *o,
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

static bool check_ref(struct proof *p, size_t reloc,
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

/* ---- instructions ---- */

struct deferred {
	size_t reloc;
	struct hpkm_match match;
	const struct hpkm_insn *o, *t;
};

/* Lines both streams up; leaves what refers to elsewhere for later. */
static bool line_up(struct proof *p, struct deferred **later,
		    size_t *later_count)
{
	const struct hpkm_elf_section *s = hpkm_item_section(p->item);
	uint64_t end = p->item->offset + p->item->size;
	size_t i = 0, j = 0, first, count;

	hpkm_object_relocs(p->object, p->item->section, p->item->offset, end,
			   &first, &count);
	while (i < p->o_code->count &&
	       p->o_code->insns[i].offset < p->item->offset)
		i++;
	for (;; i++, j++) {
		const struct hpkm_insn *o = NULL, *t = NULL;
		struct hpkm_elf_reloc relocs[HPKM_MATCHES_MAX + 1];
		struct hpkm_match matches[HPKM_MATCHES_MAX + 1];
		size_t n = 0;

		for (; i < p->o_code->count; i++) {
			o = &p->o_code->insns[i];
			if (o->offset >= end || !(o->flags & HPKM_INSN_NOP))
				break;
		}
		for (; j < p->t_code.count; j++) {
			t = &p->t_code.insns[j];
			if (!(t->flags & HPKM_INSN_NOP))
				break;
		}
		if (i >= p->o_code->count || o->offset >= end)
			o = NULL;
		if (j >= p->t_code.count)
			t = NULL;
		if (!o && !t)
			return true;
		if (!o || !t)
			return fail(p, o, t, "the code is longer in one of them");

		while (n < count && n <= HPKM_MATCHES_MAX &&
		       s->relocs[first + n].offset <
		       (uint64_t)o->offset + o->size) {
			relocs[n] = s->relocs[first + n];
			relocs[n].offset -= o->offset;
			n++;
		}
		memset(matches, 0, sizeof(matches));
		if (n > HPKM_MATCHES_MAX ||
		    !p->anchor->arch->match(p->o_bytes + o->offset, o, relocs,
					    n, p->t_bytes + t->offset, t,
					    p->size - t->offset,
					    p->addr + t->offset, matches))
			return fail(p, o, t, "the code differs");

		p->o_list[p->list_count] = o->offset;
		p->t_list[p->list_count++] = t->offset;
		/* An own branch or reference, or one for each relocation. */
		for (size_t k = 0; k < n ||
		     (!n && !k && o->flags & (HPKM_INSN_DIRECT |
					      HPKM_INSN_PCREL)); k++) {
			*later = hpkm_arena_push(p->patch->arena, *later,
						 *later_count, sizeof(**later));
			(*later)[(*later_count)++] = (struct deferred){
				.reloc = n ? first + k : SIZE_MAX,
				.match = matches[k],
				.o = o,
				.t = t,
			};
		}
		first += n;
		count -= n;
		if (!matches[0].next_too || ++i >= p->o_code->count)
			continue;
		/* The linker dropped that one, and what it referred to. */
		o = &p->o_code->insns[i];
		for (; count && s->relocs[first].offset <
		     (uint64_t)o->offset + o->size; count--)
			first++;
	}
}

static bool prove(struct proof *p)
{
	struct deferred *later = NULL;
	size_t later_count = 0, room;

	p->object = p->item->object;
	p->anchor = p->object->anchor;
	p->o_bytes = hpkm_item_section(p->item)->data;
	p->t_bytes = hpkm_anchor_bytes(p->anchor, p->addr, p->size);
	if (!p->t_bytes || !p->o_bytes)
		return fail(p, NULL, NULL, "its code is not in the file");
	p->o_code = hpkm_object_code(p->object, p->item->section);
	p->anchor->arch->decode(p->patch->arena, p->t_bytes, p->size, p->addr,
				&p->t_code);
	if (p->t_code.broken ||
	    (p->o_code->broken &&
	     p->o_code->broken_at < p->item->offset + p->item->size))
		return fail(p, NULL, NULL, "its code cannot be decoded");
	room = p->t_code.count + 1;
	p->o_list = hpkm_arena_alloc(p->patch->arena, room,
				     sizeof(*p->o_list));
	p->t_list = hpkm_arena_alloc(p->patch->arena, room,
				     sizeof(*p->t_list));
	if (!line_up(p, &later, &later_count))
		return false;
	for (size_t i = 0; i < later_count; i++) {
		const struct deferred *l = &later[i];

		if (l->reloc == SIZE_MAX ?
		    !check_near(p, l->o, l->t) :
		    !check_ref(p, l->reloc, &l->match))
			return fail(p, l->o, l->t,
				    "the code refers to something else");
	}
	return true;
}

static void accept(struct proof *p)
{
	p->item->live_known = true;
	p->item->live = p->addr;
	p->item->live_size = p->size;
	for (size_t i = 0; i < p->found_count; i++) {
		p->found[i].item->live_known = true;
		p->found[i].item->live = p->found[i].addr;
	}
}

/* ---- locating ---- */

static void try_candidates(struct hpkm_patch *patch, struct hpkm_item *item,
			   const struct hpkm_candidates *all,
			   struct proof *best, size_t *right, size_t *tried)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct hpkm_anchor_symbol *s = all->list[i];
		struct proof p = {
			.patch = patch,
			.item = item,
			.addr = s->addr,
			.size = s->size,
		};

		/* What other code refers to settles it. */
		if (item->live_known && item->live != s->addr)
			continue;
		/* Several names of one place are one candidate. */
		if (i && all->list[i - 1]->addr == s->addr)
			continue;
		++*tried;
		if (prove(&p)) {
			if (!*right || p.found_count > best->found_count)
				*best = p;
			++*right;
		} else if (*tried == 1) {
			*best = p;
		}
		if (p.damaged)
			return;
	}
}

static void try_function(struct hpkm_patch *patch, struct hpkm_item *item,
			 struct proof *best, size_t *right, size_t *tried)
{
	*right = 0;
	*tried = 0;
	try_candidates(patch, item, hpkm_candidates(item), best, right, tried);
	if (!*right)
		try_candidates(patch, item, hpkm_candidates_numbered(item),
			       best, right, tried);
}

/*
 * Every function of the object that can be told by its name is compared, for
 * the sake of what it refers to.
 */
static void gather(struct hpkm_patch *patch, struct hpkm_object *o)
{
	struct proof best;
	size_t right, tried;

	for (size_t i = 0; i < o->item_count; i++) {
		if (o->items[i]->kind != HPKM_ITEM_FUNC ||
		    o->items[i]->ifunc || o->items[i]->live_size)
			continue;
		try_function(patch, o->items[i], &best, &right, &tried);
		if (right == 1)
			accept(&best);
	}
}

/*
 * Is no other file meant by the name of @s's file?  Or are all of that name at
 * hand, and no other has such a thing?
 */
static bool is_only_file(const struct hpkm_patch *patch,
			 const struct hpkm_item *item,
			 const struct hpkm_anchor_symbol *s)
{
	size_t files = 0, having = 0, count;

	if (s->file_count <= 1)
		return true;
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *o = &patch->pairs[i].old;

		if (o->anchor != item->object->anchor || !o->file ||
		    strcmp(o->file, s->file))
			continue;
		files++;
		hpkm_object_find(o, item->name, &count);
		having += count > 0;
	}
	return files >= s->file_count && having == 1;
}

const char *hpkm_verify_locate(struct hpkm_patch *patch,
			       struct hpkm_item *item)
{
	const struct hpkm_candidates *all;

	if (item->live_known)
		return NULL;
	all = hpkm_candidates(item);
	if (all->count == 1 &&
	    (item->global ||
	     (hpkm_candidate_same_file(item, all->list[0]) &&
	      is_only_file(patch, item, all->list[0])))) {
		item->live_known = true;
		item->live = all->list[0]->addr;
		return NULL;
	}
	gather(patch, item->object);
	if (item->live_known)
		return NULL;
	return all->count ? "what has that name in the target may be of another file, and no code tells which one it is" :
		"the target has no symbol of that name";
}

/* Does anything but code hold the address of an old function? */
static bool address_is_held(struct hpkm_item *item)
{
	struct hpkm_object *o = item->object;
	struct hpkm_ref ref;

	for (uint32_t s = 1; s < o->elf.section_count; s++) {
		const struct hpkm_elf_section *section = &o->elf.sections[s];

		if (!(section->flags & SHF_ALLOC) ||
		    section->flags & SHF_EXECINSTR ||
		    !strcmp(section->name, ".eh_frame"))
			continue;
		for (size_t i = 0; i < section->reloc_count; i++)
			if (!hpkm_object_ref(o, s, i, &ref) &&
			    ref.kind == HPKM_REF_ITEM && ref.item == item)
				return true;
	}
	return false;
}

/*
 * A function that the target has no symbol of.  If nothing there refers to it
 * the linker has dropped it, all callers having an inlined copy of it: then
 * there is nothing to replace, and the new one is like a new function.
 */
static void absent(struct hpkm_patch *patch, struct hpkm_item *old,
		   struct hpkm_item *new)
{
	const char *target = old->object->anchor->name;

	if (old->kind == HPKM_ITEM_FUNC && !old->live_known)
		gather(patch, old->object);
	if (old->kind != HPKM_ITEM_FUNC || old->live_known ||
	    address_is_held(old)) {
		hpkm_refuse_func(&patch->verdicts, new, NULL,
				 "%s has no such function: is it built from this source?",
				 target);
		return;
	}
	hpkm_caution(&patch->verdicts, new->name,
		     "%s has no such function, and no code that calls it: nothing to replace",
		     target);
	new->changed = false;
	new->pair = NULL;
	old->pair = NULL;
}

static void verify_item(struct hpkm_patch *patch, struct hpkm_item *item)
{
	struct hpkm_item *func = item->parent ? item->parent : item;
	const char *target = item->object->anchor->name;
	struct proof best = { 0 };
	size_t right, tried;

	try_function(patch, item, &best, &right, &tried);
	if (right > 1) {
		gather(patch, item->object);
		try_function(patch, item, &best, &right, &tried);
	}
	if (right == 1) {
		accept(&best);
		return;
	}
	/* The new one says whether it changed. */
	func = func->pair;
	if (!tried)
		absent(patch, item, func);
	else if (right)
		hpkm_refuse_func(&patch->verdicts, func, NULL,
				 "%s has %zu functions of that name with the same code, and nothing tells which one it is",
				 target, right);
	else
		hpkm_refuse_func(&patch->verdicts, func, best.details,
				 "the old object file is not what %s was built from: %s",
				 target, best.why);
}

static void verify_pair(struct hpkm_patch *patch, struct hpkm_pair *pair)
{
	struct hpkm_object *new = &pair->new, *old = &pair->old;

	for (size_t k = 0; k < new->item_count; k++) {
		struct hpkm_item *n = new->items[k];

		if (n->kind == HPKM_ITEM_FUNC && n->changed && n->pair)
			verify_item(patch, n->pair);
	}
	/* Parts that were moved out of what is replaced. */
	for (size_t k = 0; k < old->item_count; k++) {
		struct hpkm_item *o = old->items[k];

		if (o->kind == HPKM_ITEM_COLD && o->parent->pair &&
		    o->parent->pair->changed && o->parent->live_size)
			verify_item(patch, o);
	}
}

int hpkm_verify_funcs(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++)
		verify_pair(patch, &patch->pairs[i]);
	return 0;
}
