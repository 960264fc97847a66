// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 1, at its end: the target as the second build has linked it.
 *
 * Of the target only what is replaced is compared instruction by instruction.
 * That the rest was built as the target was follows from what the build without
 * the fix has made: the same functions, the same variables of the same sizes,
 * the same libraries and paths.  Where functions stand is not compared: the
 * build had a section for each of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hpkm.h"
#include "rebuilt.h"

/* So many names are shown. */
#define SHOWN	8

/* ---- functions and variables ---- */

struct thing {
	const char *name;
	uint64_t size;		/* of a variable; else 0 */
	uint8_t type;
};

struct things {
	struct thing *list;
	size_t count;
};

static int compare_things(const void *x, const void *y)
{
	const struct thing *a = x, *b = y;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->size < b->size ? -1 : a->size > b->size;
}

static bool is_function(const struct hpkm_anchor_symbol *s)
{
	return s->type == STT_FUNC || s->type == STT_GNU_IFUNC;
}

/* @functions: those only; a small symbol table has nothing else. */
static struct things list_things(struct hpkm_arena *arena,
				 const struct hpkm_anchor *a, bool functions)
{
	struct things all = {
		.list = hpkm_arena_alloc(arena, a->symbol_count,
					 sizeof(*all.list)),
	};

	for (size_t i = 0; i < a->symbol_count; i++) {
		const struct hpkm_anchor_symbol *s = &a->symbols[i];

		if (!s->size || (!is_function(s) &&
				 (functions || (s->type != STT_OBJECT &&
						s->type != STT_TLS))))
			continue;
		all.list[all.count++] = (struct thing){
			.name = s->name,
			.type = s->type,
			/* Branches may be longer or shorter, and padding. */
			.size = is_function(s) ? 0 : s->size,
		};
	}
	if (all.count)
		qsort(all.list, all.count, sizeof(*all.list), compare_things);
	return all;
}

/* The names that @a has and @b has not, or not so often; NULL: none. */
static const char *missing(struct hpkm_arena *arena, const struct things *a,
			   const struct things *b)
{
	const char *text = NULL;
	size_t count = 0, k = 0;

	for (size_t i = 0; i < a->count; i++) {
		int order = 1;

		while (k < b->count &&
		       (order = compare_things(&b->list[k], &a->list[i])) < 0)
			k++;
		if (k < b->count && !order) {
			k++;
			continue;
		}
		if (count++ < SHOWN)
			text = hpkm_arena_printf(arena, "%s%s%s",
						 text ? text : "",
						 text ? ", " : "",
						 a->list[i].name);
	}
	return count > SHOWN ? hpkm_arena_printf(arena, "%s and %zu more", text,
						 count - SHOWN) : text;
}

static void check_things(struct hpkm_arena *arena,
			 const struct hpkm_anchor *target,
			 const struct hpkm_anchor *built,
			 struct hpkm_verdicts *verdicts)
{
	struct things theirs = list_things(arena, target, target->partial);
	struct things ours = list_things(arena, built, target->partial);
	const char *lost = missing(arena, &theirs, &ours);
	const char *more = missing(arena, &ours, &theirs);

	if (lost)
		hpkm_refuse(verdicts, target->name,
			    "--rebuilt: the build without the fix lacks what it has, or of that size: %s",
			    lost);
	if (more)
		hpkm_refuse(verdicts, target->name,
			    "--rebuilt: the build without the fix has what it lacks, or has in another size: %s",
			    more);
}

/* ---- libraries and paths ---- */

static const Elf64_Phdr *segment(const struct hpkm_elf *elf, uint32_t type)
{
	for (size_t i = 0; i < elf->segment_count; i++)
		if (elf->segments[i].p_type == type)
			return &elf->segments[i];
	return NULL;
}

/* The string at an address, "" when it has no end. */
static const char *string_at(struct hpkm_arena *arena,
			     const struct hpkm_elf *elf, uint64_t addr)
{
	char text[4096];
	const uint8_t *p;

	for (size_t n = 0; n < sizeof(text); n++) {
		p = hpkm_elf_at(elf, addr + n, 1);
		if (!p)
			break;
		text[n] = *p;
		if (!text[n])
			return hpkm_arena_printf(arena, "%s", text);
	}
	return "";
}

/* The i-th entry of the dynamic section; false behind its end. */
static bool dynamic_entry(const struct hpkm_elf *elf, size_t i, Elf64_Dyn *d)
{
	const Elf64_Phdr *p = segment(elf, PT_DYNAMIC);
	const uint8_t *bytes;

	if (!p || i >= p->p_filesz / sizeof(*d))
		return false;
	bytes = hpkm_elf_at(elf, p->p_vaddr + i * sizeof(*d), sizeof(*d));
	if (!bytes)
		return false;
	memcpy(d, bytes, sizeof(*d));
	return d->d_tag != DT_NULL;
}

/* All strings of a kind, in their order: "libm.so.6 libc.so.6". */
static const char *dynamic_strings(struct hpkm_arena *arena,
				   const struct hpkm_elf *elf, int64_t tag)
{
	const char *text = "";
	uint64_t strings = 0;
	Elf64_Dyn d;

	for (size_t i = 0; dynamic_entry(elf, i, &d); i++)
		if (d.d_tag == DT_STRTAB)
			strings = d.d_un.d_ptr;
	for (size_t i = 0; dynamic_entry(elf, i, &d); i++)
		if (d.d_tag == tag)
			text = hpkm_arena_printf(arena, "%s%s%s", text,
						 *text ? " " : "",
						 string_at(arena, elf, strings +
							   d.d_un.d_val));
	return text;
}

static const char *interpreter(struct hpkm_arena *arena,
			       const struct hpkm_elf *elf)
{
	const Elf64_Phdr *p = segment(elf, PT_INTERP);

	return p ? string_at(arena, elf, p->p_vaddr) : "";
}

static void check_same(struct hpkm_verdicts *verdicts,
		       const struct hpkm_anchor *target, const char *what,
		       const char *theirs, const char *ours)
{
	if (strcmp(theirs, ours))
		hpkm_refuse(verdicts, target->name,
			    "--rebuilt: its %s '%s', that of the build '%s'",
			    what, theirs, ours);
}

static void check_dynamic(struct hpkm_arena *arena,
			  const struct hpkm_anchor *target,
			  const struct hpkm_anchor *built,
			  struct hpkm_verdicts *verdicts)
{
	static const struct {
		int64_t tag;
		const char *what;
	} kinds[] = {
		{ DT_NEEDED, "list of needed libraries is" },
		{ DT_SONAME, "soname is" },
		{ DT_RPATH, "run path (RPATH) is" },
		{ DT_RUNPATH, "run path is" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		check_same(verdicts, target, kinds[i].what,
			   dynamic_strings(arena, &target->elf, kinds[i].tag),
			   dynamic_strings(arena, &built->elf, kinds[i].tag));
	check_same(verdicts, target, "interpreter is",
		   interpreter(arena, &target->elf),
		   interpreter(arena, &built->elf));
	if (target->fixed != built->fixed)
		hpkm_refuse(verdicts, target->name,
			    "--rebuilt: only one of it and the build is position independent");
}

/* ---- what is made for running processes only ---- */

static bool has_symbol(const struct hpkm_elf *elf, const char *name)
{
	for (size_t i = 1; i < elf->symtab.count; i++)
		if (!strcmp(elf->symtab.symbols[i].name, name))
			return true;
	return false;
}

static void check_live_only(const struct hpkm_anchor *target,
			    const struct hpkm_elf *new,
			    struct hpkm_verdicts *verdicts)
{
	const char *what = NULL;

	if (has_symbol(new, "hpkm__shadow_table"))
		what = "shadow variables";
	if (hpkm_elf_section(new, ".hpkm.apply") ||
	    hpkm_elf_section(new, ".hpkm.revert"))
		what = "hooks";
	if (what)
		hpkm_refuse(verdicts, target->name,
			    "--rebuilt: the fix has %s, which are for processes that run already: build what is to be stored from the fix as it is without them",
			    what);
}

int hpkm_rebuilt_read(struct hpkm_arena *arena,
		      const struct hpkm_anchor *target, const char *old,
		      const char *new, struct hpkm_verdicts *verdicts,
		      struct hpkm_rebuilt *rebuilt)
{
	struct hpkm_anchor built = { 0 };
	struct hpkm_elf elf;
	struct stat st;
	uint8_t *bytes;

	if (stat(target->elf.path, &st)) {
		hpkm_error("cannot open %s: %s", target->elf.path,
			   strerror(errno));
		return -1;
	}
	bytes = hpkm_file_read(arena, new, &rebuilt->size);
	if (!bytes || hpkm_elf_parse(arena, &elf, new, bytes, rebuilt->size) ||
	    hpkm_anchor_open(arena, &built, old, NULL))
		return -1;
	check_things(arena, target, &built, verdicts);
	check_dynamic(arena, target, &built, verdicts);
	check_live_only(target, &elf, verdicts);
	rebuilt->bytes = bytes;
	rebuilt->mode = st.st_mode & 0777;
	return 0;
}
