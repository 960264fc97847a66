/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which objects of a build went into the target (stage 1): straight, through
 * archives, or through objects linked together before.
 */
#ifndef HPKM_MEMBERS_H
#define HPKM_MEMBERS_H

#include "anchor.h"
#include "record.h"

struct hpkm_member {
	/* What it is known by in both builds: its path in the tree. */
	const char *key;
	const char *saved;		/* its copy in the record */
	const struct hpkm_done *step;	/* that made it */
	bool archived;			/* may have been left out by the linker */
};

/* An object that no compiler of the record has made. */
struct hpkm_stray {
	const char *key;		/* with the archive that it is in */
	const char *name;		/* of its file, without directories */
	uint8_t digest[32];		/* SHA-256 */
	/* Its copy in the record, if each function has a section of its own. */
	const char *saved;
};

struct hpkm_members {
	const char *output;		/* the linked file, in the tree */
	struct hpkm_member *list;	/* as linked */
	size_t count;
	struct hpkm_stray *strays;
	size_t stray_count;
	/* Objects and archives of the system's: nobody made them in the build. */
	const char **foreign;
	size_t foreign_count;
};

/*
 * Finds the linked file of the build that is the anchor, and what went into it.
 * @tree is where the build has left everything, @seen the path by which it knew
 * that, @dir the directory of the record.  Returns 0, or -1 after a message.
 */
int hpkm_members_find(struct hpkm_arena *arena, struct hpkm_record *record,
		      const char *dir, const char *tree, const char *seen,
		      const struct hpkm_anchor *anchor,
		      struct hpkm_members *members);

#endif /* HPKM_MEMBERS_H */
