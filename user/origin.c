// SPDX-License-Identifier: GPL-2.0
/*
 * Where the target was built (stage 1).  A file name that is compiled in, as
 * by assert(), is a part of the code that is compared with the target's; if
 * it is a full path, both builds must have the same one.  Debug information
 * has the full path of each source: less its name in the tree, that is what
 * is looked for.  Most of them decide.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "origin.h"

struct origin {
	const char *path;
	size_t votes;
};

struct search {
	struct hpkm_arena *arena;
	const char *source;
	struct origin *origins;
	size_t count, units;
};

static void vote(struct search *s, const char *path)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!strcmp(s->origins[i].path, path)) {
			s->origins[i].votes++;
			return;
		}
	}
	s->origins = hpkm_arena_push(s->arena, s->origins, s->count,
				     sizeof(*s->origins));
	s->origins[s->count++] = (struct origin){ .path = path, .votes = 1 };
}

/* Without "." and ".." in the middle: @path is changed. */
static char *simplify(struct search *s, char *path)
{
	char *out = hpkm_arena_alloc(s->arena, strlen(path) + 2, 1);
	size_t n = 0, length;

	for (char *p = path; *p; p += length) {
		if (*p == '/') {
			if (!n || out[n - 1] != '/')
				out[n++] = '/';
			length = 1;
			continue;
		}
		length = strcspn(p, "/");
		if (length == 1 && *p == '.' && n)
			continue;
		if (length == 2 && !memcmp(p, "..", 2) && n > 1) {
			do
				n--;
			while (n && out[n - 1] != '/');
			continue;
		}
		memcpy(out + n, p, length);
		n += length;
	}
	out[n] = 0;
	return out;
}

/* The more of its path is a name in the tree, the surer it is that file. */
static void add_unit(struct search *s, Dwarf_Die *unit)
{
	Dwarf_Attribute attr;
	const char *dir, *name;
	char *path, *rest, there[4096];
	bool full;

	name = dwarf_diename(unit);
	dir = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
	if (!name)
		return;
	/* A full path that was mapped to "." is one all the same. */
	full = *name == '/' || (dir && *dir == '.' && !strncmp(name, "./", 2));
	if (!full && !dir)
		return;
	path = simplify(s, full ? hpkm_arena_printf(s->arena, "%s", name) :
			hpkm_arena_printf(s->arena, "%s/%s", dir, name));
	for (rest = strchr(path, '/'); rest; rest = strchr(rest + 1, '/')) {
		snprintf(there, sizeof(there), "%s%s", s->source, rest);
		if (rest == path || access(there, F_OK))
			continue;
		*rest = 0;
		s->units++;
		vote(s, path);
		return;
	}
}

const char *hpkm_origin_find(struct hpkm_arena *arena,
			     const struct hpkm_anchor *anchor,
			     const char *source)
{
	struct search s = { .arena = arena, .source = source };
	const struct hpkm_elf *elf = &anchor->elf;
	const char *best = NULL;
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit, sub;
	Dwarf_Half version;
	uint8_t type;
	Dwarf *dwarf;
	Elf *e;

	if (!hpkm_elf_section(elf, ".debug_info") && anchor->debug.bytes)
		elf = &anchor->debug;
	elf_version(EV_CURRENT);
	e = elf_memory((char *)elf->bytes, elf->size);
	dwarf = e ? dwarf_begin_elf(e, DWARF_C_READ, NULL) : NULL;
	while (dwarf && !dwarf_get_units(dwarf, cu, &cu, &version, &type,
					 &unit, &sub))
		if (type == DW_UT_compile)
			add_unit(&s, &unit);
	for (size_t i = 0; i < s.count; i++)
		if (2 * s.origins[i].votes > s.units)
			best = s.origins[i].path;
	dwarf_end(dwarf);
	elf_end(e);
	return best;
}
