// SPDX-License-Identifier: GPL-2.0
/*
 * After stage 2: constants with global names that changed.
 *
 * The new functions get the new constant, and all others keep the old one.  So
 * there must be no others: in the objects that are compared, whatever refers to
 * it has changed with it (diff.c).  Which other objects of the target name it,
 * source mode knows, for it has seen them all; objects that somebody gives may
 * be a part only.  What is exported, other files may use.
 */
#include <string.h>

#include "archive.h"
#include "constant.h"
#include "hpkm.h"

static bool is_exported(const struct hpkm_anchor *a, const char *name)
{
	for (size_t i = 1; i < a->elf.dynsym.count; i++) {
		const struct hpkm_elf_symbol *s = &a->elf.dynsym.symbols[i];

		if (s->section != HPKM_SECTION_UNDEF && !strcmp(s->name, name))
			return true;
	}
	return false;
}

/* By any symbol of that name: a reference, or a definition of its own. */
static bool names_it(const struct hpkm_elf *elf, const char *name)
{
	for (size_t i = 1; i < elf->symtab.count; i++) {
		const struct hpkm_elf_symbol *s = &elf->symtab.symbols[i];

		if (s->bind != STB_LOCAL && !strcmp(s->name, name))
			return true;
	}
	return false;
}

static int archive_names_it(struct hpkm_arena *arena, const char *path,
			    uint8_t *bytes, size_t size, const char *name,
			    bool *names)
{
	struct hpkm_archive_member *list;
	struct hpkm_elf elf;
	size_t count;

	if (hpkm_archive_read(arena, path, bytes, size, &list, &count))
		return -1;
	for (size_t i = 0; i < count && !*names; i++) {
		if (list[i].data ?
		    hpkm_elf_parse(arena, &elf, path,
				   hpkm_arena_copy(arena, list[i].data,
						   list[i].size),
				   list[i].size) :
		    hpkm_elf_open(arena, &elf, list[i].name))
			return -1;
		*names = names_it(&elf, name);
	}
	return 0;
}

static int file_names_it(struct hpkm_arena *arena, const char *path,
			 const char *name, bool *names)
{
	struct hpkm_elf elf;
	uint8_t *bytes;
	size_t size;

	*names = false;
	bytes = hpkm_file_read(arena, path, &size);
	if (!bytes)
		return -1;
	if (hpkm_archive_is(bytes, size))
		return archive_names_it(arena, path, bytes, size, name, names);
	if (hpkm_elf_parse(arena, &elf, path, bytes, size))
		return -1;
	*names = names_it(&elf, name);
	return 0;
}

/*
 * Files of the target that are not compared and name it: those that can be
 * become wanted, another one is @user.
 */
static int other_users(struct hpkm_patch *patch, const struct hpkm_anchor *a,
		       const char *name, const char **user)
{
	int err = 0;

	*user = NULL;
	for (size_t i = 0; i < patch->rest_count && !err; i++) {
		struct hpkm_patch_rest *rest = &patch->rest[i];
		struct hpkm_arena scratch = { 0 };
		bool names;

		if (rest->anchor != a)
			continue;
		err = file_names_it(&scratch, rest->path, name, &names);
		if (names && rest->own)
			rest->wanted = true;
		else if (names)
			*user = rest->name;
		hpkm_arena_free(&scratch);
	}
	return err;
}

/* By one of its names. */
static int check(struct hpkm_patch *patch, const struct hpkm_item *n,
		 const char *name)
{
	const struct hpkm_anchor *a = n->object->anchor;
	const char *user;

	if (is_exported(a, name)) {
		hpkm_refuse(&patch->verdicts, name,
			    "a global constant changes, and %s exports it: others would keep using the old one",
			    a->name);
		return 0;
	}
	if (!a->all_known || !a->dynamic || n->symbol->bind != STB_GLOBAL) {
		hpkm_refuse(&patch->verdicts, name,
			    "a global constant changes, and it is not known that no code of other files uses it, and would keep using the old one");
		return 0;
	}
	if (other_users(patch, a, name, &user))
		return -1;
	if (user)
		hpkm_refuse(&patch->verdicts, name,
			    "a global constant changes, and %s would keep using the old one",
			    user);
	return 0;
}

int hpkm_constant_check(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->name_count; k++) {
			const struct hpkm_item *n = new->names[k].item;

			if (n->kind == HPKM_ITEM_CONST && n->changed &&
			    n->pair && new->names[k].global &&
			    check(patch, n, new->names[k].name))
				return -1;
		}
	}
	return 0;
}
