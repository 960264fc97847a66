// SPDX-License-Identifier: GPL-2.0
/*
 * Which implementation an IFUNC stands for in a process (before stage 5).
 *
 * Its value is the address of a resolver, which the dynamic linker calls and
 * whose answer it writes into a slot.  The resolver can't be called in the
 * process; but the answer is there wherever a slot was filled with it:
 *
 *   - the object's own calls have IRELATIVE slots, filled when it was loaded;
 *   - objects that import the function have slots with its name.
 *
 * Else this very process is asked, if it has the same build of the object
 * loaded and every IRELATIVE slot was filled alike in both: then the
 * resolvers saw the same machine and the same tunables.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ifunc.h"
#include "linksym.h"

#define TABLE_MAX	(64ULL << 20)

/* Fewer slots that are alike prove nothing. */
#define ALIKE_MIN	8

struct table {
	Elf64_Rela *relas;
	size_t count;
};

static bool read_table(const struct hpkm_linkmap *map, uint64_t address,
		       uint64_t size, struct table *table)
{
	table->count = 0;
	table->relas = NULL;
	if (!address || !size || size > TABLE_MAX)
		return false;
	table->relas = malloc(size);
	if (!table->relas || !hpkm_linkmap_get(map, address, table->relas,
					       size)) {
		free(table->relas);
		table->relas = NULL;
		return false;
	}
	table->count = size / sizeof(*table->relas);
	return true;
}

/* Calls @visit for each dynamic relocation until it returns false. */
static void each_rela(const struct hpkm_linkmap *map,
		      const struct hpkm_linkmap_object *o,
		      bool (*visit)(const Elf64_Rela *rela, void *data),
		      void *data)
{
	const struct { uint64_t at, size; } tables[] = {
		{ o->rela, o->relasz }, { o->jmprel, o->pltrelsz },
	};
	bool more = true;

	for (int i = 0; i < 2 && more; i++) {
		struct table t;

		if (!read_table(map, tables[i].at, tables[i].size, &t))
			continue;
		for (size_t k = 0; k < t.count && more; k++)
			more = visit(&t.relas[k], data);
		free(t.relas);
	}
}

struct search {
	const struct hpkm_linkmap *map;
	const struct hpkm_linkmap_object *in;	/* whose slots are looked at */
	const struct hpkm_linkmap_object *of;	/* who has the function */
	const char *name;
	const struct hpkm_linkmap_symbol *symbol;
	uint64_t found;
	bool differ;
};

/* In the object itself, or (time, gettimeofday) in the kernel's vdso. */
static bool is_implementation(const struct hpkm_linkmap *map,
			      const struct hpkm_linkmap_object *o,
			      uint64_t value)
{
	return hpkm_linkmap_is_code(map, o, value) ||
		(map->vdso.base && hpkm_linkmap_is_code(map, &map->vdso,
							value));
}

static void note(struct search *s, uint64_t value)
{
	/* Not bound yet, or to another object's function. */
	if (!is_implementation(s->map, s->of, value) ||
	    value == s->of->bias + s->symbol->value)
		return;
	s->differ |= s->found && s->found != value;
	s->found = value;
}

static bool look_at(const Elf64_Rela *rela, void *data)
{
	struct search *s = data;
	uint32_t type = ELF64_R_TYPE(rela->r_info);
	uint32_t index = ELF64_R_SYM(rela->r_info);
	uint64_t slot = s->in->bias + rela->r_offset, value;
	Elf64_Sym sym;

	if (type == R_X86_64_IRELATIVE) {
		if (s->in == s->of &&
		    (uint64_t)rela->r_addend == s->symbol->value &&
		    hpkm_linkmap_get(s->map, slot, &value, sizeof(value)))
			note(s, value);
		return true;
	}
	/* An own slot that is bound lazily leads to its PLT: code as well. */
	if (!index || rela->r_addend ||
	    (type != R_X86_64_GLOB_DAT && type != R_X86_64_64 &&
	     (type != R_X86_64_JUMP_SLOT || s->in == s->of)))
		return true;
	if (!hpkm_linkmap_get(s->map, s->in->symtab + index * sizeof(sym),
			      &sym, sizeof(sym)) ||
	    sym.st_name >= s->in->strsz ||
	    !hpkm_linkmap_same(s->map, s->in->strtab + sym.st_name, s->name) ||
	    strcmp(hpkm_linkmap_version(s->map, s->in, index),
		   s->symbol->version))
		return true;
	if (hpkm_linkmap_get(s->map, slot, &value, sizeof(value)))
		note(s, value);
	return true;
}

/* ---- this process ---- */

struct alike {
	const struct hpkm_linkmap *map, *own_map;
	const struct hpkm_linkmap_object *object, *own;
	size_t count;
	bool differ;
};

static bool compare(const Elf64_Rela *rela, void *data)
{
	struct alike *a = data;
	uint64_t theirs, ours;

	if (ELF64_R_TYPE(rela->r_info) != R_X86_64_IRELATIVE)
		return true;
	if (!hpkm_linkmap_get(a->map, a->object->bias + rela->r_offset,
			      &theirs, sizeof(theirs)) ||
	    !hpkm_linkmap_get(a->own_map, a->own->bias + rela->r_offset,
			      &ours, sizeof(ours))) {
		a->differ = true;
		return false;
	}
	/* A function of the vdso is wherever that was mapped. */
	if (!hpkm_linkmap_is_code(a->map, a->object, theirs) &&
	    !hpkm_linkmap_is_code(a->own_map, a->own, ours))
		return true;
	a->differ = theirs - a->object->bias != ours - a->own->bias;
	a->count++;
	return !a->differ;
}

static const struct hpkm_linkmap_object *
same_object(const struct hpkm_linkmap *map,
	    const struct hpkm_linkmap_object *like)
{
	for (size_t i = 0; i < map->object_count; i++) {
		const struct hpkm_linkmap_object *o = &map->objects[i];

		if (o->id_kind == like->id_kind && o->id_size == like->id_size &&
		    !memcmp(o->id, like->id, o->id_size))
			return o;
	}
	return NULL;
}

static bool same_vdso(const struct hpkm_linkmap_object *a,
		      const struct hpkm_linkmap_object *b)
{
	return a->base && b->base && a->id_size == b->id_size &&
		!memcmp(a->id, b->id, a->id_size);
}

/* What an IFUNC stands for here. */
static uint64_t own_address(const struct hpkm_linkmap_object *own,
			    const char *name, const char *version)
{
	const char *file = *own->soname ? own->soname : own->name;
	void *handle = dlopen(file, RTLD_LAZY | RTLD_NOLOAD), *found;

	if (!handle)
		return 0;
	found = *version ? dlvsym(handle, name, version) : dlsym(handle, name);
	dlclose(handle);
	return (uint64_t)found;
}

static uint64_t ask_own(const struct hpkm_linkmap *map,
			const struct hpkm_linkmap_object *object,
			const char *name, const char *version)
{
	struct alike a = { .map = map, .object = object };
	struct hpkm_linkmap own;
	uint64_t found = 0;

	if (!hpkm_linkmap_read(&own, map->arena, getpid())) {
		a.own_map = &own;
		a.own = same_object(&own, object);
		if (a.own)
			each_rela(map, object, compare, &a);
		if (a.own && !a.differ && a.count >= ALIKE_MIN)
			found = own_address(a.own, name, version);
		if (hpkm_linkmap_is_code(&own, &own.vdso, found) &&
		    same_vdso(&own.vdso, &map->vdso))
			found = found - own.vdso.base + map->vdso.base;
		else if (found && hpkm_linkmap_is_code(&own, a.own, found))
			found = found - a.own->bias + object->bias;
		else
			found = 0;
	}
	hpkm_linkmap_close(&own);
	return found;
}

uint64_t hpkm_ifunc_resolve(const struct hpkm_linkmap *map,
			    const struct hpkm_linkmap_object *object,
			    const char *name,
			    const struct hpkm_linkmap_symbol *symbol,
			    char *why, size_t why_size)
{
	struct search s = {
		.map = map,
		.of = object,
		.name = name,
		.symbol = symbol,
	};
	uint64_t found;

	for (size_t i = 0; i < map->object_count; i++) {
		s.in = &map->objects[i];
		each_rela(map, s.in, look_at, &s);
	}
	if (s.differ) {
		snprintf(why, why_size,
			 "%s: an IFUNC of %s, and the process uses several implementations of it",
			 name, object->name);
		return 0;
	}
	found = s.found ? s.found : ask_own(map, object, name,
					    symbol->version);
	if (!found)
		snprintf(why, why_size,
			 "%s: an IFUNC of %s, and nothing in the process shows which implementation was chosen",
			 name, object->name);
	return found;
}
