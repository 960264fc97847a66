/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes that become more, for the tables and sections that stage 4 writes. */
#ifndef HPKM_BUFFER_H
#define HPKM_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

struct hpkm_buffer {
	struct hpkm_arena *arena;
	uint8_t *bytes;
	size_t size, room;
};

/* @bytes may be NULL: zeros.  Returns the offset at which they begin. */
size_t hpkm_buffer_append(struct hpkm_buffer *buffer, const void *bytes,
			  size_t size);
/* Zeros up to a multiple of @align; returns the size. */
size_t hpkm_buffer_align(struct hpkm_buffer *buffer, size_t align);

#endif /* HPKM_BUFFER_H */
