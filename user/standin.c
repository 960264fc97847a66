// SPDX-License-Identifier: GPL-2.0
/*
 * One program in place of another (stage 1): what all of them share.  What is
 * added to a command puts each function and variable in a section of its own,
 * asks for debug information where there is none, and maps the names of the
 * copied tree to those of the original one.  None of it changes the code that
 * is generated.
 */
#include <errno.h>
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

/* ---- running it ---- */

void hpkm_standin_fail(struct hpkm_standin *c, const char *what,
		       const char *path)
{
	hpkm_message_name("hpkm-build");
	hpkm_error("standing in for %s: %s %s: %s", c->name, what, path,
		   strerror(errno));
	_exit(HPKM_EXIT_ERROR);
}

int hpkm_standin_run(struct hpkm_standin *c)
{
	int status, err;
	pid_t pid;

	err = posix_spawn(&pid, c->real, NULL, NULL, c->argv, environ);
	if (err) {
		errno = err;
		hpkm_standin_fail(c, "cannot run", c->real);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			hpkm_standin_fail(c, "cannot wait for", c->real);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
		128 + WTERMSIG(status);
}

void hpkm_standin_become(struct hpkm_standin *c)
{
	execv(c->real, c->argv);
	hpkm_standin_fail(c, "cannot run", c->real);
}

void hpkm_standin_push(struct hpkm_standin *c, const char *arg)
{
	/* Room for the NULL behind it, too. */
	c->argv = hpkm_arena_push(&c->arena, c->argv, c->argc,
				  sizeof(*c->argv));
	c->argv[c->argc++] = (char *)arg;
	c->argv = hpkm_arena_push(&c->arena, c->argv, c->argc,
				  sizeof(*c->argv));
	c->argv[c->argc] = NULL;
}

const char *hpkm_standin_path(struct hpkm_standin *c, const char *path)
{
	char resolved[PATH_MAX];

	if (realpath(path, resolved))
		return hpkm_arena_printf(&c->arena, "%s", resolved);
	if (*path == '/')
		return path;
	return hpkm_arena_printf(&c->arena, "%s/%s", c->cwd, path);
}

/* The words of the command that the driver of this step was given. */
void hpkm_standin_command(struct hpkm_standin *c, struct hpkm_done *step,
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

void hpkm_standin_record(struct hpkm_standin *c, struct hpkm_done *step)
{
	step->directory = c->cwd;
	if (hpkm_record_add(c->record, step))
		hpkm_standin_fail(c, "cannot write to", c->record);
}

const char *hpkm_standin_identity(struct hpkm_standin *c, const char *path)
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

void hpkm_standin_save(struct hpkm_standin *c, const char *path,
		       const char **saved)
{
	if (hpkm_record_save(&c->arena, c->record, path, saved))
		hpkm_standin_fail(c, "cannot save", path);
}

void hpkm_standin_save_output(struct hpkm_standin *c, struct hpkm_done *step,
			      const char *output)
{
	step->output = hpkm_standin_path(c, output);
	step->identity = hpkm_standin_identity(c, output);
	hpkm_standin_save(c, output, &step->saved);
	hpkm_standin_record(c, step);
}

/* ---- words ---- */

void hpkm_standin_push_given(struct hpkm_standin *c)
{
	for (int i = 1; i < c->given_count; i++)
		hpkm_standin_push(c, c->given[i]);
}

static void expand(struct hpkm_standin *c, const char *arg, int depth);

/* Blanks part words; quotes and backslashes keep them in one. */
static void expand_file(struct hpkm_standin *c, FILE *f, int depth)
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

static void expand(struct hpkm_standin *c, const char *arg, int depth)
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

void hpkm_standin_expand(struct hpkm_standin *c, const char *arg)
{
	expand(c, arg, 0);
}

/* ---- flags ---- */

/*
 * First, so that what the command itself says of the same names prevails: the
 * copy stands for the tree that the target was built in, in debug information
 * and in __FILE__.
 */
void hpkm_standin_push_maps(struct hpkm_standin *c)
{
	const char *tree = getenv(HPKM_BUILD_TREE);
	const char *name = getenv(HPKM_BUILD_NAME);

	if (!tree || !name)
		return;
	hpkm_standin_push(c, hpkm_arena_printf(&c->arena,
					       "-fdebug-prefix-map=%s=%s",
					       tree, name));
	hpkm_standin_push(c, hpkm_arena_printf(&c->arena,
					       "-fmacro-prefix-map=%s=%s",
					       tree, name));
}

/* Last, so that they prevail. */
void hpkm_standin_push_sections(struct hpkm_standin *c, int argc, char **argv)
{
	bool debug = false;

	for (int i = 1; i < argc; i++)
		debug |= !strncmp(argv[i], "-g", 2) &&
			strncmp(argv[i], "-gcc", 4);
	hpkm_standin_push(c, "-ffunction-sections");
	hpkm_standin_push(c, "-fdata-sections");
	if (!debug)
		hpkm_standin_push(c, "-g");
}

bool hpkm_standin_lto(int argc, char **argv)
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

const char *hpkm_standin_value(const char *option, int argc, char **argv)
{
	const char *value = NULL;

	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], option))
			value = argv[i + 1];
	return value;
}

bool hpkm_any_of(const char *arg, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(arg, *list))
			return true;
	return false;
}
