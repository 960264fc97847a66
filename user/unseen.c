// SPDX-License-Identifier: GPL-2.0
/*
 * After the closure: what changes and nothing in the process would see.
 *
 * A linker's set is a section whose name could be one of C: the linker defines
 * __start_NAME and __stop_NAME, and code walks over what lies between, which
 * in the process is what was linked.  Besides, a constant may have changed of
 * which no code that is replaced takes the new form along.
 */
#include <string.h>

#include "unseen.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_set(const struct hpkm_item *item)
{
	const char *name;

	if (item->section == HPKM_SECTION_COMMON)
		return false;
	name = hpkm_item_section(item)->name;
	if (!is_letter(*name))
		return false;
	while (is_letter(*name) || (*name >= '0' && *name <= '9'))
		name++;
	return !*name;
}

static void check_item(struct hpkm_patch *patch, const struct hpkm_item *n)
{
	if (is_set(n) && n->pair && n->changed)
		hpkm_refuse(&patch->verdicts, n->name,
			    "an entry of the linker's set %s changes; who walks over that finds the old one",
			    hpkm_item_section(n)->name);
	else if (is_set(n) && !n->pair)
		hpkm_caution(&patch->verdicts, n->name,
			     "a new entry of the linker's set %s: who walks over that in a process that runs will not find it",
			     hpkm_item_section(n)->name);
	else if (n->kind == HPKM_ITEM_CONST && n->changed && !n->piece &&
		 !hpkm_item_numbered(n))
		hpkm_caution(&patch->verdicts, n->name,
			     "it changes, but nothing that is replaced uses it: the process keeps the old one");
}

void hpkm_unseen_check(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++)
			if (!hpkm_item_is_code(new->items[k]))
				check_item(patch, new->items[k]);
	}
}
