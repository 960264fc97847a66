// SPDX-License-Identifier: GPL-2.0
/*
 * Standing in for compilers and linkers (stage 1): which names are stood in
 * for, and which program it is that would have been run.
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
#include <unistd.h>

#include "compiler.h"
#include "hpkm.h"
#include "standin.h"

extern char **environ;

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
static char *find_in(struct hpkm_standin *c, const char *list, const char *name)
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
static char *ask(struct hpkm_standin *c, char *const argv[], char *const env[])
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
static char **user_environment(struct hpkm_standin *c)
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
static char *ask_driver(struct hpkm_standin *c, const char *driver)
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

static char *find_real(struct hpkm_standin *c, enum role role)
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

/* ---- the program itself ---- */

/* The makefiles were configured to work there, whatever they lie in. */
void hpkm_compiler_in_copy(const char *path, const char *who)
{
	const char *source = getenv(HPKM_BUILD_SOURCE);

	if (!source || (strcmp(path, source) && !hpkm_lies_in(path, source)))
		return;
	hpkm_message_name("hpkm-build");
	hpkm_error("error: %s %s itself, not its copy", who, path);
	hpkm_detail("its makefiles name that directory: have the build command configure it anew");
	_exit(HPKM_EXIT_ERROR);
}

int hpkm_compiler_run(const char *name, int argc, char **argv)
{
	enum role role = role_of(name);
	struct hpkm_standin *c;
	int status = HPKM_EXIT_ERROR;

	c = calloc(1, sizeof(*c));
	if (!c)
		return status;
	c->given = argv;
	c->given_count = argc;
	for (int i = 0; i < argc; i++)
		hpkm_standin_expand(c, argv[i]);
	argc = c->word_count;
	argv = c->words;
	c->name = name;
	c->record = getenv(HPKM_BUILD_RECORD);
	if (!getcwd(c->cwd, sizeof(c->cwd)))
		hpkm_standin_fail(c, "cannot tell the", "working directory");
	hpkm_compiler_in_copy(c->cwd, "the build works in");
	c->real = find_real(c, role);
	if (!c->real) {
		errno = ENOENT;
		hpkm_standin_fail(c, "cannot find the real", name);
	}
	switch (role) {
	case ROLE_TRANSLATE:
		status = hpkm_standin_cc1(c, argc, argv);
		break;
	case ROLE_ASSEMBLE:
		status = hpkm_standin_as(c, argc, argv);
		break;
	case ROLE_LINK:
		status = hpkm_standin_ld(c, argc, argv);
		break;
	case ROLE_CLANG:
		status = hpkm_standin_clang(c, argc, argv);
		break;
	case ROLE_NONE:
		break;
	}
	hpkm_arena_free(&c->arena);
	free(c);
	return status;
}
