// SPDX-License-Identifier: GPL-2.0
/*
 * hpkm: one binary.  The command is the first argument, or the part of the
 * name after "hpkm-" when it is called by one of its installed names.  In the
 * builds that hpkm-build runs it is also called by names of compilers.
 */
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "hpkm.h"

#ifndef HPKM_VERSION
#define HPKM_VERSION "unversioned"
#endif

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "build", cmd_build, "make a patch object from old and new code" },
	{ "apply", cmd_apply, "apply a patch object to running processes" },
	{ "revert", cmd_revert, "take a patch out of running processes" },
	{ "list", cmd_list, "show patches and patched processes" },
	{ "inspect", cmd_inspect, "show what is in a patch object" },
	{ "monitor", cmd_monitor, "follow what happens to patches" },
};

static void usage(FILE *to)
{
	fprintf(to, "usage: hpkm COMMAND [ARGUMENTS]\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\n'hpkm COMMAND --help' tells about one command.\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "hpkm-%s", command->name);
	hpkm_message_name(name);
	argv[0] = name;
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	const char *base = argc && argv[0] ? argv[0] : "hpkm";
	const char *slash = strrchr(base, '/');
	const struct command *command;

	if (slash)
		base = slash + 1;
	if (!strncmp(base, "hpkm-", 5)) {
		command = find_command(base + 5);
		if (command)
			return run_command(command, argc, argv);
	}
	if (hpkm_compiler_wanted(base))
		return hpkm_compiler_run(base, argc, argv);
	if (argc < 2) {
		usage(stderr);
		return HPKM_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return HPKM_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("hpkm %s\n", HPKM_VERSION);
		return HPKM_EXIT_OK;
	}
	command = find_command(argv[1]);
	if (!command) {
		hpkm_error("there is no command '%s'", argv[1]);
		usage(stderr);
		return HPKM_EXIT_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
