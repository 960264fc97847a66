/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 7: what the externs of a patch are bound to. */
#ifndef _HPKM_BINDING_H
#define _HPKM_BINDING_H

#include "target.h"

/**
 * struct hpkm_binding - externs that are found in one object
 * @object: the identity of that object; the other fields are 0
 * @count: how many
 * @bound: index of the extern, and object offset of what it stands for; no
 *	index twice
 */
struct hpkm_binding {
	struct hpkm_image_object object;
	u32 count;
	struct hpkm_bound {
		u32 index;
		u64 offset;
	} *bound;
};

/**
 * struct hpkm_bindings - all that a client found, in whatever processes
 * @count: objects
 * @binding: one for each object; processes that do not map it pass it over
 */
struct hpkm_bindings {
	u32 count;
	struct hpkm_binding *binding;
};

int hpkm_bindings_resolve(const struct hpkm_target *target,
			  const struct hpkm_bindings *bindings,
			  struct hpkm_place *place, char *why,
			  size_t why_size);
void hpkm_bindings_free(struct hpkm_bindings *bindings);

#endif /* _HPKM_BINDING_H */
