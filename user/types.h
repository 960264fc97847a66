/* SPDX-License-Identifier: GPL-2.0 */
/* C types as DWARF describes them, old and new.  For layout and signatures. */
#ifndef HPKM_TYPES_H
#define HPKM_TYPES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

/* A member of a struct or union; those of nameless ones count as its own. */
struct hpkm_type_member {
	const char *name;
	uint64_t bit;		/* where it starts */
	uint64_t bits;		/* of a bit-field, else 0 */
	bool shared;		/* it lies in a union */
	bool typed;
	Dwarf_Die type;
};

struct hpkm_type_members {
	struct hpkm_type_member *list;
	size_t count;
};

/* Where DW_AT_type leads; false: to nothing, which is void. */
bool hpkm_type_of(Dwarf_Die *die, Dwarf_Die *type);
/* The same with typedefs and qualifiers taken off. */
bool hpkm_type_plain(Dwarf_Die *die, Dwarf_Die *type);
/* struct, union or enum with a body */
bool hpkm_type_is_defined(Dwarf_Die *die);
uint64_t hpkm_type_size(Dwarf_Die *type);

void hpkm_type_list_members(struct hpkm_arena *arena, Dwarf_Die *type,
		       struct hpkm_type_members *members);

/*
 * Do values of both mean the same?  A named struct is the same as one of that
 * name: their layouts are compared for themselves.
 */
bool hpkm_type_same(struct hpkm_arena *arena, Dwarf_Die *old, Dwarf_Die *new);
/* The same of what DW_AT_type of both leads to. */
bool hpkm_type_same_of(struct hpkm_arena *arena, Dwarf_Die *old,
		       Dwarf_Die *new);
/* The same of the parameters and results of functions. */
bool hpkm_type_same_calls(struct hpkm_arena *arena, Dwarf_Die *old,
			  Dwarf_Die *new);

/* For messages: "struct conn *", "unsigned int [16]". */
const char *hpkm_type_text(struct hpkm_arena *arena, Dwarf_Die *type);
/* "int (struct conn *, char)" */
const char *hpkm_type_call_text(struct hpkm_arena *arena, Dwarf_Die *func);

#endif /* HPKM_TYPES_H */
