// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 1: which of the files that a build has linked is the target: told by
 * its name, and by the functions in it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpkm.h"
#include "linked.h"

/* How much two programs' functions must have in common to be the same. */
#define SAME_ENOUGH	0.5
#define SURELY_SAME	0.9

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_function(const struct hpkm_elf_symbol *s)
{
	return s->type == STT_FUNC && s->section != HPKM_SECTION_UNDEF &&
		s->section < HPKM_SECTION_OTHER;
}

/*
 * How much of their functions two linked files have in common, 0 to 1; -1
 * when the file has no symbols to tell by.
 */
static double likeness(const struct hpkm_steps *steps,
		       const struct hpkm_anchor *anchor, const char *path)
{
	size_t count = 0, total = 0, common = 0, found;
	struct hpkm_elf elf;
	const char **names;

	if (hpkm_elf_open(steps->arena, &elf, path) || !elf.symtab.count)
		return -1;
	names = hpkm_arena_alloc(steps->arena, elf.symtab.count,
				 sizeof(*names));
	for (size_t i = 0; i < elf.symtab.count; i++)
		if (is_function(&elf.symtab.symbols[i]))
			names[count++] = elf.symtab.symbols[i].name;
	if (!count)
		return -1;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < anchor->symbol_count; i++) {
		const struct hpkm_anchor_symbol *s = &anchor->symbols[i];

		if (s->type != STT_FUNC ||
		    (i && !strcmp(s->name, anchor->symbols[i - 1].name)))
			continue;
		total++;
		common += !!bsearch(&s->name, names, count, sizeof(*names),
				    compare_names);
	}
	for (size_t i = found = 0; i < count; i++)
		found += !i || strcmp(names[i], names[i - 1]);
	return total + found ? 2.0 * common / (total + found) : 0;
}

static bool is_option(const char *arg, const char *a, const char *b)
{
	return !strcmp(arg, a) || !strcmp(arg, b);
}

static const char *soname_of_link(const struct hpkm_done *link)
{
	for (size_t i = 1; i < link->command_count; i++) {
		const char *arg = link->command[i];

		if (is_option(arg, "-soname", "-h") &&
		    i + 1 < link->command_count)
			return link->command[i + 1];
		if (!strncmp(arg, "-soname=", 8))
			return arg + 8;
		if (!strncmp(arg, "--soname=", 9))
			return arg + 9;
	}
	return NULL;
}

static bool links_objects_only(const struct hpkm_done *link)
{
	for (size_t i = 1; i < link->command_count; i++)
		if (is_option(link->command[i], "-r", "-i") ||
		    is_option(link->command[i], "--relocatable", "-Ur"))
			return true;
	return false;
}

/* Is it called as the target is? */
static bool is_named(const struct hpkm_done *link, const char *target)
{
	char *real = realpath(target, NULL);
	const char *soname = soname_of_link(link);
	const char *name = basename(real ? real : target);
	bool named;

	named = !strcmp(basename(link->output), name) ||
		!strcmp(basename(link->output), basename(target)) ||
		(soname && (!strcmp(soname, basename(target)) ||
			    !strcmp(soname, name)));
	free(real);
	return named;
}

static bool is_candidate(const struct hpkm_steps *steps, size_t i)
{
	const struct hpkm_done *step = &steps->record->steps[i];

	/* Only as it was linked last, and if it is still there. */
	return step->kind == HPKM_DONE_LINK && !links_objects_only(step) &&
		step == hpkm_steps_last_at(steps, step->output,
					   steps->record->count) &&
		hpkm_steps_within(steps, step->output) &&
		!access(hpkm_steps_place(steps, step->output), R_OK);
}

static const struct hpkm_done *choose(const struct hpkm_steps *steps,
				      const char *target,
				      const struct hpkm_anchor *anchor,
				      bool named, double least)
{
	const struct hpkm_done *done = steps->record->steps, *best = NULL;
	double top = -2, like;

	for (size_t i = 0; i < steps->record->count; i++) {
		if (!is_candidate(steps, i) ||
		    (named && !is_named(&done[i], target)))
			continue;
		like = likeness(steps, anchor,
				hpkm_steps_place(steps, done[i].output));
		/* Stripped, but of the right name. */
		if (like < 0 && named)
			like = least;
		if (like >= least && like > top) {
			top = like;
			best = &done[i];
		}
	}
	return best;
}

static void explain(const struct hpkm_steps *steps, const char *target)
{
	const struct hpkm_done *done = steps->record->steps;
	size_t shown = 0;

	for (size_t i = 0; i < steps->record->count && shown < 20; i++) {
		if (!is_candidate(steps, i))
			continue;
		if (!shown++) {
			hpkm_error("none of the files that the build has linked is %s",
				   target);
			hpkm_detail("they were compared by name and by the names of their functions; there are:");
		}
		hpkm_detail("  %s", hpkm_steps_within(steps, done[i].output));
	}
	if (shown)
		return;
	hpkm_error("the build has linked no file that hpkm-build saw");
	if (steps->record->count)
		hpkm_detail("does the build command make %s?", target);
	else
		hpkm_detail("it compiled nothing, or by a compiler other than GCC or clang, or the build command clears the environment (COMPILER_PATH, PATH)");
}

const struct hpkm_done *hpkm_linked_find(const struct hpkm_steps *steps,
					 const struct hpkm_anchor *anchor)
{
	const char *target = anchor->elf.path;
	const struct hpkm_done *link;

	link = choose(steps, target, anchor, true, SAME_ENOUGH);
	if (!link)
		link = choose(steps, target, anchor, false, SURELY_SAME);
	if (!link)
		explain(steps, target);
	return link;
}
