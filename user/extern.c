// SPDX-License-Identifier: GPL-2.0
/*
 * The externs of a patch, looked for in a process (before stage 5) as its
 * dynamic linker would look for a reference of the object that is patched:
 * first in what was loaded with the program, then in that object and what it
 * needs.  What the program loaded by itself (dlopen) is not for everybody
 * unless it said so, which can't be seen: that is refused.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "extern.h"
#include "ifunc.h"
#include "image.h"
#include "linkmap.h"
#include "linksym.h"

struct finder {
	struct hpkm_linkmap map;
	const void *image;
	size_t *scope;		/* objects, in the order they are searched */
	size_t scope_count;
	char *why;
	size_t why_size;
};

static bool is_object(const struct hpkm_linkmap_object *o,
		      const struct hpkm_image_object *like)
{
	return o->id_kind == like->id_kind && o->id_size == like->id_size &&
		!memcmp(o->id, like->id, o->id_size);
}

/* What is searched for a reference of one anchor. */
static int find_scope(struct finder *f, const struct hpkm_image_object *anchor)
{
	size_t n = f->map.object_count, own = 0;
	bool *seen = hpkm_arena_alloc(f->map.arena, n, sizeof(*seen));

	f->scope = hpkm_arena_alloc(f->map.arena, n + 1, sizeof(*f->scope));
	f->scope_count = 0;
	while (own < n && !is_object(&f->map.objects[own], anchor))
		own++;
	if (own == n) {
		snprintf(f->why, f->why_size,
			 "%s is not among what the process's dynamic linker has loaded",
			 hpkm_image_string(f->image, anchor->name));
		return -ENOENT;
	}
	for (size_t i = 0; i < n; i++) {
		if (!f->map.objects[i].global)
			continue;
		seen[i] = true;
		f->scope[f->scope_count++] = i;
	}
	f->scope_count += hpkm_linkmap_closure(&f->map, own, seen,
					       f->scope + f->scope_count);
	return 0;
}

static const struct hpkm_linkmap_object *
find_symbol(struct finder *f, const char *name, const char *version,
	    struct hpkm_linkmap_symbol *symbol)
{
	for (size_t i = 0; i < f->scope_count; i++) {
		const struct hpkm_linkmap_object *o =
			&f->map.objects[f->scope[i]];

		if (hpkm_linkmap_find(&f->map, o, name, version, symbol))
			return o;
	}
	return NULL;
}

/* Nobody who is asked has it: is there anybody else who has? */
static void explain(struct finder *f, const char *name, const char *version)
{
	const char *at = *version ? "@" : "";
	struct hpkm_linkmap_symbol symbol;

	for (size_t i = 0; i < f->map.object_count; i++) {
		const struct hpkm_linkmap_object *o = &f->map.objects[i];

		if (!hpkm_linkmap_find(&f->map, o, name, version, &symbol))
			continue;
		snprintf(f->why, f->why_size,
			 "%s%s%s: only %s has it, which the program loaded by itself (dlopen)",
			 name, at, version, o->name);
		return;
	}
	snprintf(f->why, f->why_size,
		 "%s%s%s: no library that the process has loaded has it", name,
		 at, version);
}

/* Return: the address, or 0 after a reason. */
static uint64_t symbol_address(struct finder *f,
			       const struct hpkm_linkmap_object *o,
			       const char *name,
			       const struct hpkm_linkmap_symbol *symbol)
{
	const char *problem = NULL;

	if (symbol->type == STT_GNU_IFUNC)
		return hpkm_ifunc_resolve(&f->map, o, name, symbol, f->why,
					  f->why_size);
	if (symbol->type == STT_TLS)
		problem = "a thread-local variable";
	else if (symbol->section == SHN_ABS)
		problem = "no address, but a number";
	if (!problem)
		return o->bias + symbol->value;
	snprintf(f->why, f->why_size, "%s: in %s it is %s", name, o->name,
		 problem);
	return 0;
}

static void add_bound(struct hpkm_bindings *bindings,
		      const struct hpkm_linkmap_object *o, uint32_t index,
		      uint64_t offset)
{
	struct hpkm_binding *b = NULL;

	/* Another place in the same object is another binding. */
	for (size_t i = 0; i < bindings->count && !b; i++) {
		b = &bindings->list[i];
		if (b->id_kind != o->id_kind || b->id_size != o->id_size ||
		    memcmp(b->id, o->id, o->id_size))
			b = NULL;
		for (size_t k = 0; b && k < b->bound_count; k++) {
			if (b->bound[k].index != index)
				continue;
			if (b->bound[k].offset == offset)
				return;
			b = NULL;
		}
	}
	if (!b) {
		bindings->list = hpkm_arena_push(&bindings->arena,
						 bindings->list,
						 bindings->count, sizeof(*b));
		b = &bindings->list[bindings->count++];
		*b = (struct hpkm_binding){
			.id_kind = o->id_kind,
			.id_offset = o->id_offset,
			.id_size = o->id_size,
		};
		memcpy(b->id, o->id, o->id_size);
	}
	b->bound = hpkm_arena_push(&bindings->arena, b->bound, b->bound_count,
				   sizeof(*b->bound));
	b->bound[b->bound_count++] = (struct hpkm_bound){ index, offset };
}

static int bind_one(struct finder *f, struct hpkm_bindings *bindings,
		    uint32_t index)
{
	const struct hpkm_image_extern *e =
		&hpkm_image_externs(f->image)[index];
	const char *version = hpkm_image_string(f->image, e->version);
	const char *name = hpkm_image_string(f->image, e->name);
	const struct hpkm_linkmap_object *o;
	struct hpkm_linkmap_symbol symbol;
	uint64_t address;
	int ret;

	ret = find_scope(f, &hpkm_image_objects(f->image)[e->object]);
	if (ret)
		return ret;
	o = find_symbol(f, name, version, &symbol);
	if (!o && e->flags & HPKM_EXTERN_WEAK)
		return 0;
	if (!o) {
		explain(f, name, version);
		return -ENOENT;
	}
	address = symbol_address(f, o, name, &symbol);
	if (!address)
		return -EOPNOTSUPP;
	if (symbol.type == STT_GNU_IFUNC)
		o = hpkm_linkmap_owner(&f->map, address);
	add_bound(bindings, o, index, address - o->base);
	return 0;
}

/* Is every anchor of the image mapped? */
static bool is_concerned(const struct finder *f)
{
	const struct hpkm_image_object *o = hpkm_image_objects(f->image);

	for (uint32_t i = 0; i < hpkm_image_header(f->image)->objects.count;
	     i++) {
		size_t k = 0;

		while (k < f->map.object_count &&
		       !is_object(&f->map.objects[k], &o[i]))
			k++;
		if (o[i].role == HPKM_OBJECT_ANCHOR &&
		    k == f->map.object_count)
			return false;
	}
	return true;
}

int hpkm_extern_bind(struct hpkm_bindings *bindings, const void *image,
		     uint32_t pid, char *why, size_t why_size)
{
	struct finder f = {
		.image = image,
		.why = why,
		.why_size = why_size,
	};
	struct hpkm_arena arena = { 0 };
	int ret;

	ret = hpkm_linkmap_read(&f.map, &arena, pid) || !is_concerned(&f);
	for (uint32_t i = 0; !ret && i < hpkm_image_header(image)->externs.count;
	     i++)
		ret = bind_one(&f, bindings, i);
	hpkm_linkmap_close(&f.map);
	hpkm_arena_free(&arena);
	return ret;
}

void hpkm_bindings_free(struct hpkm_bindings *bindings)
{
	hpkm_arena_free(&bindings->arena);
	bindings->list = NULL;
	bindings->count = 0;
}
