/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 4, pack: the image, and the patch object that carries it. */
#ifndef HPKM_PACK_H
#define HPKM_PACK_H

#include "link.h"
#include "patch.h"

struct hpkm_pack_info {
	const char *name, *version, *description;
	bool replace;
	const char *const *depends;
	size_t depend_count;
};

/* The image; NULL after a message.  8-byte aligned. */
uint8_t *hpkm_pack_image(const struct hpkm_patch *patch,
			 const struct hpkm_link *link,
			 const struct hpkm_pack_info *info, size_t *size);
/* Writes the patch object; returns 0, or -1 after a message. */
int hpkm_pack_write(const struct hpkm_patch *patch,
		    const struct hpkm_link *link, const uint8_t *image,
		    size_t size, const char *path);
/*
 * Reads and checks the image of a patch object (or of a file that is an
 * image).  NULL after a message.  8-byte aligned.
 */
uint8_t *hpkm_pack_read(struct hpkm_arena *arena, const char *path,
			size_t *size);

#endif /* HPKM_PACK_H */
