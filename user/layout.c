// SPDX-License-Identifier: GPL-2.0
/*
 * After stage 2: types that the running process has data of must not change
 * their layout.
 *
 * That only new code uses a type can't be proven from DWARF: an object of it
 * may have been handed on through a void pointer. So every type that both
 * builds have counts as one that the process has objects of. What is new is
 * fine, and so are new names for what stays in its place, members that a union
 * has room for, and new numbers of an enumeration.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "debuginfo.h"
#include "hpkm.h"
#include "layout.h"
#include "types.h"

#define NESTING_MAX 256

/* Something that DWARF names: "struct conn", "variable limit". */
struct named {
	const char *name;	/* what it is, name, and scope */
	const char *plain;	/* the name alone */
	enum named_kind { NAMED_AGGREGATE, NAMED_ENUM, NAMED_CONSTANT,
			  NAMED_VARIABLE } kind;
	size_t order;
	Dwarf_Die die;
	const struct hpkm_item *item;	/* VARIABLE */
};

struct names {
	struct hpkm_object *object;
	struct named *list;
	size_t count;
};

struct layout {
	struct hpkm_patch *patch;
	struct hpkm_arena *arena;
	const char *const *allowed;
	size_t allowed_count;
	const char *also;	/* what is to be said besides, or "" */
	const char *unread;	/* objects that could not be compared */
	size_t unread_count;
};

/* ---- what an object describes ---- */

static void add(struct names *names, enum named_kind kind, const char *what,
		const char *plain, const char *scope, Dwarf_Die *die)
{
	struct hpkm_arena *arena = names->object->arena;
	struct named *n;

	names->list = hpkm_arena_push(arena, names->list, names->count,
				      sizeof(*names->list));
	n = &names->list[names->count];
	*n = (struct named){
		.name = hpkm_arena_printf(arena, "%s%s%s%s", what, plain,
					  scope ? " in " : "",
					  scope ? scope : ""),
		.plain = plain,
		.kind = kind,
		.order = names->count++,
		.die = *die,
	};
}

static void add_type(struct names *names, Dwarf_Die *die, const char *name,
		     const char *what, const char *scope)
{
	Dwarf_Die value;

	if (!hpkm_type_is_defined(die))
		return;
	if (dwarf_tag(die) != DW_TAG_enumeration_type) {
		if (name)
			add(names, NAMED_AGGREGATE, what, name, scope, die);
		return;
	}
	if (name) {
		add(names, NAMED_ENUM, what, name, scope, die);
		return;
	}
	/* Nameless: constants, no more. */
	if (dwarf_child(die, &value))
		return;
	do {
		if (dwarf_tag(&value) == DW_TAG_enumerator &&
		    dwarf_diename(&value))
			add(names, NAMED_CONSTANT, "constant ",
			    dwarf_diename(&value), scope, &value);
	} while (!dwarf_siblingof(&value, &value));
}

/* "typedef struct { ... } conn_t" */
static void add_typedef(struct names *names, Dwarf_Die *die, const char *scope)
{
	const char *name = dwarf_diename(die);
	Dwarf_Die type;

	if (name && hpkm_type_of(die, &type) && !dwarf_diename(&type) &&
	    hpkm_type_is_defined(&type))
		add_type(names, &type, name, "", scope);
}

static void add_variable(struct names *names, Dwarf_Die *die,
			 const char *scope)
{
	const struct hpkm_item *item;
	const char *name = dwarf_diename(die);
	Dwarf_Attribute location;
	Dwarf_Addr addr;
	Dwarf_Op *op;
	uint32_t section;
	uint64_t offset;
	size_t count;

	/* Automatic ones have other locations than an address alone. */
	if (!name || !dwarf_attr(die, DW_AT_location, &location) ||
	    dwarf_getlocation(&location, &op, &count) || !count)
		return;
	if (count == 1 && op->atom == DW_OP_addr) {
		addr = op->number;
	} else if (count == 1 && (op->atom == DW_OP_addrx ||
				  op->atom == DW_OP_GNU_addr_index)) {
		if (dwarf_getlocation_attr(&location, op, &location) ||
		    dwarf_formaddr(&location, &addr))
			return;
	} else if (count == 2 && (op[1].atom == DW_OP_form_tls_address ||
				  op[1].atom == DW_OP_GNU_push_tls_address)) {
		add(names, NAMED_VARIABLE, "variable ", name, scope, die);
		return;
	} else {
		return;
	}
	if (!hpkm_debuginfo_place(names->object, addr, &section, &offset))
		return;
	item = names->object->of_section[section];
	while (item && item->offset != offset)
		item = item->next;
	if (!item || item->kind != HPKM_ITEM_DATA)
		return;
	add(names, NAMED_VARIABLE, "variable ", name, scope, die);
	names->list[names->count - 1].item = item;
}

static void collect(struct names *names, Dwarf_Die *parent, const char *scope,
		    unsigned int depth)
{
	const char *name;
	Dwarf_Die die;

	if (depth > NESTING_MAX || dwarf_child(parent, &die))
		return;
	do {
		name = dwarf_diename(&die);
		switch (dwarf_tag(&die)) {
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
			add_type(names, &die, name, "struct ", scope);
			collect(names, &die, scope, depth + 1);
			break;
		case DW_TAG_union_type:
			add_type(names, &die, name, "union ", scope);
			collect(names, &die, scope, depth + 1);
			break;
		case DW_TAG_enumeration_type:
			add_type(names, &die, name, "enum ", scope);
			break;
		case DW_TAG_typedef:
			add_typedef(names, &die, scope);
			break;
		case DW_TAG_variable:
			add_variable(names, &die, scope);
			break;
		case DW_TAG_subprogram:
			collect(names, &die, name ? name : scope, depth + 1);
			break;
		case DW_TAG_lexical_block:
			collect(names, &die, scope, depth + 1);
			break;
		}
	} while (!dwarf_siblingof(&die, &die));
}

static int compare_names(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void read_names(struct names *names)
{
	Dwarf *dwarf = hpkm_debuginfo_dwarf(names->object);
	Dwarf_Die unit, sub;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;

	while (!dwarf_get_units(dwarf, cu, &cu, &version, &type, &unit, &sub))
		collect(names, &unit, NULL, 0);
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list),
		      compare_names);
}

/* ---- verdicts ---- */

static bool is_allowed(const struct layout *l, const struct named *n)
{
	for (size_t i = 0; i < l->allowed_count; i++)
		if (!strcmp(l->allowed[i], n->plain) ||
		    !strcmp(l->allowed[i], n->name))
			return true;
	return false;
}

static void report(struct layout *l, const struct named *n, const char *what)
{
	if (is_allowed(l, n))
		hpkm_caution(&l->patch->verdicts, n->name,
			     "%s%s; allowed by --allow-layout", what, l->also);
	else if (n->kind == NAMED_VARIABLE)
		hpkm_refuse(&l->patch->verdicts, n->name, "%s", what);
	else
		hpkm_refuse(&l->patch->verdicts, n->name,
			    "%s%s; the process has it as it was (--allow-layout %s if no such object exists)",
			    what, l->also, n->plain);
}

#define report_printf(l, n, ...) \
	report(l, n, hpkm_arena_printf((l)->arena, __VA_ARGS__))

static const char *place_text(struct hpkm_arena *arena,
			      const struct hpkm_type_member *m, bool bits)
{
	return hpkm_arena_printf(arena, "%s %llu", bits ? "bit" : "offset",
				 (unsigned long long)m->bit / (bits ? 1 : 8));
}

static struct hpkm_type_member *find_member(struct hpkm_type_members *members,
				       const char *name)
{
	for (size_t i = 0; *name && i < members->count; i++)
		if (!strcmp(members->list[i].name, name))
			return &members->list[i];
	return NULL;
}

static bool same_shape(struct layout *l, struct hpkm_type_member *a,
		       struct hpkm_type_member *b)
{
	return a->bits == b->bits && a->typed == b->typed &&
		(!a->typed || hpkm_type_same(l->arena, &a->type, &b->type));
}

/* A member of the other build that stands in its place under a new name. */
static struct hpkm_type_member *renamed(struct layout *l, struct hpkm_type_member *m,
				   struct hpkm_type_members *own,
				   struct hpkm_type_members *other)
{
	for (size_t i = 0; i < other->count; i++) {
		struct hpkm_type_member *x = &other->list[i];

		if (x->bit == m->bit && same_shape(l, m, x) &&
		    !find_member(own, x->name))
			return x;
	}
	return NULL;
}

/* Returns whether something was wrong with it. */
static bool compare_member(struct layout *l, const struct named *n,
			   struct hpkm_type_member *a, struct hpkm_type_members *olds,
			   struct hpkm_type_members *news)
{
	struct hpkm_type_member *b = find_member(news, a->name);
	bool bits;

	if (!b) {
		b = renamed(l, a, olds, news);
		if (!b)
			report_printf(l, n, "member %s is gone", a->name);
		else if (*a->name)
			hpkm_caution(&l->patch->verdicts, n->name,
				     "member %s is called %s now", a->name,
				     b->name);
		return !b;
	}
	bits = a->bits || b->bits;
	if (a->bit != b->bit)
		report_printf(l, n, "member %s moved from %s to %llu", a->name,
			      place_text(l->arena, a, bits),
			      (unsigned long long)b->bit / (bits ? 1 : 8));
	else if (a->bits != b->bits)
		report_printf(l, n,
			      "member %s changes from %llu to %llu bits",
			      a->name, (unsigned long long)a->bits,
			      (unsigned long long)b->bits);
	else if (!same_shape(l, a, b))
		report_printf(l, n, "member %s changes from %s to %s", a->name,
			      a->typed ? hpkm_type_text(l->arena, &a->type) :
			      "nothing",
			      b->typed ? hpkm_type_text(l->arena, &b->type) :
			      "nothing");
	else
		return false;
	return true;
}

/* One finding is enough: what follows a member moves with it. */
static void compare_members(struct layout *l, struct named *o, struct named *n,
			    uint64_t old_size, uint64_t new_size)
{
	struct hpkm_type_members olds, news;

	hpkm_type_list_members(l->arena, &o->die, &olds);
	hpkm_type_list_members(l->arena, &n->die, &news);
	for (size_t i = 0; i < olds.count; i++)
		if (compare_member(l, n, &olds.list[i], &olds, &news))
			return;
	for (size_t i = 0; i < news.count; i++) {
		struct hpkm_type_member *m = &news.list[i];

		if ((m->shared && old_size == new_size) ||
		    find_member(&olds, m->name) ||
		    renamed(l, m, &news, &olds))
			continue;
		report_printf(l, n,
			      "member %s is new, at %s; existing objects have no value in it",
			      m->name, place_text(l->arena, m, m->bits));
		return;
	}
	/* Padding at its end, or an alignment. */
	if (old_size != new_size)
		report(l, n, "no member changes");
}

/* Whatever is found, who allows it has to know that it grows. */
static void compare_aggregates(struct layout *l, struct named *o,
			       struct named *n)
{
	uint64_t old_size = hpkm_type_size(&o->die);
	uint64_t new_size = hpkm_type_size(&n->die);

	if (old_size != new_size)
		l->also = hpkm_arena_printf(l->arena,
					    "; its size changes from %llu to %llu bytes",
					    (unsigned long long)old_size,
					    (unsigned long long)new_size);
	compare_members(l, o, n, old_size, new_size);
	l->also = "";
}

static bool enumerator_value(Dwarf_Die *die, Dwarf_Sword *value)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, DW_AT_const_value, &a) &&
		!dwarf_formsdata(&a, value);
}

static bool find_enumerator(Dwarf_Die *type, const char *name,
			    Dwarf_Sword *value)
{
	Dwarf_Die die;

	if (dwarf_child(type, &die))
		return false;
	do {
		if (dwarf_tag(&die) == DW_TAG_enumerator &&
		    dwarf_diename(&die) && !strcmp(dwarf_diename(&die), name))
			return enumerator_value(&die, value);
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

static void compare_enums(struct layout *l, struct named *o, struct named *n)
{
	uint64_t old_size = hpkm_type_size(&o->die);
	uint64_t new_size = hpkm_type_size(&n->die);
	Dwarf_Sword old, new;
	Dwarf_Die die;

	if (old_size != new_size) {
		report_printf(l, n, "its size changes from %llu to %llu bytes",
			      (unsigned long long)old_size,
			      (unsigned long long)new_size);
		return;
	}
	if (dwarf_child(&o->die, &die))
		return;
	do {
		const char *name = dwarf_diename(&die);

		if (dwarf_tag(&die) != DW_TAG_enumerator || !name ||
		    !enumerator_value(&die, &old) ||
		    !find_enumerator(&n->die, name, &new) || old == new)
			continue;
		report_printf(l, n, "%s changes from %lld to %lld", name,
			      (long long)old, (long long)new);
		return;
	} while (!dwarf_siblingof(&die, &die));
}

/* Like a macro's, the value of a nameless enumeration's constant is code. */
static void compare_constants(struct layout *l, struct named *o,
			      struct named *n)
{
	Dwarf_Sword old, new;

	if (enumerator_value(&o->die, &old) &&
	    enumerator_value(&n->die, &new) && old != new)
		hpkm_caution(&l->patch->verdicts, n->name,
			     "it changes from %lld to %lld; what the process has stored keeps the old value",
			     (long long)old, (long long)new);
}

static void compare_variables(struct layout *l, struct named *o,
			      struct named *n)
{
	Dwarf_Die a, b;

	/* The size of a variable is compared in stage 2. */
	if (o->item && n->item && o->item->size != n->item->size)
		return;
	if (hpkm_type_same_of(l->arena, &o->die, &n->die) ||
	    !hpkm_type_of(&o->die, &a) || !hpkm_type_of(&n->die, &b))
		return;
	report_printf(l, n, "the type of a live variable changes from %s to %s",
		      hpkm_type_text(l->arena, &a),
		      hpkm_type_text(l->arena, &b));
}

static void compare_named(struct layout *l, struct named *o, struct named *n)
{
	if (o->kind != n->kind) {
		report(l, n, "it is quite another type now");
		return;
	}
	switch (n->kind) {
	case NAMED_AGGREGATE:
		compare_aggregates(l, o, n);
		break;
	case NAMED_ENUM:
		compare_enums(l, o, n);
		break;
	case NAMED_CONSTANT:
		compare_constants(l, o, n);
		break;
	case NAMED_VARIABLE:
		compare_variables(l, o, n);
		break;
	}
}

/* Of several that have one name, the first is compared with the first. */
static void compare_lists(struct layout *l, struct names *olds,
			  struct names *news)
{
	size_t i = 0, k = 0;
	int order;

	while (i < olds->count && k < news->count) {
		order = strcmp(olds->list[i].name, news->list[k].name);
		if (!order)
			compare_named(l, &olds->list[i], &news->list[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

/* ---- objects ---- */

/* A function that is new uses layouts as one does that has changed. */
static bool has_changes(const struct hpkm_object *new)
{
	for (size_t i = 0; i < new->item_count; i++) {
		const struct hpkm_item *n = new->items[i];

		if ((n->changed && !n->asked) ||
		    (n->kind == HPKM_ITEM_FUNC && !n->pair))
			return true;
	}
	return false;
}

static void check_pair(struct layout *l, struct hpkm_pair *pair)
{
	struct names olds = { .object = &pair->old };
	struct names news = { .object = &pair->new };

	/* Nothing to compare with in a file that is new. */
	if (!pair->old.item_count)
		return;
	if (hpkm_debuginfo_open(&pair->old) &&
	    hpkm_debuginfo_open(&pair->new)) {
		read_names(&olds);
		read_names(&news);
		compare_lists(l, &olds, &news);
	} else {
		l->unread = hpkm_arena_printf(l->arena, "%s%s%s",
					      l->unread_count ? l->unread : "",
					      l->unread_count ? ", " : "",
					      pair->new.elf.path);
		l->unread_count++;
	}
	hpkm_debuginfo_close(&pair->old);
	hpkm_debuginfo_close(&pair->new);
}

void hpkm_layout_check(struct hpkm_patch *patch, const char *const *allowed,
		       size_t allowed_count)
{
	struct layout l = {
		.patch = patch,
		.arena = patch->arena,
		.also = "",
		.allowed = allowed,
		.allowed_count = allowed_count,
	};

	for (size_t i = 0; i < patch->pair_count; i++)
		if (has_changes(&patch->pairs[i].new))
			check_pair(&l, &patch->pairs[i]);
	if (l.unread_count)
		hpkm_caution_with(&patch->verdicts, "", l.unread,
				  "the layouts of structures were not compared: no debug information in %zu object%s (compile with -g)",
				  l.unread_count,
				  l.unread_count == 1 ? "" : "s");
}
