/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 1: the steps of a build, looked up by what they have left: by its path,
 * by the file that it is, and by its content.
 */
#ifndef HPKM_STEPS_H
#define HPKM_STEPS_H

#include "record.h"

struct hpkm_steps {
	struct hpkm_arena *arena;
	struct hpkm_record *record;
	/* Where the build has left everything, and by which path it knew that. */
	const char *tree, *seen;
	/* Steps that left a file: by path or identity, then time; by size. */
	size_t *by_path, *by_identity;
	struct hpkm_steps_sized {
		uint64_t size;
		size_t step;
	} *by_size;
	size_t path_count, identity_count, size_count;
};

/*
 * arena, record, tree and seen are set.  Completes the record: the sources of
 * objects that came through the assembler.
 */
void hpkm_steps_init(struct hpkm_steps *steps);

/* Where a file of the build is; what that place was called in the build. */
const char *hpkm_steps_place(const struct hpkm_steps *steps, const char *path);
const char *hpkm_steps_name(const struct hpkm_steps *steps, const char *place);
/* A path of the build in the tree, from its top; else NULL. */
const char *hpkm_steps_within(const struct hpkm_steps *steps,
			      const char *path);

/* The last step before @bound that left a file of that path, or NULL. */
struct hpkm_done *hpkm_steps_last_at(const struct hpkm_steps *steps,
				     const char *path, size_t bound);
/* The step that made that very file, which has been moved since, or NULL. */
struct hpkm_done *hpkm_steps_moved(const struct hpkm_steps *steps,
				   const char *identity);
/*
 * The last step before @bound that made an object with that content.  Several
 * may have; the one of that name is preferred.
 */
struct hpkm_done *hpkm_steps_made(const struct hpkm_steps *steps,
				  const char *name, const uint8_t *bytes,
				  size_t size, size_t bound);

#endif /* HPKM_STEPS_H */
