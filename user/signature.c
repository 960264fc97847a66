// SPDX-License-Identifier: GPL-2.0
/*
 * After the proof: functions whose parameters or result changed.
 *
 * Callers in the objects that were given are compiled against the new
 * prototype, so either they changed with it or what they do is right for both.
 * Callers elsewhere in the target are not known to be, and are looked for in
 * its code: branches to the function or its PLT entry, and instructions that
 * take its address.  What a library or program exports anyone may call.
 */
#include <dwarf.h>
#include <string.h>

#include "debuginfo.h"
#include "hpkm.h"
#include "signature.h"
#include "types.h"

/* ---- prototypes ---- */

static bool find_function(Dwarf *dwarf, const char *name, Dwarf_Die *func)
{
	size_t length = strcspn(name, ".");
	Dwarf_Die unit, sub;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	const char *found;
	uint8_t type;

	while (!dwarf_get_units(dwarf, cu, &cu, &version, &type, &unit, &sub)) {
		if (dwarf_child(&unit, func))
			continue;
		do {
			if (dwarf_tag(func) != DW_TAG_subprogram ||
			    dwarf_hasattr(func, DW_AT_declaration))
				continue;
			found = dwarf_diename(func);
			if (found && strlen(found) == length &&
			    !memcmp(found, name, length))
				return true;
		} while (!dwarf_siblingof(func, func));
	}
	return false;
}

/* NULL, or what changed, as text. */
static const char *changed_call(struct hpkm_arena *arena, struct hpkm_item *o,
				struct hpkm_item *n)
{
	Dwarf_Die a, b;

	if (!find_function(hpkm_debuginfo_dwarf(o->object), o->name, &a) ||
	    !find_function(hpkm_debuginfo_dwarf(n->object), n->name, &b) ||
	    hpkm_type_same_calls(arena, &a, &b))
		return NULL;
	return hpkm_arena_printf(arena, "%s to %s",
				 hpkm_type_call_text(arena, &a),
				 hpkm_type_call_text(arena, &b));
}

/* ---- callers ---- */

/* Is that code of the target compiled anew with this patch? */
static bool is_given(const struct hpkm_patch *patch,
		     const struct hpkm_anchor *anchor,
		     const struct hpkm_anchor_symbol *s)
{
	const struct hpkm_name *found;
	size_t count;

	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *old = &patch->pairs[i].old;
		const char *file = old->file ? strrchr(old->file, '/') : NULL;

		if (old->anchor != anchor)
			continue;
		found = hpkm_object_find(old, s->name, &count);
		file = file ? file + 1 : old->file;
		for (size_t k = 0; k < count; k++)
			if (found[k].global ? s->global :
			    !s->global && (!file || !s->file ||
					   !strcmp(file, s->file)))
				return true;
	}
	return false;
}

static bool leads_to(const struct hpkm_insn *in, uint64_t func, uint64_t plt)
{
	return in->flags & (HPKM_INSN_DIRECT | HPKM_INSN_PCREL) &&
		(in->target == func || (plt && in->target == plt));
}

static const char *other_caller(struct hpkm_patch *patch,
				const struct hpkm_item *o)
{
	const struct hpkm_anchor *a = o->object->anchor;
	uint64_t plt = o->global ? hpkm_anchor_plt(a, o->name, o->live) : 0;
	struct hpkm_arena scratch = { 0 };
	const char *caller = NULL;

	for (size_t i = 0; i < a->code_count && !caller; i++) {
		const struct hpkm_anchor_symbol *s = a->code[i];
		const uint8_t *bytes;
		struct hpkm_code code;

		if (!s->size || s->addr == o->live || is_given(patch, a, s))
			continue;
		bytes = hpkm_anchor_bytes(a, s->addr, s->size);
		if (!bytes)
			continue;
		a->arch->decode(&scratch, bytes, s->size, s->addr, &code);
		for (size_t k = 0; k < code.count && !caller; k++)
			if (leads_to(&code.insns[k], o->live, plt))
				caller = s->name;
		hpkm_arena_free(&scratch);
		memset(&scratch, 0, sizeof(scratch));
	}
	return caller;
}

/* By whatever name; programs do that for what they load. */
static bool is_exported(const struct hpkm_anchor *a, uint64_t addr)
{
	for (size_t i = 1; i < a->elf.dynsym.count; i++) {
		const struct hpkm_elf_symbol *s = &a->elf.dynsym.symbols[i];

		if (s->section != HPKM_SECTION_UNDEF && s->type != STT_TLS &&
		    s->value == addr)
			return true;
	}
	return false;
}

static void check_func(struct hpkm_patch *patch,
		       const struct hpkm_patch_func *f)
{
	const struct hpkm_anchor *a = f->old->object->anchor;
	const char *what, *caller;

	what = changed_call(patch->arena, f->old, f->new);
	if (!what)
		return;
	caller = other_caller(patch, f->old);
	if (caller)
		hpkm_refuse(&patch->verdicts, f->name,
			    "it changes from %s, and %s, which calls it, is in none of the object files given",
			    what, caller);
	else if (is_exported(a, f->old->live))
		hpkm_refuse(&patch->verdicts, f->name,
			    "it changes from %s, and %s exports it: others may call it as it was",
			    what, a->name);
	else
		hpkm_caution(&patch->verdicts, f->name,
			     "it changes from %s; stored pointers to it are called as they were",
			     what);
}

void hpkm_signature_check(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->func_count; i++) {
		const struct hpkm_patch_func *f = &patch->funcs[i];

		/* A clone's callers are all in its own file. */
		if (f->new->asked || hpkm_item_numbered(f->new))
			continue;
		if (hpkm_debuginfo_open(f->old->object) &&
		    hpkm_debuginfo_open(f->new->object))
			check_func(patch, f);
	}
	for (size_t i = 0; i < patch->pair_count; i++) {
		hpkm_debuginfo_close(&patch->pairs[i].old);
		hpkm_debuginfo_close(&patch->pairs[i].new);
	}
}
