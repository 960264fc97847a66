// SPDX-License-Identifier: GPL-2.0
/*
 * After stage 2: constants that changed.
 *
 * Of those with global names: the new functions get the new constant, and all others keep the old one.  So
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
	size_t length = strcspn(name, "@");

	for (size_t i = 1; i < a->elf.dynsym.count; i++) {
		const struct hpkm_elf_symbol *s = &a->elf.dynsym.symbols[i];

		if (s->section != HPKM_SECTION_UNDEF &&
		    strcspn(s->name, "@") == length &&
		    !memcmp(s->name, name, length))
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

/* Like that of a driver's operations, its address may be anywhere. */
static bool holds_functions(const struct hpkm_item *item)
{
	size_t first, count;
	struct hpkm_ref ref;

	hpkm_object_relocs(item->object, item->section, item->offset,
			   item->offset + item->size, &first, &count);
	for (; count--; first++)
		if (!hpkm_object_ref(item->object, item->section, first,
				     &ref) &&
		    ref.kind == HPKM_REF_ITEM && !ref.offset &&
		    ref.item->kind == HPKM_ITEM_FUNC)
			return true;
	return false;
}

/* What compilers make and look values up in, or hand to assertions. */
static bool is_made(const struct hpkm_item *item)
{
	static const char *const names[] = {
		"CSWTCH.", "switch.table.", "__const.", "C.", "__func__.",
		"__FUNCTION__.", "__PRETTY_FUNCTION__.",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(item->name, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Does an instruction compute an address, by that relocation? */
static bool takes_address(struct hpkm_object *o, uint32_t section, size_t reloc)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	const struct hpkm_elf_reloc *r = &s->relocs[reloc];
	const struct hpkm_code *code;
	struct hpkm_far_stub stub;
	uint8_t bytes[16];

	switch (o->arch->rel(r->type)) {
	case HPKM_REL_GOT:
	case HPKM_REL_ABS32:
	case HPKM_REL_ABS64:
		return true;
	case HPKM_REL_PC32:
		break;
	default:
		return false;
	}
	code = hpkm_object_code(o, section);
	for (size_t i = 0; i < code->count; i++) {
		const struct hpkm_insn *in = &code->insns[i];

		if (r->offset < in->offset ||
		    r->offset - in->offset >= in->size ||
		    in->size > sizeof(bytes))
			continue;
		memcpy(bytes, s->data + in->offset, in->size);
		return o->arch->far_operand(bytes, in->size,
					    r->offset - in->offset, &stub) ==
			HPKM_FAR_CELL;
	}
	return false;
}

static bool address_is_taken(const struct hpkm_item *item)
{
	struct hpkm_object *o = item->object;
	struct hpkm_ref ref;

	for (uint32_t s = 1; s < o->elf.section_count; s++) {
		if (!(o->elf.sections[s].flags & SHF_EXECINSTR))
			continue;
		for (size_t i = 0; i < o->elf.sections[s].reloc_count; i++)
			if (!hpkm_object_ref(o, s, i, &ref) &&
			    ref.kind == HPKM_REF_ITEM && ref.item == item &&
			    takes_address(o, s, i))
				return true;
	}
	return false;
}

/* The new one stands elsewhere: what has been stored leads to the old one. */
static void check_address(struct hpkm_patch *patch, const struct hpkm_item *n)
{
	if (holds_functions(n))
		hpkm_caution(&patch->verdicts, n->name,
			     "a table of functions changes; pointers to it that the process has stored lead to the old one");
	else if (!is_made(n) && address_is_taken(n->pair))
		hpkm_caution(&patch->verdicts, n->name,
			     "a constant changes whose address is taken; pointers to it that the process has stored lead to the old one, and are not equal to new ones");
}

int hpkm_constant_check(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++)
			if (new->items[k]->kind == HPKM_ITEM_CONST &&
			    new->items[k]->changed && new->items[k]->pair)
				check_address(patch, new->items[k]);
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
