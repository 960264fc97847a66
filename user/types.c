// SPDX-License-Identifier: GPL-2.0
/* C types as DWARF describes them.  Damaged DWARF may lead in circles. */
#include <dwarf.h>
#include <string.h>

#include "types.h"

#define DEPTH_MAX 12
#define CHAIN_MAX 64
#define MEMBERS_MAX 65536

bool hpkm_type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, DW_AT_type, &a) &&
		dwarf_formref_die(&a, type);
}

static bool is_dress(int tag)
{
	return tag == DW_TAG_typedef || tag == DW_TAG_const_type ||
		tag == DW_TAG_volatile_type || tag == DW_TAG_restrict_type ||
		tag == DW_TAG_atomic_type;
}

/* Takes off what a type only wears; false: it is void. */
static bool undress(Dwarf_Die *type)
{
	Dwarf_Die next;

	for (int i = 0; i < CHAIN_MAX; i++) {
		if (!is_dress(dwarf_tag(type)))
			return true;
		if (!hpkm_type_of(type, &next))
			return false;
		*type = next;
	}
	return false;
}

bool hpkm_type_plain(Dwarf_Die *die, Dwarf_Die *type)
{
	return hpkm_type_of(die, type) && undress(type);
}

static bool flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute a;
	bool value;

	return dwarf_attr(die, name, &a) && !dwarf_formflag(&a, &value) &&
		value;
}

static bool number(Dwarf_Die *die, unsigned int name, uint64_t *value)
{
	Dwarf_Attribute a;
	Dwarf_Word word;

	if (!dwarf_attr_integrate(die, name, &a) ||
	    dwarf_formudata(&a, &word))
		return false;
	*value = word;
	return true;
}

static bool is_aggregate(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
		tag == DW_TAG_class_type;
}

bool hpkm_type_is_defined(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return (is_aggregate(tag) || tag == DW_TAG_enumeration_type) &&
		!flag(die, DW_AT_declaration);
}

uint64_t hpkm_type_size(Dwarf_Die *type)
{
	uint64_t size = 0;

	number(type, DW_AT_byte_size, &size);
	return size;
}

/* ---- members ---- */

/*
 * DW_AT_data_bit_offset counts from the start of the struct; the older
 * DW_AT_bit_offset from the top of a unit of DW_AT_byte_size.
 */
static void place_member(Dwarf_Die *die, struct hpkm_type_member *m)
{
	uint64_t at = 0, top, unit = 0;
	Dwarf_Die type;

	number(die, DW_AT_bit_size, &m->bits);
	if (number(die, DW_AT_data_bit_offset, &m->bit))
		return;
	number(die, DW_AT_data_member_location, &at);
	m->bit = at * 8;
	if (!m->bits || !number(die, DW_AT_bit_offset, &top))
		return;
	if (!number(die, DW_AT_byte_size, &unit) &&
	    hpkm_type_plain(die, &type))
		unit = hpkm_type_size(&type);
	m->bit += unit * 8 - top - m->bits;
}

static void add_members(struct hpkm_arena *arena, Dwarf_Die *type,
			struct hpkm_type_members *members, uint64_t base,
			bool shared, unsigned int depth)
{
	Dwarf_Die die, plain;

	shared |= dwarf_tag(type) == DW_TAG_union_type;
	if (depth > DEPTH_MAX || dwarf_child(type, &die))
		return;
	do {
		struct hpkm_type_member m = { .shared = shared };

		if (dwarf_tag(&die) != DW_TAG_member ||
		    members->count >= MEMBERS_MAX)
			continue;
		m.name = dwarf_diename(&die);
		m.typed = hpkm_type_of(&die, &m.type);
		place_member(&die, &m);
		m.bit += base;
		plain = m.type;
		if (!m.name && m.typed && undress(&plain) &&
		    is_aggregate(dwarf_tag(&plain))) {
			add_members(arena, &plain, members, m.bit, shared,
				    depth + 1);
			continue;
		}
		if (!m.name)
			m.name = "";
		members->list = hpkm_arena_push(arena, members->list,
						members->count, sizeof(m));
		members->list[members->count++] = m;
	} while (!dwarf_siblingof(&die, &die));
}

void hpkm_type_list_members(struct hpkm_arena *arena, Dwarf_Die *type,
		       struct hpkm_type_members *members)
{
	memset(members, 0, sizeof(*members));
	add_members(arena, type, members, 0, false, 0);
}

/* ---- sameness ---- */

static bool same(struct hpkm_arena *arena, Dwarf_Die o, Dwarf_Die n,
		 unsigned int depth);

enum base_class { BASE_INTEGER, BASE_FLOAT, BASE_BOOLEAN, BASE_OTHER };

/* Signed or not, the bits of a number stay what they are. */
static enum base_class base_class(Dwarf_Die *type)
{
	uint64_t encoding = 0;

	number(type, DW_AT_encoding, &encoding);
	switch (encoding) {
	case DW_ATE_signed:
	case DW_ATE_unsigned:
	case DW_ATE_signed_char:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
		return BASE_INTEGER;
	case DW_ATE_float:
		return BASE_FLOAT;
	case DW_ATE_boolean:
		return BASE_BOOLEAN;
	default:
		return BASE_OTHER;
	}
}

static bool is_byte(Dwarf_Die *type)
{
	return dwarf_tag(type) == DW_TAG_base_type && hpkm_type_size(type) == 1;
}

/* void leads to anything, and bytes of any kind are bytes. */
static bool same_pointee(struct hpkm_arena *arena, Dwarf_Die *o, Dwarf_Die *n,
			 unsigned int depth)
{
	Dwarf_Die a, b;

	if (!hpkm_type_plain(o, &a) || !hpkm_type_plain(n, &b) ||
	    (is_byte(&a) && is_byte(&b)))
		return true;
	if (is_aggregate(dwarf_tag(&a)) && dwarf_diename(&a) &&
	    dwarf_diename(&b))
		return dwarf_tag(&a) == dwarf_tag(&b) &&
			!strcmp(dwarf_diename(&a), dwarf_diename(&b));
	return same(arena, a, b, depth + 1);
}

/* The first bound of the subrange, or how many elements; ~0: not known. */
static uint64_t elements(Dwarf_Die *range)
{
	uint64_t count;

	if (number(range, DW_AT_count, &count))
		return count;
	if (number(range, DW_AT_upper_bound, &count))
		return count + 1;
	return UINT64_MAX;
}

static bool next_of(Dwarf_Die *die, bool first, int tag, Dwarf_Die *next)
{
	int end = first ? dwarf_child(die, next) : dwarf_siblingof(next, next);

	for (; !end; end = dwarf_siblingof(next, next))
		if (dwarf_tag(next) == tag)
			return true;
	return false;
}

static bool same_array(struct hpkm_arena *arena, Dwarf_Die *o, Dwarf_Die *n,
		       unsigned int depth)
{
	bool first = true, more_o, more_n;
	Dwarf_Die a, b;

	for (;; first = false) {
		more_o = next_of(o, first, DW_TAG_subrange_type, &a);
		more_n = next_of(n, first, DW_TAG_subrange_type, &b);
		if (!more_o || !more_n)
			break;
		if (elements(&a) != elements(&b))
			return false;
	}
	if (more_o != more_n || !hpkm_type_of(o, &a) || !hpkm_type_of(n, &b))
		return false;
	return same(arena, a, b, depth + 1);
}

static bool same_calls(struct hpkm_arena *arena, Dwarf_Die *o, Dwarf_Die *n,
		       unsigned int depth)
{
	bool first = true, more_o, more_n;
	Dwarf_Die a, b;

	more_o = hpkm_type_of(o, &a);
	more_n = hpkm_type_of(n, &b);
	if (more_o != more_n || (more_o && !same(arena, a, b, depth + 1)))
		return false;
	for (;; first = false) {
		Dwarf_Die p, q;

		more_o = next_of(o, first, DW_TAG_formal_parameter, &a);
		more_n = next_of(n, first, DW_TAG_formal_parameter, &b);
		if (!more_o || !more_n)
			break;
		if (hpkm_type_of(&a, &p) && hpkm_type_of(&b, &q) &&
		    !same(arena, p, q, depth + 1))
			return false;
	}
	return more_o == more_n &&
		next_of(o, true, DW_TAG_unspecified_parameters, &a) ==
		next_of(n, true, DW_TAG_unspecified_parameters, &b);
}

/* "()" in C: nothing is said of the parameters. */
static bool is_unprototyped(Dwarf_Die *func)
{
	Dwarf_Die p;

	return !flag(func, DW_AT_prototyped) &&
		!next_of(func, true, DW_TAG_formal_parameter, &p) &&
		next_of(func, true, DW_TAG_unspecified_parameters, &p);
}

/* Is it passed as itself where there is no prototype, too? */
static bool is_promoted(Dwarf_Die *type)
{
	switch (dwarf_tag(type)) {
	case DW_TAG_enumeration_type:
		return hpkm_type_size(type) >= sizeof(int);
	case DW_TAG_base_type:
		switch (base_class(type)) {
		case BASE_INTEGER:
			return hpkm_type_size(type) >= sizeof(int);
		case BASE_FLOAT:
			return hpkm_type_size(type) >= sizeof(double);
		default:
			return false;
		}
	default:
		return true;
	}
}

/* C11, 6.7.6.3, 15: calls without this prototype are right all the same. */
static bool suits_no_prototype(Dwarf_Die *func)
{
	Dwarf_Die p, type;
	bool more;

	if (!flag(func, DW_AT_prototyped) ||
	    next_of(func, true, DW_TAG_unspecified_parameters, &type))
		return false;
	for (more = next_of(func, true, DW_TAG_formal_parameter, &p); more;
	     more = next_of(func, false, DW_TAG_formal_parameter, &p))
		if (!hpkm_type_plain(&p, &type) || !is_promoted(&type))
			return false;
	return true;
}

/* What function pointers lead to. */
static bool same_callee(struct hpkm_arena *arena, Dwarf_Die *o, Dwarf_Die *n,
			unsigned int depth)
{
	Dwarf_Die a, b;
	bool some;

	if ((!is_unprototyped(o) || !suits_no_prototype(n)) &&
	    (!is_unprototyped(n) || !suits_no_prototype(o)))
		return same_calls(arena, o, n, depth);
	some = hpkm_type_of(o, &a);
	return some == hpkm_type_of(n, &b) &&
		(!some || same(arena, a, b, depth + 1));
}

/* Of types with other names, or none. */
static bool same_body(struct hpkm_arena *arena, Dwarf_Die *o, Dwarf_Die *n,
		      unsigned int depth)
{
	struct hpkm_type_members a, b;

	if (hpkm_type_size(o) != hpkm_type_size(n))
		return false;
	hpkm_type_list_members(arena, o, &a);
	hpkm_type_list_members(arena, n, &b);
	if (a.count != b.count)
		return false;
	for (size_t i = 0; i < a.count; i++) {
		const struct hpkm_type_member *x = &a.list[i], *y = &b.list[i];

		if (strcmp(x->name, y->name) || x->bit != y->bit ||
		    x->bits != y->bits || x->typed != y->typed ||
		    (x->typed && !same(arena, x->type, y->type, depth + 1)))
			return false;
	}
	return true;
}

static bool same(struct hpkm_arena *arena, Dwarf_Die o, Dwarf_Die n,
		 unsigned int depth)
{
	bool some_o = undress(&o), some_n = undress(&n);
	int tag = dwarf_tag(&o);
	const char *a, *b;

	if (depth > DEPTH_MAX || !some_o || !some_n)
		return some_o == some_n;
	if (tag != dwarf_tag(&n)) {
		/* An enumeration is an integer. */
		int other = dwarf_tag(&n);

		return (tag == DW_TAG_enumeration_type ||
			other == DW_TAG_enumeration_type) &&
			(tag == DW_TAG_base_type ||
			 other == DW_TAG_base_type) &&
			hpkm_type_size(&o) == hpkm_type_size(&n);
	}
	switch (tag) {
	case DW_TAG_base_type:
		return hpkm_type_size(&o) == hpkm_type_size(&n) &&
			base_class(&o) == base_class(&n);
	case DW_TAG_enumeration_type:
		return hpkm_type_size(&o) == hpkm_type_size(&n);
	case DW_TAG_pointer_type:
		return same_pointee(arena, &o, &n, depth);
	case DW_TAG_array_type:
		return same_array(arena, &o, &n, depth);
	case DW_TAG_subroutine_type:
		return same_callee(arena, &o, &n, depth);
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_class_type:
		a = dwarf_diename(&o);
		b = dwarf_diename(&n);
		if (a && b && !strcmp(a, b))
			return true;
		return same_body(arena, &o, &n, depth);
	default:
		return hpkm_type_size(&o) == hpkm_type_size(&n);
	}
}

bool hpkm_type_same(struct hpkm_arena *arena, Dwarf_Die *old, Dwarf_Die *new)
{
	return same(arena, *old, *new, 0);
}

bool hpkm_type_same_of(struct hpkm_arena *arena, Dwarf_Die *old,
		       Dwarf_Die *new)
{
	bool some_o, some_n;
	Dwarf_Die o, n;

	some_o = hpkm_type_of(old, &o);
	some_n = hpkm_type_of(new, &n);
	if (!some_o || !some_n)
		return some_o == some_n;
	return same(arena, o, n, 0);
}

bool hpkm_type_same_calls(struct hpkm_arena *arena, Dwarf_Die *old,
			  Dwarf_Die *new)
{
	return same_calls(arena, old, new, 0);
}

/* ---- text ---- */

static const char *text(struct hpkm_arena *arena, Dwarf_Die *type,
			unsigned int depth);

static const char *text_of(struct hpkm_arena *arena, Dwarf_Die *die,
			   unsigned int depth)
{
	Dwarf_Die type;

	return hpkm_type_of(die, &type) ? text(arena, &type, depth + 1) :
		"void";
}

static const char *call_text(struct hpkm_arena *arena, Dwarf_Die *func,
			     const char *name, unsigned int depth)
{
	const char *list = "", *none = "void";
	Dwarf_Die p;

	for (bool more = next_of(func, true, DW_TAG_formal_parameter, &p);
	     more; more = next_of(func, false, DW_TAG_formal_parameter, &p))
		list = hpkm_arena_printf(arena, "%s%s%s", list,
					 *list ? ", " : "",
					 text_of(arena, &p, depth));
	if (next_of(func, true, DW_TAG_unspecified_parameters, &p)) {
		if (*list)
			list = hpkm_arena_printf(arena, "%s, ...", list);
		none = flag(func, DW_AT_prototyped) ? "..." : "";
	}
	return hpkm_arena_printf(arena, "%s %s(%s)",
				 text_of(arena, func, depth), name,
				 *list ? list : none);
}

static const char *text(struct hpkm_arena *arena, Dwarf_Die *type,
			unsigned int depth)
{
	const char *name = dwarf_diename(type), *inner, *prefix = "";
	Dwarf_Die range;
	uint64_t count;

	if (depth > DEPTH_MAX)
		return "...";
	switch (dwarf_tag(type)) {
	case DW_TAG_pointer_type:
		if (hpkm_type_of(type, &range) &&
		    dwarf_tag(&range) == DW_TAG_subroutine_type)
			return call_text(arena, &range, "(*)", depth + 1);
		inner = text_of(arena, type, depth);
		return hpkm_arena_printf(arena, "%s%s*", inner,
					 inner[strlen(inner) - 1] == '*' ?
					 "" : " ");
	case DW_TAG_const_type:
		return hpkm_arena_printf(arena, "const %s",
					 text_of(arena, type, depth));
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return text_of(arena, type, depth);
	case DW_TAG_array_type:
		inner = text_of(arena, type, depth);
		for (bool more = next_of(type, true, DW_TAG_subrange_type,
					 &range);
		     more; more = next_of(type, false, DW_TAG_subrange_type,
					  &range)) {
			count = elements(&range);
			inner = count == UINT64_MAX ?
				hpkm_arena_printf(arena, "%s[]", inner) :
				hpkm_arena_printf(arena, "%s[%llu]", inner,
						  (unsigned long long)count);
		}
		return inner;
	case DW_TAG_subroutine_type:
		return call_text(arena, type, "", depth + 1);
	case DW_TAG_structure_type:
		prefix = "struct ";
		break;
	case DW_TAG_union_type:
		prefix = "union ";
		break;
	case DW_TAG_enumeration_type:
		prefix = "enum ";
		break;
	}
	return hpkm_arena_printf(arena, "%s%s", prefix,
				 name ? name : "{...}");
}

const char *hpkm_type_text(struct hpkm_arena *arena, Dwarf_Die *type)
{
	return text(arena, type, 0);
}

const char *hpkm_type_call_text(struct hpkm_arena *arena, Dwarf_Die *func)
{
	return call_text(arena, func, "", 0);
}
