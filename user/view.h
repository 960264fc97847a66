/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 1: the content of a file, mapped while it is looked at. */
#ifndef HPKM_VIEW_H
#define HPKM_VIEW_H

#include <stddef.h>
#include <stdint.h>

struct hpkm_view {
	uint8_t *bytes;
	size_t size;
};

/* Empty when it can't be read; to be closed in any case. */
struct hpkm_view hpkm_view_open(const char *path);
void hpkm_view_close(struct hpkm_view *view);

#endif /* HPKM_VIEW_H */
