// SPDX-License-Identifier: GPL-2.0
/*
 * The change to the source (stage 1).  patch(1) applies it and has the words
 * when it can't; here is decided how many leading directories its names have
 * too many: as many as make most of the names those of files of the tree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fix.h"
#include "hpkm.h"
#include "job.h"

#define STRIP_MAX	8
#define LINES_SHOWN	40

/* The name in "--- a/dir/file.c<TAB>date", or NULL for /dev/null. */
static char *name_of(char *line)
{
	char *name = line + 4;

	name[strcspn(name, "\t\r\n")] = 0;
	/* Without a tab a date stands behind a blank, if at all. */
	if (strstr(name, " 19") || strstr(name, " 20"))
		name[strcspn(name, " ")] = 0;
	return strcmp(name, "/dev/null") ? name : NULL;
}

static const char *strip(const char *name, int levels)
{
	for (; name && levels; levels--) {
		name = strchr(name, '/');
		while (name && *name == '/')
			name++;
	}
	return name;
}

static bool is_there(const char *tree, const char *name, bool directory)
{
	char path[4096];
	int n;

	n = snprintf(path, sizeof(path), "%s/%s", tree, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	if (directory)
		*strrchr(path, '/') = 0;
	return !access(path, F_OK);
}

/* How well the names fit, per number of levels. */
static void weigh(const char *tree, const char *old, const char *new,
		  unsigned int *weights)
{
	for (int levels = 0; levels < STRIP_MAX; levels++) {
		const char *from = strip(old, levels);
		const char *to = strip(new, levels);

		if ((from && *from && is_there(tree, from, false)) ||
		    (to && *to && is_there(tree, to, false)))
			weights[levels] += 2;
		/* A new file: at least its directory. */
		else if (!old && to && *to && is_there(tree, to, true))
			weights[levels] += 1;
	}
}

int hpkm_fix_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) || access(path, R_OK)) {
		hpkm_error("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	/* It is read more than once, which a pipe can't be. */
	if (!S_ISREG(st.st_mode)) {
		hpkm_error("%s: not a regular file", path);
		return -1;
	}
	return 0;
}

int hpkm_fix_levels(const char *tree, const char *path)
{
	/* The usual number first, where several fit. */
	static const int order[STRIP_MAX] = { 1, 0, 2, 3, 4, 5, 6, 7 };
	unsigned int weights[STRIP_MAX] = { 0 };
	char *line = NULL, *old_line = NULL, *old = NULL;
	size_t room = 0, files = 0;
	int best = 1;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		hpkm_error("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	while (getline(&line, &room, f) > 0) {
		if (!strncmp(line, "--- ", 4)) {
			free(old_line);
			old_line = strdup(line);
			old = old_line ? name_of(old_line) : NULL;
		} else if (!strncmp(line, "+++ ", 4) && old_line) {
			weigh(tree, old, name_of(line), weights);
			files++;
			free(old_line);
			old_line = NULL;
		}
	}
	free(old_line);
	free(line);
	fclose(f);
	if (!files) {
		hpkm_error("%s: there is no unified diff in it", path);
		return -1;
	}
	for (int i = 0; i < STRIP_MAX; i++)
		if (weights[order[i]] > weights[best])
			best = order[i];
	return best;
}

static bool is_code(const char *name)
{
	static const char *const suffixes[] = {
		"c", "h", "cc", "cpp", "cxx", "C", "hh", "hpp", "hxx", "inc",
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (!strcmp(dot + 1, suffixes[i]))
			return true;
	return false;
}

bool hpkm_fix_is_plain(const char *tree, const char *path, int levels)
{
	char *line = NULL;
	size_t room = 0;
	bool plain;
	const char *name;
	FILE *f;

	f = fopen(path, "re");
	plain = f;
	while (f && plain && getline(&line, &room, f) > 0) {
		if (!strncmp(line, "rename ", 7) || !strncmp(line, "copy ", 5))
			plain = false;
		if (strncmp(line, "--- ", 4) && strncmp(line, "+++ ", 4))
			continue;
		/* A removed or added line may look like that, too. */
		name = name_of(line);
		name = name ? strip(name, levels) : NULL;
		plain = name && is_code(name) && is_there(tree, name, false);
	}
	free(line);
	if (f)
		fclose(f);
	return plain;
}

static void show(const char *path)
{
	char *line = NULL;
	size_t room = 0;
	int n = 0;
	FILE *f = fopen(path, "re");

	while (f && getline(&line, &room, f) > 0) {
		if (n++ == LINES_SHOWN) {
			hpkm_detail("...");
			break;
		}
		line[strcspn(line, "\r\n")] = 0;
		hpkm_detail("%s", line);
	}
	free(line);
	if (f)
		fclose(f);
}

/* A fuzzy hunk may have gone to the wrong place: the user is told. */
static void warn_of_fuzz(const char *path, const char *log)
{
	char *line = NULL;
	size_t room = 0;
	FILE *f = fopen(log, "re");

	while (f && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = 0;
		if (strstr(line, " with fuzz "))
			hpkm_warn("%s: %s: see that it is in its place", path,
				  line);
	}
	free(line);
	if (f)
		fclose(f);
}

int hpkm_fix_apply(struct hpkm_arena *arena, const char *tree,
		   const char *path, int levels, const char *log,
		   const char *rejects)
{
	int status;
	char *argv[] = {
		"patch", "--force", "--forward", "--no-backup-if-mismatch",
		"--remove-empty-files", "-p", NULL, "-r", (char *)rejects,
		"-d", (char *)tree, "-i", NULL, NULL,
	};
	struct hpkm_job job = { .argv = argv, .log = log };
	char absolute[4096];

	if (!realpath(path, absolute)) {
		hpkm_error("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	argv[6] = hpkm_arena_printf(arena, "%d", levels);
	argv[12] = absolute;
	status = hpkm_job_run(&job);
	if (status < 0) {
		if (!hpkm_job_interrupted())
			hpkm_detail("it comes with the package patch");
		return -1;
	}
	if (!status) {
		warn_of_fuzz(path, log);
		return 0;
	}
	hpkm_error("%s does not apply to the source; patch says:", path);
	show(log);
	if (!access(rejects, F_OK)) {
		hpkm_detail("what was rejected:");
		show(rejects);
	}
	return -1;
}
