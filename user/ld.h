/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 3, link: the files that GNU ld reads and writes. */
#ifndef HPKM_LD_H
#define HPKM_LD_H

#include "link.h"

/* Externs stand for ld a page apart, far above everything. */
#define HPKM_EXTERN_BASE	(1ULL << 60)
#define HPKM_EXTERN_STEP	4096

/*
 * The output section of one kind, near one object of the image: ".text" near
 * the first one, ".text.1" near the next.
 */
void hpkm_ld_section(char *name, size_t size, int kind, uint32_t object);

/* Each returns 0, or -1 after a message. */
int hpkm_ld_object(struct hpkm_link *link, const char *path);
int hpkm_ld_script(const struct hpkm_link *link, const char *path);
/* Segments, fixups, and the places of pieces, from what ld has written. */
int hpkm_ld_read(struct hpkm_link *link, const char *path);

#endif /* HPKM_LD_H */
