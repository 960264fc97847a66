// SPDX-License-Identifier: GPL-2.0
/* Bytes that become more, for the tables and sections that stage 4 writes. */
#include <string.h>

#include "buffer.h"

size_t hpkm_buffer_append(struct hpkm_buffer *b, const void *bytes, size_t size)
{
	size_t at = b->size;

	if (b->size + size > b->room) {
		uint8_t *moved;

		b->room = 2 * (b->size + size) + 4096;
		moved = hpkm_arena_alloc(b->arena, b->room, 1);
		if (b->size)
			memcpy(moved, b->bytes, b->size);
		b->bytes = moved;
	}
	if (bytes && size)
		memcpy(b->bytes + at, bytes, size);
	b->size += size;
	return at;
}

size_t hpkm_buffer_align(struct hpkm_buffer *b, size_t align)
{
	hpkm_buffer_append(b, NULL, (align - b->size % align) % align);
	return b->size;
}
