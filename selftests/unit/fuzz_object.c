// SPDX-License-Identifier: GPL-2.0
/*
 * Damaged relocatable files, their DWARF too: opened, decoded, compared with
 * themselves and with a whole one, and looked for in a program.
 */
#include <stdlib.h>
#include <string.h>

#include "closure.h"
#include "diff.h"
#include "frames.h"
#include "hook.h"
#include "layout.h"
#include "signature.h"
#include "verify.h"
#include "window.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hpkm_arena keep;
static struct hpkm_anchor anchor;
static uint8_t *whole;
static size_t whole_size;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	whole = hpkm_file_read(&keep, "old.o", &whole_size);
	if (!whole || hpkm_anchor_open(&keep, &anchor, "prog", NULL))
		exit(1);
	return 0;
}

static bool read_object(struct hpkm_arena *arena, struct hpkm_object *o,
			uint8_t *bytes, size_t size)
{
	o->anchor = &anchor;
	return !hpkm_elf_parse(arena, &o->elf, "object", bytes, size) &&
		!hpkm_object_scan(arena, o);
}

static void compare(uint8_t *old, size_t old_size, uint8_t *new,
		    size_t new_size, bool all)
{
	struct hpkm_arena arena = { 0 };
	struct hpkm_pair pair = { 0 };
	struct hpkm_patch patch = {
		.arena = &arena,
		.anchors = &anchor,
		.anchor_count = 1,
		.pairs = &pair,
		.pair_count = 1,
		.verdicts = { .arena = &arena },
	};
	struct hpkm_link link = { 0 };
	struct hpkm_buffer frames = { .arena = &arena };

	if (!read_object(&arena, &pair.old, old, old_size) ||
	    !read_object(&arena, &pair.new, new, new_size) ||
	    hpkm_diff(&pair, 1, all, &patch.verdicts) ||
	    hpkm_hook_find(&patch))
		goto out;
	/* Types are only compared where something changed. */
	if (pair.new.item_count && !pair.new.items[0]->pair)
		pair.new.items[0]->changed = true;
	hpkm_layout_check(&patch, NULL, 0);
	if (hpkm_verify_funcs(&patch))
		goto out;
	hpkm_window_check(&patch);
	hpkm_signature_check(&patch);
	hpkm_link_init(&link, &arena, &anchor, 1);
	hpkm_closure(&patch, &link);
	/* ld is left out: what it would have placed stands at 0. */
	hpkm_frames(&patch, &frames);
out:
	hpkm_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	compare(copy, size, copy, size, false);
	compare(copy, size, whole, whole_size, true);
	compare(whole, whole_size, copy, size, false);
	free(copy);
	return 0;
}
