/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between stages 2 and 3: the hooks of a patch (include/hpkm/patch.h), and the
 * gates that see to it that they run first.
 */
#ifndef HPKM_USER_HOOK_H
#define HPKM_USER_HOOK_H

#include "link.h"
#include "patch.h"

/* Sections that patch.h makes in new objects. */
#define HPKM_HOOK_APPLY_SECTION		".hpkm.apply"
#define HPKM_HOOK_REVERT_SECTION	".hpkm.revert"
#define HPKM_HOOK_REPLACE_SECTION	".hpkm.replace"
#define HPKM_HOOK_FRESH_SECTION		".bss.hpkm.fresh"

/* A pointer to a hook, in a section of a new object. */
struct hpkm_hook_record {
	struct hpkm_object *object;
	uint32_t section;
	size_t reloc;
	size_t pair;		/* index of the objects */
	uint64_t line;
};

/* In the order in which they run. */
struct hpkm_hook_list {
	struct hpkm_hook_record *records;
	size_t count;
	struct hpkm_link_piece *table;
};

/* Of one anchor.  Pieces are NULL when it has no hooks. */
struct hpkm_hooks {
	struct hpkm_hook_list apply, revert;
	struct hpkm_link_piece *state, *control, *enter;
};

/* Does HPKM_REPLACE() name that function? */
bool hpkm_hook_replaces(const struct hpkm_object *new, const char *name);

/*
 * Fills patch->hooks with the records of all new objects.  Refusals go to
 * patch->verdicts.  Returns 0, or -1 after a message about a damaged file.
 */
int hpkm_hook_find(struct hpkm_patch *patch);

/* The pieces that an anchor's hooks need; nothing when it has none. */
void hpkm_hook_add(struct hpkm_hooks *hooks, struct hpkm_link *link,
		   struct hpkm_link_span *span);
/* A gate; then, when the function's piece is there, what it leads to. */
struct hpkm_link_piece *hpkm_hook_gate(struct hpkm_hooks *hooks,
				       struct hpkm_link *link,
				       struct hpkm_link_span *span,
				       const char *func);
void hpkm_hook_lead(struct hpkm_hooks *hooks, struct hpkm_link *link,
		    const struct hpkm_patch_func *func);

#endif /* HPKM_USER_HOOK_H */
