/* SPDX-License-Identifier: GPL-2.0 */
/* Archives of objects (ar), thin ones too, as stage 1 looks into them. */
#ifndef HPKM_ARCHIVE_H
#define HPKM_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct hpkm_archive_member {
	const char *name;	/* of a thin one: absolute path */
	const uint8_t *data;	/* of a thin one: NULL */
	size_t size;
};

bool hpkm_archive_is(const uint8_t *bytes, size_t size);
/*
 * Returns 0, or -1 after a message about a damaged archive.  @path is where
 * the names of a thin one start from.
 */
int hpkm_archive_read(struct hpkm_arena *arena, const char *path,
		      const uint8_t *bytes, size_t size,
		      struct hpkm_archive_member **members, size_t *count);

#endif /* HPKM_ARCHIVE_H */
