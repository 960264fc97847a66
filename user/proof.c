// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: is a function of an old object what the anchor has?
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
#include <string.h>

#include "proof.h"
#include "proof_ref.h"

/* Instructions around the first difference. */
#define AROUND		2
#define COLUMN		44

/* "movl $1, %eax", in a column of its own; "" for none. */
static void describe(const struct hpkm_proof *p, const uint8_t *bytes,
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
static void show_difference(struct hpkm_proof *p, const struct hpkm_insn *o,
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

static bool fail(struct hpkm_proof *p, const struct hpkm_insn *o,
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

struct deferred {
	size_t reloc;
	struct hpkm_match match;
	const struct hpkm_insn *o, *t;
};

/* Lines both streams up; leaves what refers to elsewhere for later. */
static bool line_up(struct hpkm_proof *p, struct deferred **later,
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

bool hpkm_proof_run(struct hpkm_proof *p)
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
		    !hpkm_proof_near(p, l->o, l->t) :
		    !hpkm_proof_ref(p, l->reloc, &l->match))
			return fail(p, l->o, l->t,
				    "the code refers to something else");
	}
	return true;
}

void hpkm_proof_accept(struct hpkm_proof *p)
{
	p->item->live_known = true;
	p->item->live = p->addr;
	p->item->live_size = p->size;
	for (size_t i = 0; i < p->found_count; i++) {
		p->found[i].item->live_known = true;
		p->found[i].item->live = p->found[i].addr;
	}
}
