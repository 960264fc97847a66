/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The externs of a patch: which object of a process has what they name
 * (before stage 5).
 */
#ifndef HPKM_EXTERN_H
#define HPKM_EXTERN_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/* Externs that one object has, in whatever process. */
struct hpkm_binding {
	uint16_t id_kind;		/* enum hpkm_id_kind */
	uint64_t id_offset;
	uint8_t id[64];
	size_t id_size;
	struct hpkm_bound {
		uint32_t index;		/* in the image */
		uint64_t offset;	/* from the object's base */
	} *bound;
	size_t bound_count;
};

struct hpkm_bindings {
	struct hpkm_arena arena;
	struct hpkm_binding *list;
	size_t count;
};

/*
 * Look for all externs of a checked image in one process, and add what was
 * found.
 * Return: 0; 1 when the process is none that the patch is for, or cannot be
 * looked at; or a negative errno and, in @why, which one cannot be bound.
 */
int hpkm_extern_bind(struct hpkm_bindings *bindings, const void *image,
		     uint32_t pid, char *why, size_t why_size);
void hpkm_bindings_free(struct hpkm_bindings *bindings);

#endif /* HPKM_EXTERN_H */
