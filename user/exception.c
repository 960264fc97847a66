// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: new code that exceptions may want to pass.
 *
 * The unwinder that is part of the program finds call frame information through
 * the dynamic linker's list of files, and an image is in no file.  For it a stack
 * ends at a frame of new code.  A C++ exception that gets there ends the
 * process; so does one thrown there.  pthread_exit() and cancellation end the
 * thread as they should, and what the frames above would have cleaned up is
 * left, but for pthread_cleanup_push() in code without -fexceptions.
 *
 * Which functions have cleanups or handlers, .eh_frame says: their CIE names a
 * personality routine.
 */
#include <dwarf.h>
#include <string.h>

#include "debuginfo.h"
#include "ehframe.h"
#include "exception.h"

static bool has_personality(const Dwarf_CIE *cie)
{
	return *cie->augmentation == 'z' && strchr(cie->augmentation, 'P');
}

struct found {
	const struct hpkm_item *item;	/* or NULL: any */
	bool personality;
};

static void see_frame(const struct hpkm_eh_frame *frame, void *data)
{
	const struct hpkm_item *of = frame->item->parent ?
		frame->item->parent : frame->item;
	struct found *f = data;

	if (!f->item || f->item == of)
		f->personality |= has_personality(&frame->cie);
}

/* One function, or, NULL, any of the object. */
static bool handles(struct hpkm_object *o, const struct hpkm_item *item)
{
	struct found f = { .item = item };

	hpkm_eh_frames(o, see_frame, &f);
	return f.personality;
}

/* Does it call what raises an exception? */
static bool throws(struct hpkm_item *item)
{
	static const char *const names[] = {
		"__cxa_throw", "__cxa_rethrow", "_Unwind_RaiseException",
		"_Unwind_Resume_or_Rethrow", "_Unwind_ForcedUnwind",
	};
	struct hpkm_object *o = item->object;
	size_t first, count;
	struct hpkm_ref ref;

	hpkm_object_relocs(o, item->section, item->offset,
			   item->offset + item->size, &first, &count);
	for (; count--; first++) {
		if (hpkm_object_ref(o, item->section, first, &ref) ||
		    ref.kind != HPKM_REF_UNDEF)
			continue;
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strcmp(ref.symbol->name, names[i]))
				return true;
	}
	return false;
}

static const char *problem(struct hpkm_item *item)
{
	struct hpkm_object *o = item->object;

	if (handles(o, item))
		return "it cleans up or catches when an exception passes or its thread is cancelled: the program's unwinder does not find new code";
	if (throws(item))
		return "it throws an exception: the program's unwinder does not find new code";
	for (size_t i = 0; i < o->item_count; i++)
		if (o->items[i]->kind == HPKM_ITEM_COLD &&
		    o->items[i]->parent == item && throws(o->items[i]))
			return "it throws an exception: the program's unwinder does not find new code";
	return NULL;
}

/* ---- is it code that exceptions pass? ---- */

static bool is_cxx(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
		return true;
	}
	return false;
}

/* GCC writes down its options. */
static bool has_option(Dwarf_Die *unit)
{
	Dwarf_Attribute a;
	const char *producer = NULL;

	if (dwarf_attr(unit, DW_AT_producer, &a))
		producer = dwarf_formstring(&a);
	return producer && strstr(producer, " -fexceptions");
}

static bool says_so(struct hpkm_object *o)
{
	Dwarf *dwarf = hpkm_debuginfo_dwarf(o);
	Dwarf_Die unit, sub;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;

	while (!dwarf_get_units(dwarf, cu, &cu, &version, &type, &unit, &sub))
		if (is_cxx(&unit) || has_option(&unit))
			return true;
	return false;
}

static bool lets_pass(struct hpkm_object *o)
{
	bool passes = handles(o, NULL);

	if (!passes && hpkm_debuginfo_open(o))
		passes = says_so(o);
	hpkm_debuginfo_close(o);
	return passes;
}

/* ---- verdicts ---- */

static bool is_replaced(const struct hpkm_item *n)
{
	return n->kind == HPKM_ITEM_FUNC && n->changed && n->pair;
}

static void check_object(struct hpkm_patch *patch, struct hpkm_object *new)
{
	const char *names = "";
	size_t count = 0;

	for (size_t i = 0; i < new->item_count; i++) {
		struct hpkm_item *n = new->items[i];
		const char *why;

		if (!is_replaced(n))
			continue;
		why = problem(n);
		if (why)
			hpkm_refuse_func(&patch->verdicts, n, NULL, "%s", why);
		if (!is_replaced(n) || why)
			continue;
		names = hpkm_arena_printf(patch->arena, "%s%s%s", names,
					  count ? ", " : "", n->name);
		count++;
	}
	if (count && lets_pass(new))
		hpkm_caution_with(&patch->verdicts,
				  new->file ? new->file : new->elf.path, names,
				  "compiled with -fexceptions: an exception that passes new code ends the process, and a thread that is cancelled there or exits cleans up no further (%zu function%s)",
				  count, count == 1 ? "" : "s");
}

void hpkm_exception_check(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++)
		check_object(patch, &patch->pairs[i].new);
}

void hpkm_exception_check_new(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++) {
		struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++) {
			struct hpkm_item *n = new->items[k];
			const char *why = n->piece && !n->pair &&
				n->kind == HPKM_ITEM_FUNC ? problem(n) : NULL;

			if (why)
				hpkm_refuse(&patch->verdicts, n->name, "%s",
					    why);
		}
	}
}
