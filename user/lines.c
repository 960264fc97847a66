// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff: functions in which only line numbers differ.  A line added
 * to a file changes every __LINE__ below it.  Such a function behaves as
 * before and is left alone, but only if the numbers are proven to be lines:
 *
 *   - by the line tables of both objects: the number is the line of its own
 *     instruction, in the old one and in the new one;
 *   - without line tables: it is the line argument of a C library's assertion
 *     function that is called next.
 */
#include <string.h>

#include "compare.h"
#include "debuginfo.h"
#include "lines.h"

/* An argument is loaded at most so many instructions before the call. */
#define ARGUMENTS	8

struct number {
	uint64_t old, new;
	uint32_t o_offset, n_offset;	/* in the sections */
};

static bool proven_by_tables(struct hpkm_item *o, struct hpkm_item *n,
			     const struct number *x)
{
	int64_t o_line, n_line;

	if (!hpkm_debuginfo_open(o->object) || !hpkm_debuginfo_open(n->object))
		return false;
	o_line = hpkm_debuginfo_line(o->object, o->section, x->o_offset);
	n_line = hpkm_debuginfo_line(n->object, n->section, x->n_offset);
	return o_line && n_line && (int64_t)x->old == o_line &&
		(int64_t)x->new == n_line;
}

static bool is_assertion(const char *name)
{
	return !strcmp(name, "__assert_fail") || !strcmp(name, "__assert");
}

/* The number is loaded into the register of the line, and used at once. */
static bool proven_by_call(struct hpkm_item *n, const struct hpkm_code *code,
			   size_t at)
{
	struct hpkm_object *o = n->object;
	const struct hpkm_insn *insn = &code->insns[at];
	size_t first, count;
	struct hpkm_ref ref;

	if (!o->arch->assertion_line(hpkm_item_section(n)->data + insn->offset,
				     insn))
		return false;
	for (size_t i = at + 1; i < code->count && i - at <= ARGUMENTS; i++) {
		insn = &code->insns[i];
		if (insn->flags & HPKM_INSN_CALL) {
			hpkm_object_relocs(o, n->section, insn->offset,
					   (uint64_t)insn->offset + insn->size,
					   &first, &count);
			return count == 1 &&
				!hpkm_object_ref(o, n->section, first, &ref) &&
				ref.kind == HPKM_REF_UNDEF &&
				is_assertion(ref.symbol->name);
		}
		if (insn->flags & (HPKM_INSN_DIRECT | HPKM_INSN_END))
			return false;
	}
	return false;
}

static size_t first_insn(const struct hpkm_code *code, uint64_t offset)
{
	size_t low = 0, high = code->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (code->insns[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool hpkm_lines_only(struct hpkm_item *o, struct hpkm_item *n, bool *damaged)
{
	const struct hpkm_code *o_code, *n_code;
	const uint8_t *o_bytes, *n_bytes;
	struct number x;
	size_t i, k;

	if (!hpkm_item_is_code(o) || !hpkm_item_bytes(o) ||
	    !hpkm_item_bytes(n) || !hpkm_same_refs(o, n, damaged))
		return false;
	o_code = hpkm_object_code(o->object, o->section);
	n_code = hpkm_object_code(n->object, n->section);
	if (o_code->broken || n_code->broken)
		return false;
	o_bytes = hpkm_item_section(o)->data;
	n_bytes = hpkm_item_section(n)->data;
	i = first_insn(o_code, o->offset);
	k = first_insn(n_code, n->offset);
	for (; i < o_code->count && k < n_code->count; i++, k++) {
		const struct hpkm_insn *oi = &o_code->insns[i];
		const struct hpkm_insn *ni = &n_code->insns[k];
		size_t first, count;

		if (oi->offset >= o->offset + o->size)
			return true;
		if (oi->offset - o->offset != ni->offset - n->offset ||
		    oi->size != ni->size)
			return false;
		if (!memcmp(o_bytes + oi->offset, n_bytes + ni->offset,
			    oi->size))
			continue;
		/* A relocated field is zero: what differs is a number. */
		hpkm_object_relocs(o->object, o->section, oi->offset,
				   (uint64_t)oi->offset + oi->size, &first,
				   &count);
		x.o_offset = oi->offset;
		x.n_offset = ni->offset;
		if (count ||
		    !o->object->arch->numbers(o_bytes + oi->offset,
					      n_bytes + ni->offset, oi,
					      &x.old, &x.new) ||
		    (!proven_by_tables(o, n, &x) &&
		     !proven_by_call(n, n_code, k)))
			return false;
	}
	return i >= o_code->count && k >= n_code->count;
}
