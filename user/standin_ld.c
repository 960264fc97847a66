// SPDX-License-Identifier: GPL-2.0
/* In place of a linker (stage 1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler.h"
#include "standin.h"

/*
 * The linker's own list of the files it has read, in the form of a rule for
 * make: names are not quoted, and each has a line of its own.
 */
static int read_inputs(struct hpkm_standin *c, const char *path,
		       struct hpkm_done *step)
{
	char *line = NULL, *name;
	size_t room = 0, n;
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	while (getline(&line, &room, f) > 0) {
		n = strcspn(line, "\n");
		if (!n)
			break;
		line[n] = 0;
		if (n > 1 && !strcmp(line + n - 2, " \\"))
			line[n - 2] = 0;
		name = line + strspn(line, " ");
		/* The first line is the target's. */
		if (name == line || !*name)
			continue;
		step->inputs = hpkm_arena_push(&c->arena, step->inputs,
					       step->input_count,
					       sizeof(*step->inputs));
		step->inputs[step->input_count++] =
			hpkm_arena_printf(&c->arena, "%s", hpkm_standin_path(c, name));
	}
	free(line);
	fclose(f);
	return 0;
}

/* Objects that a driver made for this link only are gone when it has ended. */
static void save_inputs(struct hpkm_standin *c, struct hpkm_done *step)
{
	const char *temporary = getenv("TMPDIR");

	if (!temporary || !*temporary)
		temporary = "/tmp";
	temporary = hpkm_standin_path(c, temporary);
	step->input_saved = hpkm_arena_alloc(&c->arena, step->input_count,
					     sizeof(*step->input_saved));
	step->input_identities = hpkm_arena_alloc(&c->arena, step->input_count,
						  sizeof(char *));
	for (size_t i = 0; i < step->input_count; i++) {
		/* With LTO the linker is told of some that are gone already. */
		if (access(step->inputs[i], R_OK))
			continue;
		step->input_identities[i] =
			hpkm_standin_identity(c, step->inputs[i]);
		if (hpkm_lies_in(step->inputs[i], temporary) &&
		    !hpkm_lies_in(step->inputs[i], getenv(HPKM_BUILD_WORK)))
			hpkm_standin_save(c, step->inputs[i],
					  &step->input_saved[i]);
	}
}

static const char *ld_output(int argc, char **argv)
{
	const char *output = "a.out";

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-o") && i + 1 < argc)
			output = argv[++i];
		else if (!strncmp(argv[i], "--output=", 9))
			output = argv[i] + 9;
		else if (!strncmp(argv[i], "-o", 2) && argv[i][2] &&
			 strncmp(argv[i], "-omagic", 7))
			output = argv[i] + 2;
	}
	return output;
}

int hpkm_standin_ld(struct hpkm_standin *c, int argc, char **argv)
{
	static const char option[] = "--dependency-file=";
	const char *output = ld_output(argc, argv), *list = NULL;
	struct hpkm_done step = {
		.kind = HPKM_DONE_LINK,
		.driver = getppid(),
		.command = (const char **)argv,
		.command_count = argc,
	};
	int status;

	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], option, sizeof(option) - 1))
			list = argv[i] + sizeof(option) - 1;
		else if (!strcmp(argv[i], "--dependency-file") && i + 1 < argc)
			list = argv[i + 1];
	}
	hpkm_standin_push(c, argv[0]);
	hpkm_standin_push_given(c);
	/* -v, --version and the like. */
	if (argc < 3)
		hpkm_standin_become(c);
	if (!list) {
		list = hpkm_arena_printf(&c->arena, "%s/inputs.%d", c->record,
					 getpid());
		hpkm_standin_push(c, hpkm_arena_printf(&c->arena, "%s%s", option, list));
	}
	status = hpkm_standin_run(c);
	if (status || access(output, R_OK))
		return status;
	step.output = hpkm_standin_path(c, output);
	if (read_inputs(c, list, &step))
		hpkm_standin_fail(c, "the linker did not write", list);
	if (hpkm_lies_in(list, c->record))
		unlink(list);
	save_inputs(c, &step);
	hpkm_standin_record(c, &step);
	return 0;
}
