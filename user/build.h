/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 1, build: from a source tree and differences to the objects of the
 * target before and after them.
 */
#ifndef HPKM_BUILD_H
#define HPKM_BUILD_H

#include "anchor.h"
#include "verdict.h"

/* An object of the target that is not the same in both builds. */
struct hpkm_build_pair {
	const char *name;	/* its path in the tree */
	size_t target;		/* index of its anchor */
	const char *old, *new;	/* files; old NULL: the fix adds it */
};

/* A file of the target that is the same in both, or not of the tree at all. */
struct hpkm_build_rest {
	const char *name;	/* for people */
	const char *path;	/* an object or, of the system's, an archive */
	size_t target;
	bool own;		/* the build has compiled it */
};

/* A target as each of the builds has linked it: a copy.  If it is wanted. */
struct hpkm_build_linked {
	bool wanted;
	const char *old, *new;
};

struct hpkm_build {
	struct hpkm_arena *arena;
	const char *source;
	const char **fixes;	/* none: old and new are the same build */
	size_t fix_count;
	bool all;		/* pair objects that are the same, too */
	char **command;		/* NULL-terminated; NULL: make */
	const char *keep;	/* directory for the stages, or NULL */
	struct hpkm_verdicts *verdicts;

	struct hpkm_anchor *anchors;	/* the targets; sets all_known */
	size_t anchor_count;
	struct hpkm_build_linked *linked;	/* one for each */
	struct hpkm_build_pair *pairs;
	size_t pair_count;
	struct hpkm_build_rest *rest;
	size_t rest_count;
	const char *work;	/* the stages' directory */
};

/*
 * Returns an enum hpkm_exit.  Signals are held back from now until
 * hpkm_build_finish(), which must be called in any case, when the files of
 * the pairs, of the rest, and those that were linked have been read.
 */
int hpkm_build_run(struct hpkm_build *build);
void hpkm_build_finish(struct hpkm_build *build);

#endif /* HPKM_BUILD_H */
