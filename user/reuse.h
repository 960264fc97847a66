/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects of the first build that the second one need not compile again
 * (stage 1): the same command, and each file that the compiler read has the
 * same content.  Written and used in the processes of the builds.
 */
#ifndef HPKM_REUSE_H
#define HPKM_REUSE_H

#include <stdbool.h>

#include "arena.h"

/* One run of cc1. */
struct hpkm_reuse {
	char key[65];		/* of the command; "" when it is never reused */
	const char *source;	/* absolute */
	const char *assembler;	/* what it writes */
	/* The list of what it has read, for make: the build's, or our own. */
	const char *list;
	bool own_list;
	const char *object;	/* the copy of what became of it */
};

/* Sets the key and the rest, from a command in the working directory. */
void hpkm_reuse_init(struct hpkm_arena *arena, struct hpkm_reuse *reuse,
		     const char *dir, const char *real, const char *source,
		     int argc, char **argv);

/*
 * First build.  After init, before cc1 runs: leaves a note for the assembler.
 * All return 0, or -1 with errno.
 */
int hpkm_reuse_note(const char *dir, const struct hpkm_reuse *reuse);
/* When that has made an object: whoever reads @tree can have it again. */
int hpkm_reuse_keep(struct hpkm_arena *arena, const char *dir,
		    const char *tree, const char *assembler,
		    const char *object);

/*
 * Second build.  Finds the object in the first one's record; if there is one,
 * writes in place of assembler text the object's name, and the list.
 */
bool hpkm_reuse_find(struct hpkm_arena *arena, const char *dir,
		     const struct hpkm_reuse *reuse);
/* The name written there, or NULL when it is assembler text. */
const char *hpkm_reuse_object(struct hpkm_arena *arena, const char *assembler);

#endif /* HPKM_REUSE_H */
