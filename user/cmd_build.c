// SPDX-License-Identifier: GPL-2.0
/* hpkm-build: stages 1 to 4, from a fix to a patch object. */
#include <hpkm/image.h>
#include <string.h>

#include "anchor.h"
#include "build.h"
#include "build_options.h"
#include "build_report.h"
#include "closure.h"
#include "constant.h"
#include "diff.h"
#include "exception.h"
#include "hook.h"
#include "hpkm.h"
#include "layout.h"
#include "link.h"
#include "once.h"
#include "output.h"
#include "pack.h"
#include "patch.h"
#include "rebuilt.h"
#include "signature.h"
#include "state.h"
#include "unseen.h"
#include "verify.h"
#include "window.h"

static bool same_id(const struct hpkm_anchor *a, const struct hpkm_anchor *b)
{
	return a->id_size == b->id_size && !memcmp(a->id, b->id, a->id_size);
}

static int open_anchors(struct hpkm_patch *patch, const struct hpkm_options *o)
{
	size_t fixed = 0;

	patch->anchors = hpkm_arena_alloc(patch->arena, o->target_count,
					  sizeof(*patch->anchors));
	for (size_t i = 0; i < o->target_count; i++) {
		struct hpkm_anchor *a = &patch->anchors[i];

		if (hpkm_anchor_open(patch->arena, a, o->targets[i].path,
				     o->targets[i].debug))
			return -1;
		patch->anchor_count++;
		for (size_t k = 0; k < i; k++) {
			if (!same_id(a, &patch->anchors[k]))
				continue;
			hpkm_error("%s and %s are the same file",
				   o->targets[k].path, o->targets[i].path);
			return -1;
		}
		fixed += a->fixed;
		if (a->arch != patch->anchors[0].arch || fixed > 1) {
			hpkm_error("%s: it never runs in one process with %s",
				   o->targets[i].path, o->targets[0].path);
			return -1;
		}
	}
	return 0;
}

/* NULL stands for the object where the fix adds a file. */
static int open_pair(struct hpkm_patch *patch, const struct hpkm_anchor *a,
		     const char *old, const char *new)
{
	struct hpkm_pair *pair = &patch->pairs[patch->pair_count];

	if (hpkm_object_open(patch->arena, &pair->new, new) ||
	    (old ? hpkm_object_open(patch->arena, &pair->old, old) :
	     hpkm_object_none(patch->arena, &pair->old, &pair->new)))
		return -1;
	patch->pair_count++;
	pair->old.anchor = a;
	pair->new.anchor = a;
	if ((pair->old.arch != a->arch && !pair->old.lto) ||
	    (pair->new.arch != a->arch && !pair->new.lto)) {
		hpkm_error("%s: made for another machine than %s",
			   pair->new.elf.path, a->elf.path);
		return -1;
	}
	return 0;
}

static int open_objects(struct hpkm_patch *patch, const struct hpkm_options *o)
{
	patch->pairs = hpkm_arena_alloc(patch->arena, o->object_count / 2,
					sizeof(*patch->pairs));
	for (size_t i = 0; i < o->object_count; i += 2)
		if (open_pair(patch, &patch->anchors[o->objects[i].target],
			      o->objects[i].path, o->objects[i + 1].path))
			return HPKM_EXIT_ERROR;
	return HPKM_EXIT_OK;
}

/* People know an object by its place in the tree, not by that of its copy. */
static void rename_objects(struct hpkm_patch *patch,
			   const struct hpkm_build_pair *from)
{
	struct hpkm_pair *pair = &patch->pairs[patch->pair_count - 1];

	pair->new.elf.path = hpkm_arena_printf(patch->arena, "%s (new)",
					       from->name);
	if (from->old)
		pair->old.elf.path = hpkm_arena_printf(patch->arena,
						       "%s (old)", from->name);
}

static int open_build(struct hpkm_patch *patch, const struct hpkm_build *build)
{
	patch->pair_count = 0;
	patch->rest_count = 0;
	patch->pairs = hpkm_arena_alloc(patch->arena, build->pair_count,
					sizeof(*patch->pairs));
	for (size_t i = 0; i < build->pair_count; i++) {
		const struct hpkm_build_pair *from = &build->pairs[i];

		if (open_pair(patch, &patch->anchors[from->target], from->old,
			      from->new))
			return HPKM_EXIT_ERROR;
		rename_objects(patch, from);
	}
	patch->rest = hpkm_arena_alloc(patch->arena, build->rest_count,
				       sizeof(*patch->rest));
	for (size_t i = 0; i < build->rest_count; i++)
		patch->rest[patch->rest_count++] = (struct hpkm_patch_rest){
			.anchor = &patch->anchors[build->rest[i].target],
			.name = build->rest[i].name,
			.path = build->rest[i].path,
			.own = build->rest[i].own,
		};
	return HPKM_EXIT_OK;
}

/* Stage 2, on the objects that were given. */
static int compare_given(struct hpkm_patch *patch, const struct hpkm_options *o)
{
	return hpkm_diff(patch->pairs, patch->pair_count, o->all_functions,
			 &patch->verdicts) || hpkm_constant_check(patch) ?
		HPKM_EXIT_ERROR : HPKM_EXIT_OK;
}

/* Are there objects that did not change and have to be compared even so? */
static bool take_wanted(struct hpkm_patch *patch, struct hpkm_build *build)
{
	size_t left = 0;

	for (size_t i = 0; i < build->rest_count; i++) {
		const struct hpkm_build_rest *rest = &build->rest[i];

		if (!patch->rest[i].wanted) {
			build->rest[left++] = *rest;
			continue;
		}
		build->pairs = hpkm_arena_push(patch->arena, build->pairs,
					       build->pair_count,
					       sizeof(*build->pairs));
		build->pairs[build->pair_count++] = (struct hpkm_build_pair){
			.name = rest->name,
			.target = rest->target,
			.old = rest->path,
			.new = rest->path,
		};
	}
	if (left == build->rest_count)
		return false;
	build->rest_count = left;
	return true;
}

static int read_rebuilt(struct hpkm_patch *patch,
			const struct hpkm_build *build,
			struct hpkm_rebuilt *rebuilt)
{
	for (size_t i = 0; i < build->anchor_count; i++)
		if (build->linked[i].wanted &&
		    hpkm_rebuilt_read(patch->arena, &patch->anchors[i],
				      build->linked[i].old,
				      build->linked[i].new,
				      &patch->verdicts, &rebuilt[i]))
			return HPKM_EXIT_ERROR;
	return HPKM_EXIT_OK;
}

/* Stages 1 and 2; the files of the build are there for both. */
static int compare_build(struct hpkm_patch *patch, const struct hpkm_options *o,
			 struct hpkm_rebuilt *rebuilt)
{
	struct hpkm_build_linked linked[HPKM_OBJECTS_MAX] = { 0 };
	struct hpkm_build build = {
		.arena = patch->arena,
		.source = o->source,
		.fixes = o->fixes,
		.fix_count = o->fix_count,
		.all = o->all_functions,
		.command = o->command,
		.keep = o->keep,
		.verdicts = &patch->verdicts,
		.anchors = patch->anchors,
		.anchor_count = patch->anchor_count,
		.linked = linked,
	};
	int status;

	for (size_t i = 0; i < o->target_count; i++)
		linked[i].wanted = o->targets[i].rebuilt;
	status = hpkm_build_run(&build);

	while (status == HPKM_EXIT_OK) {
		status = open_build(patch, &build);
		if (status == HPKM_EXIT_OK)
			status = compare_given(patch, o);
		if (status != HPKM_EXIT_OK || !take_wanted(patch, &build))
			break;
	}
	if (status == HPKM_EXIT_OK)
		status = read_rebuilt(patch, &build, rebuilt);
	hpkm_build_finish(&build);
	return status;
}

static size_t count_changed(const struct hpkm_patch *patch)
{
	size_t count = 0;

	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++)
			count += new->items[k]->kind == HPKM_ITEM_FUNC &&
				new->items[k]->changed && new->items[k]->pair;
	}
	return count;
}

static int write_rebuilt(const struct hpkm_options *o,
			 const struct hpkm_rebuilt *rebuilt)
{
	for (size_t i = 0; i < o->target_count; i++)
		if (rebuilt[i].bytes &&
		    hpkm_output_write(o->targets[i].rebuilt, rebuilt[i].bytes,
				      rebuilt[i].size, rebuilt[i].mode))
			return -1;
	return 0;
}

/* The stages, one after the other; each stops what it can't do. */
static int make(struct hpkm_patch *patch, struct hpkm_link *link,
		const struct hpkm_options *o, size_t *size)
{
	struct hpkm_rebuilt rebuilt[HPKM_OBJECTS_MAX] = { 0 };
	uint8_t *image;
	int status;

	if (open_anchors(patch, o))
		return HPKM_EXIT_ERROR;
	status = o->source ? compare_build(patch, o, rebuilt) :
		open_objects(patch, o);
	if (status == HPKM_EXIT_OK && !o->source)
		status = compare_given(patch, o);
	if (status != HPKM_EXIT_OK)
		return status;
	if (hpkm_hook_find(patch))
		return HPKM_EXIT_ERROR;
	hpkm_once_check(patch);
	if (!patch->verdicts.refusals && !count_changed(patch)) {
		hpkm_error("no function changed: there is nothing to patch");
		return HPKM_EXIT_NOTHING;
	}
	hpkm_layout_check(patch, o->layouts, o->layout_count);
	if (hpkm_verify_funcs(patch))
		return HPKM_EXIT_ERROR;
	hpkm_exception_check(patch);
	hpkm_window_check(patch);
	hpkm_signature_check(patch);
	hpkm_link_init(link, patch->arena, patch->anchors,
		       patch->anchor_count);
	if (hpkm_closure(patch, link))
		return HPKM_EXIT_ERROR;
	hpkm_exception_check_new(patch);
	hpkm_state_check(patch);
	hpkm_unseen_check(patch);
	if (patch->verdicts.refusals)
		return HPKM_EXIT_REFUSED;
	if (hpkm_link_run(link))
		return HPKM_EXIT_ERROR;
	image = hpkm_pack_image(patch, link, &o->info, size);
	if (!image || write_rebuilt(o, rebuilt) ||
	    hpkm_pack_write(patch, link, image, *size, o->output))
		return HPKM_EXIT_ERROR;
	return HPKM_EXIT_OK;
}

int cmd_build(int argc, char **argv)
{
	struct hpkm_arena arena = { 0 };
	struct hpkm_patch patch = {
		.arena = &arena,
		.verdicts = { .arena = &arena },
	};
	struct hpkm_options o = { 0 };
	struct hpkm_link link = { 0 };
	size_t size = 0;
	int status;

	status = hpkm_build_parse(&arena, &o, argc, argv);
	if (status >= 0)
		goto out;
	link.keep = o.keep && o.source ?
		hpkm_arena_printf(&arena, "%s/5-link", o.keep) : o.keep;
	status = make(&patch, &link, &o, &size);
	if (o.json)
		hpkm_build_report_json(&patch, &o, status, size);
	else if (status == HPKM_EXIT_OK)
		hpkm_build_report_text(&patch, &o, size);
out:
	hpkm_arena_free(&arena);
	return status;
}
