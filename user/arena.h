/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that lives as long as one run of hpkm-build: given back all at once,
 * so that no error path has to.  Running out of it ends the program.
 */
#ifndef HPKM_ARENA_H
#define HPKM_ARENA_H

#include <stddef.h>

struct hpkm_arena {
	struct hpkm_arena_chunk *chunks;
};

/* Zeroed memory for @count elements of @size bytes. */
void *hpkm_arena_alloc(struct hpkm_arena *arena, size_t count, size_t size);
void *hpkm_arena_copy(struct hpkm_arena *arena, const void *from, size_t size);
char *hpkm_arena_printf(struct hpkm_arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), nonnull(2)));
/*
 * Makes room for one more element after @count ones: returns the array, moved
 * when it was full.  Its capacity is the power of two at or above @count.
 */
void *hpkm_arena_push(struct hpkm_arena *arena, void *array, size_t count,
		      size_t size);
void hpkm_arena_free(struct hpkm_arena *arena);

#endif /* HPKM_ARENA_H */
