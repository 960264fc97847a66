// SPDX-License-Identifier: GPL-2.0
/*
 * In place of GCC's compilers proper, and of the assembler (stage 1).  The
 * driver runs one after the other; it is the parent of both.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler.h"
#include "hpkm.h"
#include "reuse.h"
#include "standin.h"

/* ---- cc1, cc1plus ---- */

/* The driver says the input's base name, which tells it from other words. */
static const char *cc1_source(int argc, char **argv)
{
	const char *base = hpkm_standin_value("-dumpbase", argc, argv);

	for (int i = argc - 1; base && i > 1; i--)
		if (strcmp(argv[i - 1], "-dumpbase") && *argv[i] != '-' &&
		    !strcmp(hpkm_base_name(argv[i]), base))
			return argv[i];
	return NULL;
}

/*
 * In the second build: has the first one's object been put in place?  In the
 * first: prepares that.  The command is the one that is run.
 */
static bool reuse(struct hpkm_standin *c, const struct hpkm_done *step)
{
	const char *earlier = getenv(HPKM_BUILD_REUSE);
	struct hpkm_reuse reuse;

	hpkm_reuse_init(&c->arena, &reuse, earlier ? earlier : c->record,
			c->real, step->source, c->argc, c->argv);
	/* Empty: the second build, but all of it is to be compiled. */
	if (earlier)
		return *earlier &&
			hpkm_reuse_find(&c->arena, earlier, &reuse);
	if (hpkm_reuse_note(c->record, &reuse))
		hpkm_standin_fail(c, "cannot write to", c->record);
	return false;
}

int hpkm_standin_cc1(struct hpkm_standin *c, int argc, char **argv)
{
	static const char *const no_code[] = { "-E", "-M", "-MM", NULL };
	struct hpkm_done step = {
		.kind = HPKM_DONE_TRANSLATE,
		.driver = getppid(),
		.source = cc1_source(argc, argv),
		.output = hpkm_standin_value("-o", argc, argv),
		.lto = hpkm_standin_lto(argc, argv),
	};
	bool code = true;

	for (int i = 1; i < argc; i++)
		code &= !hpkm_any_of(argv[i], no_code);
	hpkm_standin_push(c, argv[0]);
	hpkm_standin_push_maps(c);
	hpkm_standin_push_given(c);
	if (code) {
		hpkm_standin_push_sections(c, argc, argv);
		hpkm_standin_command(c, &step, argc, argv);
		hpkm_standin_record(c, &step);
		if (reuse(c, &step))
			return 0;
	}
	hpkm_standin_become(c);
	return HPKM_EXIT_ERROR;
}

/* ---- as ---- */

static const char *as_source(int argc, char **argv)
{
	static const char *const with_value[] = {
		"-o", "-I", "--MD", "--defsym", "--debug-prefix-map", NULL
	};
	const char *source = NULL;

	for (int i = 1; i < argc; i++) {
		if (hpkm_any_of(argv[i], with_value))
			i++;
		else if (*argv[i] != '-')
			source = argv[i];
	}
	return source;
}

int hpkm_standin_as(struct hpkm_standin *c, int argc, char **argv)
{
	const char *output = hpkm_standin_value("-o", argc, argv);
	const char *tree = getenv(HPKM_BUILD_TREE);
	const char *earlier = getenv(HPKM_BUILD_REUSE);
	struct hpkm_done step = {
		.kind = HPKM_DONE_OBJECT,
		.driver = getppid(),
		.source = as_source(argc, argv),
	};
	const char *again = NULL;
	int status;

	c->argv = c->given;
	/* --version and the like. */
	if (argc < 3)
		hpkm_standin_become(c);
	hpkm_standin_command(c, &step, argc, argv);
	if (step.source && output && earlier && *earlier)
		again = hpkm_reuse_object(&c->arena, step.source);
	if (again) {
		if (hpkm_record_restore(again, output))
			hpkm_standin_fail(c, "cannot write", output);
		step.output = hpkm_standin_path(c, output);
		step.identity = hpkm_standin_identity(c, output);
		step.saved = again;
		hpkm_standin_record(c, &step);
		return 0;
	}
	status = hpkm_standin_run(c);
	if (!output)
		output = "a.out";
	if (status || access(output, R_OK) || !strcmp(output, "/dev/null"))
		return status;
	hpkm_standin_save_output(c, &step, output);
	if (step.source && tree && !earlier &&
	    hpkm_reuse_keep(&c->arena, c->record, tree, step.source,
			    step.saved))
		hpkm_standin_fail(c, "cannot write to", c->record);
	return 0;
}
