// SPDX-License-Identifier: GPL-2.0
/*
 * Standing in for compilers and linkers (stage 1).  What is added to a command
 * puts each function and variable in a section of its own, asks for debug
 * information where there is none, and maps the names of the copied tree to
 * those of the original one.  None of it changes the code that is generated.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler.h"
#include "hpkm.h"
#include "record.h"
#include "reuse.h"

extern char **environ;

struct compiler {
	struct hpkm_arena arena;
	const char *name;		/* as it was called, without a path */
	const char *record;
	char cwd[PATH_MAX];
	char *real;			/* the program that it stands for */
	char **argv;			/* what is run */
	int argc;
	/* What it was called with; "@file" replaced by that file's words. */
	char **given, **words;
	int given_count, word_count;
};

/* ---- names ---- */

enum role {
	ROLE_NONE,
	ROLE_TRANSLATE,
	ROLE_ASSEMBLE,
	ROLE_LINK,
	ROLE_CLANG,
};

/* "-14" and the like, or nothing. */
static bool is_version(const char *s)
{
	if (!*s)
		return true;
	return *s == '-' && s[1] && !s[1 + strspn(s + 1, "0123456789.")];
}

static enum role base_role(const char *name)
{
	static const char *const linkers[] = {
		"ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold",
	};

	if (!strcmp(name, "as"))
		return ROLE_ASSEMBLE;
	for (size_t i = 0; i < sizeof(linkers) / sizeof(*linkers); i++) {
		size_t n = strlen(linkers[i]);

		if (!strncmp(name, linkers[i], n) && is_version(name + n))
			return ROLE_LINK;
	}
	if (!strncmp(name, "clang", 5)) {
		name += 5;
		if (!strncmp(name, "++", 2))
			name += 2;
		if (is_version(name))
			return ROLE_CLANG;
	}
	return ROLE_NONE;
}

static enum role role_of(const char *name)
{
	enum role role = ROLE_NONE;

	if (!strcmp(name, "cc1") || !strcmp(name, "cc1plus"))
		return ROLE_TRANSLATE;
	/* With a triplet before it, as in x86_64-linux-gnu-ld. */
	while (name && role == ROLE_NONE) {
		role = base_role(name);
		name = strchr(name, '-');
		if (name)
			name++;
	}
	return role;
}

bool hpkm_compiler_name(const char *name)
{
	return role_of(name) != ROLE_NONE;
}

bool hpkm_compiler_wanted(const char *name)
{
	return getenv(HPKM_BUILD_RECORD) && hpkm_compiler_name(name);
}

/* ---- the program that it stands for ---- */

static bool is_myself(const struct stat *st)
{
	struct stat me;

	return !stat("/proc/self/exe", &me) && me.st_dev == st->st_dev &&
		me.st_ino == st->st_ino;
}

/* The first program of that name in a list of directories that is not hpkm. */
static char *find_in(struct compiler *c, const char *list, const char *name)
{
	const char *end;
	struct stat st;
	char *path;

	for (; list && *list; list = *end ? end + 1 : end) {
		end = strchrnul(list, ':');
		if (end == list)
			continue;
		path = hpkm_arena_printf(&c->arena, "%.*s/%s",
					 (int)(end - list), list, name);
		if (!access(path, X_OK) && !stat(path, &st) &&
		    S_ISREG(st.st_mode) && !is_myself(&st))
			return path;
	}
	return NULL;
}

/* One line of a command's output, without its end. */
static char *ask(struct compiler *c, char *const argv[], char *const env[])
{
	posix_spawn_file_actions_t actions;
	char *line = NULL, *said = NULL;
	size_t room = 0;
	int fds[2], status, err;
	pid_t pid;
	FILE *f;

	if (pipe2(fds, O_CLOEXEC))
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	f = fdopen(fds[0], "r");
	if (!err && f && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = 0;
		said = hpkm_arena_printf(&c->arena, "%s", line);
	}
	free(line);
	if (f)
		fclose(f);
	else
		close(fds[0]);
	while (!err && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return said;
}

/* The environment with COMPILER_PATH as it was before. */
static char **user_environment(struct compiler *c)
{
	const char *old = getenv(HPKM_BUILD_COMPILER_PATH);
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = hpkm_arena_alloc(&c->arena, n + 2, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "COMPILER_PATH=", 14))
			env[kept++] = environ[i];
	if (old)
		env[kept] = hpkm_arena_printf(&c->arena, "COMPILER_PATH=%s",
					      old);
	return env;
}

/* Which one a GCC driver would have run, remembered for the next time. */
static char *ask_driver(struct compiler *c, const char *driver)
{
	const char *work = getenv(HPKM_BUILD_WORK);
	char *link, *flag, *said, known[PATH_MAX];
	ssize_t n;

	link = hpkm_arena_printf(&c->arena, "%s@%s", driver, c->name);
	for (char *p = link; *p; p++)
		if (*p == '/')
			*p = '%';
	link = hpkm_arena_printf(&c->arena, "%s/programs/%s", work ? work : "",
				 link);
	n = readlink(link, known, sizeof(known) - 1);
	if (n > 0) {
		known[n] = 0;
		return hpkm_arena_printf(&c->arena, "%s", known);
	}
	flag = hpkm_arena_printf(&c->arena, "-print-prog-name=%s", c->name);
	said = ask(c, (char *[]){ (char *)driver, flag, NULL },
		   user_environment(c));
	if (said && !strchr(said, '/'))
		said = find_in(c, getenv("PATH"), said);
	/* Somebody else may have been faster. */
	if (said && symlink(said, link) && errno != EEXIST)
		return NULL;
	return said;
}

static char *find_real(struct compiler *c, enum role role)
{
	const char *driver = getenv("COLLECT_GCC");
	char *path = NULL;

	if (driver && (role == ROLE_TRANSLATE || role == ROLE_ASSEMBLE))
		path = ask_driver(c, driver);
	/* GCC tells the linker where it looks for programs itself. */
	if (!path && role == ROLE_LINK)
		path = find_in(c, getenv("COMPILER_PATH"), c->name);
	if (!path)
		path = find_in(c, getenv("PATH"), c->name);
	return path;
}

/* ---- running it ---- */

static void fail(struct compiler *c, const char *what, const char *path)
{
	hpkm_message_name("hpkm-build");
	hpkm_error("standing in for %s: %s %s: %s", c->name, what, path,
		   strerror(errno));
	_exit(HPKM_EXIT_ERROR);
}

static int run(struct compiler *c)
{
	int status, err;
	pid_t pid;

	err = posix_spawn(&pid, c->real, NULL, NULL, c->argv, environ);
	if (err) {
		errno = err;
		fail(c, "cannot run", c->real);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail(c, "cannot wait for", c->real);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
		128 + WTERMSIG(status);
}

static void become(struct compiler *c)
{
	execv(c->real, c->argv);
	fail(c, "cannot run", c->real);
}

static void push(struct compiler *c, const char *arg)
{
	/* Room for the NULL behind it, too. */
	c->argv = hpkm_arena_push(&c->arena, c->argv, c->argc,
				  sizeof(*c->argv));
	c->argv[c->argc++] = (char *)arg;
	c->argv = hpkm_arena_push(&c->arena, c->argv, c->argc,
				  sizeof(*c->argv));
	c->argv[c->argc] = NULL;
}

static const char *absolute(struct compiler *c, const char *path)
{
	char resolved[PATH_MAX];

	if (realpath(path, resolved))
		return hpkm_arena_printf(&c->arena, "%s", resolved);
	if (*path == '/')
		return path;
	return hpkm_arena_printf(&c->arena, "%s/%s", c->cwd, path);
}

/* The words of the command that the driver of this step was given. */
static void driver_command(struct compiler *c, struct hpkm_done *step,
			   int argc, char **argv)
{
	char path[64], *word = NULL;
	size_t room = 0;
	FILE *f = NULL;

	if (getenv("COLLECT_GCC")) {
		snprintf(path, sizeof(path), "/proc/%d/cmdline",
			 (int)step->driver);
		f = fopen(path, "re");
	}
	while (f && getdelim(&word, &room, 0, f) > 0) {
		step->command = hpkm_arena_push(&c->arena, step->command,
						step->command_count,
						sizeof(*step->command));
		step->command[step->command_count++] =
			hpkm_arena_printf(&c->arena, "%s", word);
	}
	free(word);
	if (f)
		fclose(f);
	if (!step->command_count) {
		step->command = (const char **)argv;
		step->command_count = argc;
	}
}

static void record(struct compiler *c, struct hpkm_done *step)
{
	step->directory = c->cwd;
	if (hpkm_record_add(c->record, step))
		fail(c, "cannot write to", c->record);
}

static const char *identity_of(struct compiler *c, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return NULL;
	return hpkm_arena_printf(&c->arena, "%llx:%llx:%lld.%09ld:%lld",
				 (unsigned long long)st.st_dev,
				 (unsigned long long)st.st_ino,
				 (long long)st.st_mtim.tv_sec,
				 st.st_mtim.tv_nsec, (long long)st.st_size);
}

static void save(struct compiler *c, const char *path, const char **saved)
{
	if (hpkm_record_save(&c->arena, c->record, path, saved))
		fail(c, "cannot save", path);
}

static void save_output(struct compiler *c, struct hpkm_done *step,
			const char *output)
{
	step->output = absolute(c, output);
	step->identity = identity_of(c, output);
	save(c, output, &step->saved);
	record(c, step);
}

/* ---- words ---- */

static void push_given(struct compiler *c)
{
	for (int i = 1; i < c->given_count; i++)
		push(c, c->given[i]);
}

static void expand(struct compiler *c, const char *arg, int depth);

/* Blanks part words; quotes and backslashes keep them in one. */
static void expand_file(struct compiler *c, FILE *f, int depth)
{
	char *word = NULL;
	size_t n = 0;
	int quote = 0, ch;
	bool open = false;

	while ((ch = getc(f)) != EOF) {
		if (!quote && strchr(" \t\r\n\f\v", ch)) {
			if (open)
				expand(c, word, depth + 1);
			word = NULL;
			n = 0;
			open = false;
			continue;
		}
		open = true;
		if (quote ? ch == quote : ch == '\'' || ch == '"') {
			quote = quote ? 0 : ch;
			ch = 0;
		} else if (ch == '\\') {
			ch = getc(f);
			if (ch == EOF)
				break;
		}
		word = hpkm_arena_push(&c->arena, word, n, 1);
		word[n] = ch;
		n += !!ch;
		word = hpkm_arena_push(&c->arena, word, n, 1);
		word[n] = 0;
	}
	if (open)
		expand(c, word, depth + 1);
}

static void expand(struct compiler *c, const char *arg, int depth)
{
	FILE *f = *arg == '@' && depth < 16 ? fopen(arg + 1, "re") : NULL;

	if (f) {
		expand_file(c, f, depth);
		fclose(f);
		return;
	}
	c->words = hpkm_arena_push(&c->arena, c->words, c->word_count,
				   sizeof(*c->words));
	c->words[c->word_count++] = (char *)arg;
}

/* ---- flags ---- */

static bool is_any(const char *arg, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(arg, *list))
			return true;
	return false;
}

/*
 * First, so that what the command itself says of the same names prevails: the
 * copy stands for the tree that the target was built in, in debug information
 * and in __FILE__.
 */
static void push_maps(struct compiler *c)
{
	const char *tree = getenv(HPKM_BUILD_TREE);
	const char *name = getenv(HPKM_BUILD_NAME);

	if (!tree || !name)
		return;
	push(c, hpkm_arena_printf(&c->arena, "-fdebug-prefix-map=%s=%s",
				  tree, name));
	push(c, hpkm_arena_printf(&c->arena, "-fmacro-prefix-map=%s=%s",
				  tree, name));
}

/* Last, so that they prevail. */
static void push_sections(struct compiler *c, int argc, char **argv)
{
	bool debug = false;

	for (int i = 1; i < argc; i++)
		debug |= !strncmp(argv[i], "-g", 2);
	push(c, "-ffunction-sections");
	push(c, "-fdata-sections");
	if (!debug)
		push(c, "-g");
}

static bool has_lto(int argc, char **argv)
{
	bool lto = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-flto") || !strncmp(argv[i], "-flto=", 6))
			lto = true;
		else if (!strcmp(argv[i], "-fno-lto"))
			lto = false;
	}
	return lto;
}

static const char *value_of(const char *option, int argc, char **argv)
{
	const char *value = NULL;

	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], option))
			value = argv[i + 1];
	return value;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- cc1, cc1plus ---- */

/* The driver says the input's base name, which tells it from other words. */
static const char *cc1_source(int argc, char **argv)
{
	const char *base = value_of("-dumpbase", argc, argv);

	for (int i = argc - 1; base && i > 1; i--)
		if (strcmp(argv[i - 1], "-dumpbase") && *argv[i] != '-' &&
		    !strcmp(base_name(argv[i]), base))
			return argv[i];
	return NULL;
}

/*
 * In the second build: has the first one's object been put in place?  In the
 * first: prepares that.  The command is the one that is run.
 */
static bool reuse(struct compiler *c, const struct hpkm_done *step)
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
		fail(c, "cannot write to", c->record);
	return false;
}

static int translate(struct compiler *c, int argc, char **argv)
{
	static const char *const no_code[] = { "-E", "-M", "-MM", NULL };
	struct hpkm_done step = {
		.kind = HPKM_DONE_TRANSLATE,
		.driver = getppid(),
		.source = cc1_source(argc, argv),
		.output = value_of("-o", argc, argv),
		.lto = has_lto(argc, argv),
	};
	bool code = true;

	for (int i = 1; i < argc; i++)
		code &= !is_any(argv[i], no_code);
	push(c, argv[0]);
	push_maps(c);
	push_given(c);
	if (code) {
		push_sections(c, argc, argv);
		driver_command(c, &step, argc, argv);
		record(c, &step);
		if (reuse(c, &step))
			return 0;
	}
	become(c);
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
		if (is_any(argv[i], with_value))
			i++;
		else if (*argv[i] != '-')
			source = argv[i];
	}
	return source;
}

static int assemble(struct compiler *c, int argc, char **argv)
{
	const char *output = value_of("-o", argc, argv);
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
		become(c);
	driver_command(c, &step, argc, argv);
	if (step.source && output && earlier && *earlier)
		again = hpkm_reuse_object(&c->arena, step.source);
	if (again) {
		if (hpkm_record_restore(again, output))
			fail(c, "cannot write", output);
		step.output = absolute(c, output);
		step.identity = identity_of(c, output);
		step.saved = again;
		record(c, &step);
		return 0;
	}
	status = run(c);
	if (!output)
		output = "a.out";
	if (status || access(output, R_OK) || !strcmp(output, "/dev/null"))
		return status;
	save_output(c, &step, output);
	if (step.source && tree && !earlier &&
	    hpkm_reuse_keep(&c->arena, c->record, tree, step.source,
			    step.saved))
		fail(c, "cannot write to", c->record);
	return 0;
}

/* ---- ld ---- */

/*
 * The linker's own list of the files it has read, in the form of a rule for
 * make: names are not quoted, and each has a line of its own.
 */
static int read_inputs(struct compiler *c, const char *path,
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
			hpkm_arena_printf(&c->arena, "%s", absolute(c, name));
	}
	free(line);
	fclose(f);
	return 0;
}

static bool starts_with(const char *path, const char *dir)
{
	size_t n = dir ? strlen(dir) : 0;

	return n && !strncmp(path, dir, n) && path[n] == '/';
}

/* Objects that a driver made for this link only are gone when it has ended. */
static void save_inputs(struct compiler *c, struct hpkm_done *step)
{
	const char *temporary = getenv("TMPDIR");

	if (!temporary || !*temporary)
		temporary = "/tmp";
	temporary = absolute(c, temporary);
	step->input_saved = hpkm_arena_alloc(&c->arena, step->input_count,
					     sizeof(*step->input_saved));
	step->input_identities = hpkm_arena_alloc(&c->arena, step->input_count,
						  sizeof(char *));
	for (size_t i = 0; i < step->input_count; i++) {
		/* With LTO the linker is told of some that are gone already. */
		if (access(step->inputs[i], R_OK))
			continue;
		step->input_identities[i] = identity_of(c, step->inputs[i]);
		if (starts_with(step->inputs[i], temporary) &&
		    !starts_with(step->inputs[i], getenv(HPKM_BUILD_WORK)))
			save(c, step->inputs[i], &step->input_saved[i]);
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

static int link_files(struct compiler *c, int argc, char **argv)
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
	push(c, argv[0]);
	push_given(c);
	/* -v, --version and the like. */
	if (argc < 3)
		become(c);
	if (!list) {
		list = hpkm_arena_printf(&c->arena, "%s/inputs.%d", c->record,
					 getpid());
		push(c, hpkm_arena_printf(&c->arena, "%s%s", option, list));
	}
	status = run(c);
	if (status || access(output, R_OK))
		return status;
	step.output = absolute(c, output);
	if (read_inputs(c, list, &step))
		fail(c, "the linker did not write", list);
	if (starts_with(list, c->record))
		unlink(list);
	save_inputs(c, &step);
	record(c, &step);
	return 0;
}

/* ---- clang ---- */

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
	const char *dot = strrchr(base_name(name), '.');

	return dot && is_any(dot + 1, suffixes);
}

static void analyse(struct compiler *c, struct command *command, int argc,
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
		} else if (is_any(arg, with_value)) {
			i++;
		} else if (!strcmp(arg, "-c")) {
			command->compile = true;
		} else if (is_any(arg, others)) {
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
static void push_date(struct compiler *c)
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
	push(c, "-Wno-builtin-macro-redefined");
	push(c, hpkm_arena_printf(&c->arena, "-D__DATE__=\"%s\"", date));
	push(c, hpkm_arena_printf(&c->arena, "-D__TIME__=\"%s\"", hour));
}

/* "dir/name.c" -> "name.o" */
static const char *default_object(struct compiler *c, const char *source)
{
	const char *base = base_name(source), *dot = strrchr(base, '.');

	return hpkm_arena_printf(&c->arena, "%.*s.o",
				 (int)(dot ? dot - base :
				       (long)strlen(base)), base);
}

static int clang(struct compiler *c, int argc, char **argv)
{
	struct command command = { 0 };
	struct hpkm_done step = {
		.command = (const char **)argv,
		.command_count = argc,
		.driver = getpid(),
		.lto = has_lto(argc, argv),
	};
	const char *output;
	int status;

	c->argv = c->given;
	if (argc > 1 && (!strcmp(argv[1], "-cc1") ||
			 !strcmp(argv[1], "-cc1as")))
		become(c);
	analyse(c, &command, argc, argv);
	if (!command.source_count)
		become(c);
	c->argv = NULL;
	c->argc = 0;
	push(c, argv[0]);
	push(c, "-Qunused-arguments");
	push_maps(c);
	push_date(c);
	push_given(c);
	if (command.other)
		become(c);
	push_sections(c, argc, argv);
	if (!command.compile) {
		/* The linker's step, of the same process, tells the rest. */
		step.kind = HPKM_DONE_DRIVE;
		step.inputs = command.sources;
		step.input_count = command.source_count;
		record(c, &step);
		become(c);
	}
	status = run(c);
	step.kind = HPKM_DONE_OBJECT;
	for (size_t i = 0; !status && i < command.source_count; i++) {
		output = command.output ? command.output :
			default_object(c, command.sources[i]);
		if (access(output, R_OK) || !strcmp(output, "/dev/null"))
			continue;
		step.source = command.sources[i];
		save_output(c, &step, output);
	}
	return status;
}

/* The makefiles were configured to work there, whatever they lie in. */
static void check_place(struct compiler *c)
{
	const char *source = getenv(HPKM_BUILD_SOURCE);

	if (!source || (strcmp(c->cwd, source) && !starts_with(c->cwd, source)))
		return;
	hpkm_message_name("hpkm-build");
	hpkm_error("error: the build works in %s itself, not in its copy",
		   c->cwd);
	hpkm_detail("its makefiles name that directory: have the build command configure it anew");
	_exit(HPKM_EXIT_ERROR);
}

int hpkm_compiler_run(const char *name, int argc, char **argv)
{
	enum role role = role_of(name);
	struct compiler *c;
	int status = HPKM_EXIT_ERROR;

	c = calloc(1, sizeof(*c));
	if (!c)
		return status;
	c->given = argv;
	c->given_count = argc;
	for (int i = 0; i < argc; i++)
		expand(c, argv[i], 0);
	argc = c->word_count;
	argv = c->words;
	c->name = name;
	c->record = getenv(HPKM_BUILD_RECORD);
	if (!getcwd(c->cwd, sizeof(c->cwd)))
		fail(c, "cannot tell the", "working directory");
	check_place(c);
	c->real = find_real(c, role);
	if (!c->real) {
		errno = ENOENT;
		fail(c, "cannot find the real", name);
	}
	switch (role) {
	case ROLE_TRANSLATE:
		status = translate(c, argc, argv);
		break;
	case ROLE_ASSEMBLE:
		status = assemble(c, argc, argv);
		break;
	case ROLE_LINK:
		status = link_files(c, argc, argv);
		break;
	case ROLE_CLANG:
		status = clang(c, argc, argv);
		break;
	case ROLE_NONE:
		break;
	}
	hpkm_arena_free(&c->arena);
	free(c);
	return status;
}
