/* SPDX-License-Identifier: GPL-2.0 */
/* The patch that hpkm-build is making: what goes from stage to stage. */
#ifndef HPKM_PATCH_H
#define HPKM_PATCH_H

#include "anchor.h"
#include "object.h"
#include "verdict.h"

/* Both objects belong to the same anchor. */
struct hpkm_pair {
	struct hpkm_object old, new;
};

/* A file that is in an anchor, too, and not compared (source mode). */
struct hpkm_patch_rest {
	const struct hpkm_anchor *anchor;
	const char *name, *path;
	bool own;	/* can be compared, with itself */
	bool wanted;	/* ... and has to be */
};

/* A function of an anchor that is replaced. */
struct hpkm_patch_func {
	struct hpkm_item *old, *new;
	const char *name;
	unsigned int window_size;
	bool loops;	/* the old one leads back to its first byte */
	/* What stands before the new one, and ends where that starts. */
	struct hpkm_link_piece *gate;
};

/* A piece of it that stands elsewhere (".cold"). */
struct hpkm_patch_part {
	size_t func;		/* index in funcs */
	const struct hpkm_item *old;
};

struct hpkm_patch {
	struct hpkm_arena *arena;
	struct hpkm_anchor *anchors;
	size_t anchor_count;
	struct hpkm_pair *pairs;
	size_t pair_count;
	struct hpkm_patch_rest *rest;
	size_t rest_count;
	struct hpkm_patch_func *funcs;	/* by anchor, and address in it */
	size_t func_count;
	struct hpkm_patch_part *parts;	/* the same */
	size_t part_count;
	struct hpkm_hooks *hooks;	/* one for each anchor */
	struct hpkm_verdicts verdicts;
};

#endif /* HPKM_PATCH_H */
