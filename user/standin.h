/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One program in place of another (stage 1): what compiler.c has found out,
 * and what the kinds of programs share.
 */
#ifndef HPKM_STANDIN_H
#define HPKM_STANDIN_H

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "arena.h"
#include "record.h"

struct hpkm_standin {
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

/*
 * Each kind runs the real program with what is added, and records it.  The
 * words are those that it was called with; returns the exit status, if at all.
 */
int hpkm_standin_cc1(struct hpkm_standin *c, int argc, char **argv);
int hpkm_standin_as(struct hpkm_standin *c, int argc, char **argv);
int hpkm_standin_ld(struct hpkm_standin *c, int argc, char **argv);
int hpkm_standin_clang(struct hpkm_standin *c, int argc, char **argv);

/* Adds a word, or the words of the file that "@file" names, to words. */
void hpkm_standin_expand(struct hpkm_standin *c, const char *arg);

/* ---- the command to run ---- */

void hpkm_standin_push(struct hpkm_standin *c, const char *arg);
/* All that was given, but for the name. */
void hpkm_standin_push_given(struct hpkm_standin *c);
void hpkm_standin_push_maps(struct hpkm_standin *c);
void hpkm_standin_push_sections(struct hpkm_standin *c, int argc, char **argv);
/* Runs it and waits; returns its exit status. */
int hpkm_standin_run(struct hpkm_standin *c);
/* Runs it in this process: does not return. */
void hpkm_standin_become(struct hpkm_standin *c);
/* Ends the process with a message that has errno's words. */
void hpkm_standin_fail(struct hpkm_standin *c, const char *what,
		       const char *path);

/* ---- the record ---- */

/* The words of the command that the driver of this step was given. */
void hpkm_standin_command(struct hpkm_standin *c, struct hpkm_done *step,
			  int argc, char **argv);
void hpkm_standin_record(struct hpkm_standin *c, struct hpkm_done *step);
void hpkm_standin_save(struct hpkm_standin *c, const char *path,
		       const char **saved);
/* Saves an object, and records the step that made it. */
void hpkm_standin_save_output(struct hpkm_standin *c, struct hpkm_done *step,
			      const char *output);
/* The same for one file wherever it is moved to; NULL: it is not there. */
const char *hpkm_standin_identity(struct hpkm_standin *c, const char *path);
/* The absolute path, without symbolic links if it exists. */
const char *hpkm_standin_path(struct hpkm_standin *c, const char *path);

/* ---- words ---- */

bool hpkm_standin_lto(int argc, char **argv);
/* Of the option's last occurrence, or NULL. */
const char *hpkm_standin_value(const char *option, int argc, char **argv);
bool hpkm_any_of(const char *arg, const char *const *list);

static inline const char *hpkm_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static inline bool hpkm_lies_in(const char *path, const char *dir)
{
	size_t n = dir ? strlen(dir) : 0;

	return n && !strncmp(path, dir, n) && path[n] == '/';
}

#endif /* HPKM_STANDIN_H */
