// SPDX-License-Identifier: GPL-2.0
/* Source trees (stage 1): copied, made fit for building, removed. */
#include <ar.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hpkm.h"
#include "job.h"
#include "tree.h"

#define OPEN_DIRS	32

int hpkm_tree_copy(const char *from, const char *to, const char *log)
{
	char *argv[] = {
		"cp", "-a", "--reflink=auto", "--", (char *)from, (char *)to,
		NULL,
	};
	struct hpkm_job job = { .argv = argv, .log = log };
	int status = hpkm_job_run(&job);

	if (status > 0) {
		hpkm_error("cannot copy %s to %s", from, to);
		return -1;
	}
	return status;
}

/* Is it something that a compiler, archiver or linker made? */
static bool is_built(const char *path)
{
	static const char thin[] = "!<thin>\n";
	char head[256] = "";
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, head, sizeof(head) - 1);
	close(fd);
	if (n < SARMAG)
		return false;
	if (!memcmp(head, ELFMAG, SELFMAG) || !memcmp(head, ARMAG, SARMAG) ||
	    !memcmp(head, thin, SARMAG))
		return true;
	/* A .lo or .la of libtool's stands for such files. */
	return head[0] == '#' && (strstr(head, "a libtool object file") ||
				  strstr(head, "a libtool library file"));
}

static int age(const char *path, const struct stat *st, int type,
	       struct FTW *ftw)
{
	/* Not zero: some tools take that for a file that is missing. */
	static const struct timespec old[2] = {
		{ .tv_sec = 86400 }, { .tv_sec = 86400 },
	};

	if (type == FTW_D && (st->st_mode & 0700) != 0700)
		return chmod(path, (st->st_mode & 07777) | 0700);
	if (type == FTW_F && S_ISREG(st->st_mode) && is_built(path))
		return utimensat(AT_FDCWD, path, old, 0);
	return 0;
}

int hpkm_tree_age(const char *tree)
{
	if (!nftw(tree, age, OPEN_DIRS, FTW_PHYS))
		return 0;
	hpkm_error("cannot prepare the copy %s: %s", tree, strerror(errno));
	return -1;
}

static const char *configured_for;
static size_t copy_length;

/* Does a line of CMake's cache name a directory in there as its own? */
static bool names_source(const char *path)
{
	static const char home[] = "CMAKE_HOME_DIRECTORY:INTERNAL=";
	size_t n = strlen(configured_for), room = 0;
	char *line = NULL, *value;
	bool named = false;
	FILE *f;

	f = fopen(path, "re");
	while (f && !named && getline(&line, &room, f) > 0) {
		value = line + sizeof(home) - 1;
		named = !strncmp(line, home, sizeof(home) - 1) &&
			!strncmp(value, configured_for, n) &&
			strchr("/\n", value[n]);
	}
	free(line);
	if (f)
		fclose(f);
	return named;
}

static int unconfigure(const char *path, const struct stat *st, int type,
		       struct FTW *ftw)
{
	static const char *const made[] = {
		"CMakeCache.txt", "Makefile", "build.ninja",
	};
	char name[PATH_MAX];
	int n;

	if (type != FTW_F || strcmp(path + ftw->base, made[0]) ||
	    !names_source(path))
		return 0;
	n = ftw->base > (int)copy_length ? ftw->base - copy_length - 1 : 0;
	hpkm_warn("CMake has configured %.*s in the source itself; that can't be built in a copy, and is left out",
		  n ? n : 1, n ? path + copy_length : ".");
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		snprintf(name, sizeof(name), "%.*s%s", ftw->base, path,
			 made[i]);
		if (unlink(name) && errno != ENOENT)
			return -1;
	}
	return 0;
}

int hpkm_tree_unconfigure(const char *tree, const char *source)
{
	configured_for = source;
	copy_length = strlen(tree) + 1;
	if (!nftw(tree, unconfigure, OPEN_DIRS, FTW_PHYS))
		return 0;
	hpkm_error("cannot prepare the copy %s: %s", tree, strerror(errno));
	return -1;
}

static time_t level_since;

static int level(const char *path, const struct stat *st, int type,
		 struct FTW *ftw)
{
	const struct timespec times[2] = {
		{ .tv_sec = level_since }, { .tv_sec = level_since },
	};

	if (type == FTW_F && st->st_mtime >= level_since)
		return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

int hpkm_tree_level(const char *tree, time_t since)
{
	level_since = since;
	if (!nftw(tree, level, OPEN_DIRS, FTW_PHYS))
		return 0;
	hpkm_error("cannot prepare the copy %s: %s", tree, strerror(errno));
	return -1;
}

static const char *wanted_name;
static const uint8_t *wanted_digest;

static int has(const char *path, const struct stat *st, int type,
	       struct FTW *ftw)
{
	uint8_t buffer[65536], digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	size_t n;
	FILE *f;

	if (type != FTW_F || !S_ISREG(st->st_mode) ||
	    strcmp(path + ftw->base, wanted_name))
		return 0;
	f = fopen(path, "re");
	if (!f)
		return 0;
	sha256_init(&ctx);
	while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
		sha256_update(&ctx, n, buffer);
	sha256_digest(&ctx, sizeof(digest), digest);
	fclose(f);
	return !memcmp(digest, wanted_digest, sizeof(digest));
}

bool hpkm_tree_has(const char *tree, const char *name, const uint8_t *digest)
{
	wanted_name = name;
	wanted_digest = digest;
	return nftw(tree, has, OPEN_DIRS, FTW_PHYS) == 1;
}

static int drop(const char *path, const struct stat *st, int type,
		struct FTW *ftw)
{
	return remove(path), 0;
}

static int open_up(const char *path, const struct stat *st, int type,
		   struct FTW *ftw)
{
	if (type == FTW_D && (st->st_mode & 0700) != 0700)
		chmod(path, 0700);
	return 0;
}

void hpkm_tree_remove(const char *path)
{
	if (!nftw(path, drop, OPEN_DIRS, FTW_PHYS | FTW_DEPTH) &&
	    access(path, F_OK))
		return;
	/* A build may have left directories that can't be written to. */
	nftw(path, open_up, OPEN_DIRS, FTW_PHYS);
	nftw(path, drop, OPEN_DIRS, FTW_PHYS | FTW_DEPTH);
}
