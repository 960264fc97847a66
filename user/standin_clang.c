// SPDX-License-Identifier: GPL-2.0
/*
 * In place of clang (stage 1), which compiles without running anything else:
 * here the driver's own command is what is looked at.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "standin.h"

/* What a command is for, as far as it matters here. */
struct command {
	const char **sources;
	size_t source_count;
	const char *output;
	bool compile;		/* -c */
	bool other;		/* -E, -S, ... : makes no object */
};

static bool is_source(const char *name)
{
	static const char *const suffixes[] = {
		"c", "i", "cc", "cp", "cxx", "cpp", "CPP", "c++", "C", "ii",
		"s", "S", "sx", NULL
	};
	const char *dot = strrchr(hpkm_base_name(name), '.');

	return dot && hpkm_any_of(dot + 1, suffixes);
}

static void analyse(struct hpkm_standin *c, struct command *command, int argc,
		    char **argv)
{
	static const char *const with_value[] = {
		"-I", "-D", "-U", "-L", "-l", "-include", "-imacros",
		"-isystem", "-iquote", "-idirafter", "-isysroot", "-iprefix",
		"-iwithprefix", "-iwithprefixbefore", "-MF", "-MT", "-MQ",
		"-MJ", "-arch", "-target", "-Xclang", "-Xlinker", "-B",
		"-Xassembler", "-Xpreprocessor", "-mllvm", "-T", "-z", "-u",
		"-e", "-rpath", "-A", "-G", "-gcc-toolchain", "--param",
		"--sysroot", "-resource-dir", NULL
	};
	static const char *const others[] = {
		"-E", "-S", "-M", "-MM", "-fsyntax-only", "-###",
		"--version", "-emit-llvm", "-emit-ast", NULL
	};
	bool language = false;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!strcmp(arg, "-o") && i + 1 < argc) {
			command->output = argv[++i];
		} else if (!strcmp(arg, "-x") && i + 1 < argc) {
			language = strcmp(argv[++i], "none");
		} else if (hpkm_any_of(arg, with_value)) {
			i++;
		} else if (!strcmp(arg, "-c")) {
			command->compile = true;
		} else if (hpkm_any_of(arg, others)) {
			command->other = true;
		} else if (!strncmp(arg, "-o", 2) && arg[2] &&
			   strncmp(arg, "-object", 7)) {
			command->output = arg + 2;
		} else if (!strncmp(arg, "-x", 2) && arg[2]) {
			language = strcmp(arg + 2, "none");
		} else if ((*arg != '-' || !arg[1]) &&
			   (language || is_source(arg))) {
			command->sources = hpkm_arena_push(&c->arena,
				command->sources, command->source_count,
				sizeof(*command->sources));
			command->sources[command->source_count++] = arg;
		}
	}
}

/* clang before 16 doesn't know of SOURCE_DATE_EPOCH. */
static void push_date(struct hpkm_standin *c)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char date[32], hour[32];
	struct tm tm;
	time_t t;

	if (!epoch)
		return;
	t = strtoll(epoch, NULL, 10);
	if (!gmtime_r(&t, &tm))
		return;
	strftime(date, sizeof(date), "%b %e %Y", &tm);
	strftime(hour, sizeof(hour), "%H:%M:%S", &tm);
	hpkm_standin_push(c, "-Wno-builtin-macro-redefined");
	hpkm_standin_push(c, hpkm_arena_printf(&c->arena, "-D__DATE__=\"%s\"", date));
	hpkm_standin_push(c, hpkm_arena_printf(&c->arena, "-D__TIME__=\"%s\"", hour));
}

/* "dir/name.c" -> "name.o" */
static const char *default_object(struct hpkm_standin *c, const char *source)
{
	const char *base = hpkm_base_name(source), *dot = strrchr(base, '.');

	return hpkm_arena_printf(&c->arena, "%.*s.o",
				 (int)(dot ? dot - base :
				       (long)strlen(base)), base);
}

int hpkm_standin_clang(struct hpkm_standin *c, int argc, char **argv)
{
	struct command command = { 0 };
	struct hpkm_done step = {
		.command = (const char **)argv,
		.command_count = argc,
		.driver = getpid(),
		.lto = hpkm_standin_lto(argc, argv),
	};
	const char *output;
	int status;

	c->argv = c->given;
	if (argc > 1 && (!strcmp(argv[1], "-cc1") ||
			 !strcmp(argv[1], "-cc1as")))
		hpkm_standin_become(c);
	analyse(c, &command, argc, argv);
	if (!command.source_count)
		hpkm_standin_become(c);
	c->argv = NULL;
	c->argc = 0;
	hpkm_standin_push(c, argv[0]);
	hpkm_standin_push(c, "-Qunused-arguments");
	hpkm_standin_push_maps(c);
	push_date(c);
	hpkm_standin_push_given(c);
	if (command.other)
		hpkm_standin_become(c);
	hpkm_standin_push_sections(c, argc, argv);
	if (!command.compile) {
		/* The linker's step, of the same process, tells the rest. */
		step.kind = HPKM_DONE_DRIVE;
		step.inputs = command.sources;
		step.input_count = command.source_count;
		hpkm_standin_record(c, &step);
		hpkm_standin_become(c);
	}
	status = hpkm_standin_run(c);
	step.kind = HPKM_DONE_OBJECT;
	for (size_t i = 0; !status && i < command.source_count; i++) {
		output = command.output ? command.output :
			default_object(c, command.sources[i]);
		if (access(output, R_OK) || !strcmp(output, "/dev/null"))
			continue;
		step.source = command.sources[i];
		hpkm_standin_save_output(c, &step, output);
	}
	return status;
}
