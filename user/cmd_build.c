// SPDX-License-Identifier: GPL-2.0
/* hpkm-build: stages 1 to 4, from a fix to a patch object. */
#include <errno.h>
#include <getopt.h>
#include <hpkm/image.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anchor.h"
#include "build.h"
#include "closure.h"
#include "constant.h"
#include "diff.h"
#include "hook.h"
#include "hpkm.h"
#include "layout.h"
#include "link.h"
#include "once.h"
#include "pack.h"
#include "patch.h"
#include "signature.h"
#include "verify.h"
#include "window.h"

struct options {
	/* An executable or library, as it runs: each -t. */
	struct option_target {
		const char *path, *debug;
	} *targets;
	size_t target_count;
	/* What stands behind a -t belongs to that target. */
	struct option_object {
		const char *path;
		size_t target;
	} *objects;
	size_t object_count;
	const char *output, *keep;
	struct hpkm_pack_info info;
	bool all_functions, json;
	const char *source;
	const char **fixes;
	size_t fix_count;
	char **command;		/* NULL: the default */
	const char **layouts;	/* types that may change */
	size_t layout_count;
};

enum { OPT_NAME = 256, OPT_VERSION, OPT_DESCRIPTION, OPT_REPLACE,
       OPT_DEPENDS, OPT_ALL_FUNCTIONS, OPT_ALLOW_LAYOUT, OPT_KEEP, OPT_JSON };

static const struct option long_options[] = {
	{ "target", required_argument, NULL, 't' },
	{ "debug", required_argument, NULL, 'g' },
	{ "output", required_argument, NULL, 'o' },
	{ "source", required_argument, NULL, 's' },
	{ "patch", required_argument, NULL, 'p' },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "version", required_argument, NULL, OPT_VERSION },
	{ "description", required_argument, NULL, OPT_DESCRIPTION },
	{ "replace", no_argument, NULL, OPT_REPLACE },
	{ "depends", required_argument, NULL, OPT_DEPENDS },
	{ "all-functions", no_argument, NULL, OPT_ALL_FUNCTIONS },
	{ "allow-layout", required_argument, NULL, OPT_ALLOW_LAYOUT },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("usage: hpkm-build -t TARGET [-g DEBUGFILE] -o FIX.hpkm [OPTIONS]\n"
	      "                  -s SRCDIR -p FIX.patch [-p ...] [-- COMMAND...]\n"
	      "       hpkm-build -t TARGET [-g DEBUGFILE] -o FIX.hpkm [OPTIONS]\n"
	      "                  OLD.o NEW.o [OLD2.o NEW2.o ...] [-t TARGET2 ...]\n"
	      "\n"
	      "Makes a patch object that replaces the functions of TARGET that a fix changes.\n"
	      "Either builds a copy of TARGET's source without and with the fix, or is given\n"
	      "OLD.o and NEW.o, the same source file before and after it, compiled as TARGET\n"
	      "was with -ffunction-sections -fdata-sections added.\n"
	      "\n"
	      "  -t, --target TARGET     the executable or shared library as it runs; several:\n"
	      "                          object files belong to the TARGET before them\n"
	      "  -g, --debug DEBUGFILE   where its symbol table is, if it is stripped\n"
	      "  -o, --output FIX.hpkm   the patch object to write\n"
	      "  -s, --source SRCDIR     the source of TARGET; nothing is written in it\n"
	      "  -p, --patch FIX.patch   the fix, for 'patch -p1' (or another level)\n"
	      "  COMMAND...              builds TARGET in the copy (default: make -jN)\n"
	      "      --name NAME         of the patch (default: from the output file)\n"
	      "      --version VERSION   shown by hpkm-list\n"
	      "      --description TEXT  shown by hpkm-inspect\n"
	      "      --replace           when enabled, revert all other patches\n"
	      "      --depends NAME      a patch that must be enabled before\n"
	      "      --all-functions     replace every function, changed or not\n"
	      "      --allow-layout TYPE TYPE may change, whatever the process has\n"
	      "      --keep DIR          keep the stages and files in between\n"
	      "      --json              one document on standard output\n"
	      "\n"
	      "Exit status: 0 done, 1 error, 2 usage, 3 no function changed,\n"
	      "5 refused: not patchable, or TARGET is not built from OLD.o.\n", to);
}

static bool good_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-");

	return n && !name[n] && n <= HPKM_NAME_MAX && *name != '.' &&
		*name != '-';
}

/* "fixes/my fix.hpkm" -> "my_fix" */
static const char *default_name(struct hpkm_arena *arena, const char *output)
{
	const char *slash = strrchr(output, '/');
	size_t n;
	char *name;

	name = hpkm_arena_printf(arena, "%s", slash ? slash + 1 : output);
	n = strlen(name);
	if (n > 5 && !strcmp(name + n - 5, ".hpkm"))
		name[n -= 5] = 0;
	if (n > HPKM_NAME_MAX)
		name[HPKM_NAME_MAX] = 0;
	for (char *p = name; *p; p++) {
		char one[2] = { *p, 0 };

		if ((p == name && (*p == '.' || *p == '-')) || !good_name(one))
			if (p == name || (*p != '.' && *p != '-'))
				*p = '_';
	}
	return name;
}

static int bad_usage(const char *what)
{
	hpkm_error("%s", what);
	hpkm_detail("see 'hpkm-build --help'");
	return HPKM_EXIT_USAGE;
}

static void add_target(struct hpkm_arena *arena, struct options *o,
		       const char *path)
{
	/* A -g before the first -t belongs to it. */
	if (o->target_count == 1 && !o->targets[0].path) {
		o->targets[0].path = path;
		return;
	}
	o->targets = hpkm_arena_push(arena, o->targets, o->target_count,
				     sizeof(*o->targets));
	o->targets[o->target_count++] = (struct option_target){
		.path = path,
	};
}

static void add_debug(struct hpkm_arena *arena, struct options *o,
		      const char *path)
{
	if (!o->target_count)
		add_target(arena, o, NULL);
	o->targets[o->target_count - 1].debug = path;
}

static void add_object(struct hpkm_arena *arena, struct options *o,
		       const char *path)
{
	o->objects = hpkm_arena_push(arena, o->objects, o->object_count,
				     sizeof(*o->objects));
	o->objects[o->object_count++] = (struct option_object){
		.path = path,
		/* Before any -t: the first. */
		.target = o->target_count ? o->target_count - 1 : 0,
	};
}

static bool is_whole(const struct options *o)
{
	if (!o->object_count || o->object_count % 2)
		return false;
	for (size_t i = 0; i < o->object_count; i += 2)
		if (o->objects[i].target != o->objects[i + 1].target)
			return false;
	return true;
}

/* Returns -1 to go on, else an exit status. */
static int parse_options(struct hpkm_arena *arena, struct options *o,
			 int argc, char **argv)
{
	const char **depends = NULL;
	int c;

	o->info.version = "";
	o->info.description = "";
	optind = 0;
	/* "-": other arguments come in their place, as option 1. */
	while ((c = getopt_long(argc, argv, "-t:g:o:s:p:h", long_options,
				NULL)) != -1) {
		switch (c) {
		case 1:
			add_object(arena, o, optarg);
			break;
		case 't':
			add_target(arena, o, optarg);
			break;
		case 'g':
			add_debug(arena, o, optarg);
			break;
		case 'o':
			o->output = optarg;
			break;
		case 's':
			if (o->source)
				return bad_usage("only one -s can be given");
			o->source = optarg;
			break;
		case 'p':
			o->fixes = hpkm_arena_push(arena, o->fixes,
						   o->fix_count,
						   sizeof(*o->fixes));
			o->fixes[o->fix_count++] = optarg;
			break;
		case OPT_NAME:
			o->info.name = optarg;
			break;
		case OPT_VERSION:
			o->info.version = optarg;
			break;
		case OPT_DESCRIPTION:
			o->info.description = optarg;
			break;
		case OPT_REPLACE:
			o->info.replace = true;
			break;
		case OPT_DEPENDS:
			if (!good_name(optarg) ||
			    o->info.depend_count == HPKM_DEPENDS_MAX)
				return bad_usage("--depends: not the name of a patch, or too many");
			depends = hpkm_arena_push(arena, depends,
						  o->info.depend_count,
						  sizeof(*depends));
			depends[o->info.depend_count++] = optarg;
			break;
		case OPT_ALL_FUNCTIONS:
			o->all_functions = true;
			break;
		case OPT_ALLOW_LAYOUT:
			o->layouts = hpkm_arena_push(arena, o->layouts,
						     o->layout_count,
						     sizeof(*o->layouts));
			o->layouts[o->layout_count++] = optarg;
			break;
		case OPT_KEEP:
			o->keep = optarg;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case 'h':
			usage(stdout);
			return HPKM_EXIT_OK;
		default:
			hpkm_detail("see 'hpkm-build --help'");
			return HPKM_EXIT_USAGE;
		}
	}
	o->info.depends = depends;
	if (!o->target_count || !o->targets[0].path || !o->output)
		return bad_usage("-t TARGET and -o FIX.hpkm are needed");
	if (o->target_count > HPKM_OBJECTS_MAX)
		return bad_usage("too many -t");
	if (o->source ? !o->fix_count && !o->all_functions : o->fix_count)
		return bad_usage("-s SRCDIR and -p FIX.patch go together");
	if (o->source && o->object_count)
		return bad_usage("with -s: no object files; a build command comes after --");
	if (o->source && optind < argc)
		o->command = argv + optind;
	while (!o->source && optind < argc)
		add_object(arena, o, argv[optind++]);
	if (!o->source && !is_whole(o))
		return bad_usage("object files come in pairs, OLD.o NEW.o, of one target");
	if (!o->info.name)
		o->info.name = default_name(arena, o->output);
	if (!good_name(o->info.name))
		return bad_usage("--name: 1 to 63 of A-Z a-z 0-9 _ . + -, not led by . or -");
	if (strlen(o->info.version) > 255 || strchr(o->info.version, '\n'))
		return bad_usage("--version: one line of up to 255 bytes");
	if (strlen(o->info.description) > 4095)
		return bad_usage("--description: up to 4095 bytes");
	return -1;
}

static bool same_id(const struct hpkm_anchor *a, const struct hpkm_anchor *b)
{
	return a->id_size == b->id_size && !memcmp(a->id, b->id, a->id_size);
}

static int open_anchors(struct hpkm_patch *patch, const struct options *o)
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

static int open_objects(struct hpkm_patch *patch, const struct options *o)
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
static int compare_given(struct hpkm_patch *patch, const struct options *o)
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

/* Stages 1 and 2; the files of the build are there for both. */
static int compare_build(struct hpkm_patch *patch, const struct options *o)
{
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
	};
	int status = hpkm_build_run(&build);

	while (status == HPKM_EXIT_OK) {
		status = open_build(patch, &build);
		if (status == HPKM_EXIT_OK)
			status = compare_given(patch, o);
		if (status != HPKM_EXIT_OK || !take_wanted(patch, &build))
			break;
	}
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

/* The stages, one after the other; each stops what it can't do. */
static int make(struct hpkm_patch *patch, struct hpkm_link *link,
		const struct options *o, size_t *size)
{
	uint8_t *image;
	int status;

	if (open_anchors(patch, o))
		return HPKM_EXIT_ERROR;
	status = o->source ? compare_build(patch, o) : open_objects(patch, o);
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
	hpkm_window_check(patch);
	hpkm_signature_check(patch);
	hpkm_link_init(link, patch->arena, patch->anchors,
		       patch->anchor_count);
	if (hpkm_closure(patch, link))
		return HPKM_EXIT_ERROR;
	if (patch->verdicts.refusals)
		return HPKM_EXIT_REFUSED;
	if (hpkm_link_run(link))
		return HPKM_EXIT_ERROR;
	image = hpkm_pack_image(patch, link, &o->info, size);
	if (!image || hpkm_pack_write(patch, link, image, *size, o->output))
		return HPKM_EXIT_ERROR;
	return HPKM_EXIT_OK;
}

/* ---- the report ---- */

/* New code that stands for no old function. */
static bool is_new(const struct hpkm_item *item)
{
	return item->piece && item->kind == HPKM_ITEM_FUNC && !item->pair;
}

static const char *status_name(int status)
{
	switch (status) {
	case HPKM_EXIT_OK:
		return "built";
	case HPKM_EXIT_NOTHING:
		return "unchanged";
	case HPKM_EXIT_REFUSED:
		return "refused";
	default:
		return "error";
	}
}

static struct json_object *json_funcs(const struct hpkm_patch *patch)
{
	struct json_object *list = json_object_new_array(), *f;

	for (size_t i = 0; i < patch->func_count; i++) {
		const struct hpkm_patch_func *from = &patch->funcs[i];

		f = json_object_new_object();
		json_object_object_add(f, "name",
				       json_object_new_string(from->name));
		json_object_object_add(f, "object", json_object_new_string
				       (from->old->object->anchor->name));
		json_object_object_add(f, "old_size", json_object_new_int64
				       (from->old->live_size));
		json_object_object_add(f, "new_size", json_object_new_int64
				       (from->new->size));
		json_object_object_add(f, "because", json_object_new_string
				       (from->new->because));
		json_object_array_add(list, f);
	}
	return list;
}

static struct json_object *json_new_funcs(const struct hpkm_patch *patch)
{
	struct json_object *list = json_object_new_array(), *f;

	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++) {
			if (!is_new(new->items[k]))
				continue;
			f = json_object_new_object();
			json_object_object_add(f, "name",
				json_object_new_string(new->items[k]->name));
			json_object_object_add(f, "size",
				json_object_new_int64(new->items[k]->size));
			json_object_array_add(list, f);
		}
	}
	return list;
}

static struct json_object *json_verdicts(const struct hpkm_verdicts *v,
					 bool refused)
{
	struct json_object *list = json_object_new_array(), *one;

	for (size_t i = 0; i < v->count; i++) {
		if (v->list[i].refused != refused)
			continue;
		one = json_object_new_object();
		json_object_object_add(one, "symbol", json_object_new_string
				       (v->list[i].symbol));
		json_object_object_add(one, "reason", json_object_new_string
				       (v->list[i].reason));
		if (v->list[i].details)
			json_object_object_add(one, "details",
				json_object_new_string(v->list[i].details));
		json_object_array_add(list, one);
	}
	return list;
}

static void report_json(const struct hpkm_patch *patch,
			const struct options *o, int status, size_t size)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *targets = json_object_new_array();

	for (size_t i = 0; i < o->target_count; i++)
		json_object_array_add(targets, json_object_new_string
				      (o->targets[i].path));
	json_object_object_add(doc, "patch",
			       json_object_new_string(o->info.name));
	json_object_object_add(doc, "version",
			       json_object_new_string(o->info.version));
	json_object_object_add(doc, "status",
			       json_object_new_string(status_name(status)));
	json_object_object_add(doc, "targets", targets);
	if (status == HPKM_EXIT_OK) {
		json_object_object_add(doc, "output",
				       json_object_new_string(o->output));
		json_object_object_add(doc, "image_size",
				       json_object_new_int64(size));
	}
	json_object_object_add(doc, "functions", json_funcs(patch));
	json_object_object_add(doc, "new_functions", json_new_funcs(patch));
	json_object_object_add(doc, "warnings",
			       json_verdicts(&patch->verdicts, false));
	json_object_object_add(doc, "refused",
			       json_verdicts(&patch->verdicts, true));
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

static void report_text(const struct hpkm_patch *patch,
			const struct options *o, size_t size)
{
	printf("%s: patch %s for", o->output, o->info.name);
	for (size_t i = 0; i < patch->anchor_count; i++)
		printf("%s %s", i ? "," : "", patch->anchors[i].name);
	printf(", %zu bytes\n", size);
	for (size_t i = 0; i < patch->func_count; i++)
		printf("  replaced  %s (%llu -> %llu bytes)\n",
		       patch->funcs[i].name,
		       (unsigned long long)patch->funcs[i].old->live_size,
		       (unsigned long long)patch->funcs[i].new->size);
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++)
			if (is_new(new->items[k]))
				printf("  new       %s (%llu bytes)\n",
				       new->items[k]->name,
				       (unsigned long long)
				       new->items[k]->size);
	}
}

int cmd_build(int argc, char **argv)
{
	struct hpkm_arena arena = { 0 };
	struct hpkm_patch patch = {
		.arena = &arena,
		.verdicts = { .arena = &arena },
	};
	struct options o = { 0 };
	struct hpkm_link link = { 0 };
	size_t size = 0;
	int status;

	status = parse_options(&arena, &o, argc, argv);
	if (status >= 0)
		goto out;
	link.keep = o.keep && o.source ?
		hpkm_arena_printf(&arena, "%s/5-link", o.keep) : o.keep;
	status = make(&patch, &link, &o, &size);
	if (o.json)
		report_json(&patch, &o, status, size);
	else if (status == HPKM_EXIT_OK)
		report_text(&patch, &o, size);
out:
	hpkm_arena_free(&arena);
	return status;
}
