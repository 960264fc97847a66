// SPDX-License-Identifier: GPL-2.0
/* hpkm-build: its command line. */
#include <getopt.h>
#include <hpkm/image.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "build_options.h"
#include "hpkm.h"

enum { OPT_NAME = 256, OPT_VERSION, OPT_DESCRIPTION, OPT_REPLACE,
       OPT_DEPENDS, OPT_ALL_FUNCTIONS, OPT_ALLOW_LAYOUT, OPT_KEEP, OPT_JSON,
       OPT_REBUILT };

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
	{ "rebuilt", required_argument, NULL, OPT_REBUILT },
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
	      "      --rebuilt FILE      write TARGET there, built with the fix: for restarts\n"
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

static void add_target(struct hpkm_arena *arena, struct hpkm_options *o,
		       const char *path)
{
	/* A -g before the first -t belongs to it. */
	if (o->target_count == 1 && !o->targets[0].path) {
		o->targets[0].path = path;
		return;
	}
	o->targets = hpkm_arena_push(arena, o->targets, o->target_count,
				     sizeof(*o->targets));
	o->targets[o->target_count++] = (struct hpkm_option_target){
		.path = path,
	};
}

/* What -g and --rebuilt belong to. */
static struct hpkm_option_target *last_target(struct hpkm_arena *arena,
					 struct hpkm_options *o)
{
	if (!o->target_count)
		add_target(arena, o, NULL);
	return &o->targets[o->target_count - 1];
}

static void add_object(struct hpkm_arena *arena, struct hpkm_options *o,
		       const char *path)
{
	o->objects = hpkm_arena_push(arena, o->objects, o->object_count,
				     sizeof(*o->objects));
	o->objects[o->object_count++] = (struct hpkm_option_object){
		.path = path,
		/* Before any -t: the first. */
		.target = o->target_count ? o->target_count - 1 : 0,
	};
}

static bool is_whole(const struct hpkm_options *o)
{
	if (!o->object_count || o->object_count % 2)
		return false;
	for (size_t i = 0; i < o->object_count; i += 2)
		if (o->objects[i].target != o->objects[i + 1].target)
			return false;
	return true;
}

/* Are they one regular file? */
static bool is_same(const char *output, const char *input)
{
	struct stat in, out;

	return input && !stat(output, &out) && S_ISREG(out.st_mode) &&
		!stat(input, &in) && in.st_dev == out.st_dev &&
		in.st_ino == out.st_ino;
}

/* Whether an output would take the place of what it is made from. */
static bool overwrites(const struct hpkm_options *o, const char *output)
{
	bool found = false;

	for (size_t i = 0; i < o->target_count; i++)
		found = found || is_same(output, o->targets[i].path) ||
			is_same(output, o->targets[i].debug);
	for (size_t i = 0; i < o->object_count; i++)
		found = found || is_same(output, o->objects[i].path);
	for (size_t i = 0; i < o->fix_count; i++)
		found = found || is_same(output, o->fixes[i]);
	return found;
}

/* Returns -1 to go on, else an exit status. */
static int check_rebuilt(const struct hpkm_options *o)
{
	for (size_t i = 0; i < o->target_count; i++) {
		const char *file = o->targets[i].rebuilt;

		if (!file)
			continue;
		if (!o->source || !o->fix_count)
			return bad_usage("--rebuilt needs -s SRCDIR and -p FIX.patch");
		if (overwrites(o, file))
			return bad_usage("--rebuilt FILE: it is one of the files that the patch is made from; rename it over TARGET afterwards");
		if (!strcmp(file, o->output) || is_same(file, o->output))
			return bad_usage("--rebuilt and -o name the same file");
		for (size_t k = 0; k < i; k++)
			if (o->targets[k].rebuilt &&
			    !strcmp(o->targets[k].rebuilt, file))
				return bad_usage("several --rebuilt name the same file");
	}
	return -1;
}

/* A patch that depends on itself can never be applied. */
static bool depends_on_itself(const struct hpkm_pack_info *info)
{
	for (size_t i = 0; i < info->depend_count; i++)
		if (!strcmp(info->depends[i], info->name))
			return true;
	return false;
}

int hpkm_build_parse(struct hpkm_arena *arena, struct hpkm_options *o,
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
			last_target(arena, o)->debug = optarg;
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
		case OPT_REBUILT:
			last_target(arena, o)->rebuilt = optarg;
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
	if (depends_on_itself(&o->info))
		return bad_usage("--depends: it is the patch's own name");
	if (overwrites(o, o->output))
		return bad_usage("-o FIX.hpkm: it is one of the files that the patch is made from");
	if (strlen(o->info.version) > 255 || strchr(o->info.version, '\n'))
		return bad_usage("--version: one line of up to 255 bytes");
	if (strlen(o->info.description) > 4095)
		return bad_usage("--description: up to 4095 bytes");
	return check_rebuilt(o);
}
