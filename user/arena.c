// SPDX-License-Identifier: GPL-2.0
/* Memory that lives as long as one run of hpkm-build. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "hpkm.h"

#define CHUNK_SIZE ((size_t)64 << 10)

struct hpkm_arena_chunk {
	struct hpkm_arena_chunk *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

static void out_of_memory(void)
{
	hpkm_error("out of memory");
	exit(HPKM_EXIT_ERROR);
}

void *hpkm_arena_alloc(struct hpkm_arena *arena, size_t count, size_t size)
{
	struct hpkm_arena_chunk *chunk = arena->chunks;
	size_t need;
	void *p;

	if (__builtin_mul_overflow(count, size, &need) || need > SIZE_MAX / 2)
		out_of_memory();
	need = (need + 15) & ~(size_t)15;
	if (!chunk || chunk->size - chunk->used < need) {
		size_t room = need > CHUNK_SIZE / 4 ? need : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			out_of_memory();
		chunk->size = room;
		/* A big one goes second, so that the first stays in use. */
		if (room == need && arena->chunks) {
			chunk->next = arena->chunks->next;
			arena->chunks->next = chunk;
		} else {
			chunk->next = arena->chunks;
			arena->chunks = chunk;
		}
	}
	p = chunk->bytes + chunk->used;
	chunk->used += need;
	return p;
}

void *hpkm_arena_copy(struct hpkm_arena *arena, const void *from, size_t size)
{
	void *to = hpkm_arena_alloc(arena, size, 1);

	if (size)
		memcpy(to, from, size);
	return to;
}

char *hpkm_arena_printf(struct hpkm_arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		n = 0;
	text = hpkm_arena_alloc(arena, (size_t)n + 1, 1);
	vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void *hpkm_arena_push(struct hpkm_arena *arena, void *array, size_t count,
		      size_t size)
{
	void *moved;

	/* Full exactly when count is 0 or a power of two. */
	if (count & (count - 1))
		return array;
	moved = hpkm_arena_alloc(arena, count ? 2 * count : 1, size);
	if (count)
		memcpy(moved, array, count * size);
	return moved;
}

void hpkm_arena_free(struct hpkm_arena *arena)
{
	struct hpkm_arena_chunk *chunk = arena->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->chunks = NULL;
}
