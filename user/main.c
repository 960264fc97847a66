// SPDX-License-Identifier: GPL-2.0
/*
 * hpkm: one binary.  The command is the first argument, or the part of the
 * name after "hpkm-" when it is called by one of its installed names.  In the
 * builds that hpkm-build runs it is also called by names of compilers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/*
 * A standard stream that is closed must not become a file or socket that the
 * command opens.  What is written to it fails as before.
 */
static void hold_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			exit(HPKM_EXIT_ERROR);
	}
}

/* Return: the status, unless the results could not be written. */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	hpkm_error("the results can't be written to standard output");
	return HPKM_EXIT_ERROR;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "hpkm-%s", command->name);
	hpkm_message_name(name);
	argv[0] = name;
	return finish(command->run(argc, argv));
}

int main(int argc, char **argv)
{
	const char *base = argc && argv[0] ? argv[0] : "hpkm";
	const char *slash = strrchr(base, '/');
	const struct command *command;

	if (slash)
		base = slash + 1;
	command = strncmp(base, "hpkm-", 5) ? NULL : find_command(base + 5);
	if (!command && hpkm_compiler_wanted(base))
		return hpkm_compiler_run(base, argc, argv);
	hold_streams();
	if (command)
		return run_command(command, argc, argv);
	if (argc < 2) {
		usage(stderr);
		return HPKM_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return finish(HPKM_EXIT_OK);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("hpkm %s\n", HPKM_VERSION);
		return finish(HPKM_EXIT_OK);
	}
	command = find_command(argv[1]);
	if (!command) {
		hpkm_error("there is no command '%s'", argv[1]);
		usage(stderr);
		return HPKM_EXIT_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
