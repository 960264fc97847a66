// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 7: the externs of a patch get addresses in one target.
 *
 * Which symbol of which library a name stands for is found out by the client,
 * as the process's dynamic linker would.  Here it is only made sure that every
 * extern is bound, to one place, inside an object that is mapped.
 */
#include <linux/slab.h>

#include "binding.h"
#include "state.h"

static const char *extern_name(const struct hpkm_place *place, u32 i)
{
	const void *image = place->patch->image;

	return hpkm_image_string(image, hpkm_image_externs(image)[i].name);
}

static int bind_one(const struct hpkm_target *target, unsigned long base,
		    const struct hpkm_bound *bound, struct hpkm_place *place,
		    char *why, size_t why_size)
{
	unsigned long *address = &place->externs[bound->index];

	if (!hpkm_target_in_object(target, base, bound->offset)) {
		snprintf(why, why_size, "%s: bound to a place outside of its library",
			 extern_name(place, bound->index));
		return -EINVAL;
	}
	if (*address && *address != base + bound->offset) {
		snprintf(why, why_size, "%s: bound to two places in this process",
			 extern_name(place, bound->index));
		return -ENOTUNIQ;
	}
	*address = base + bound->offset;
	return 0;
}

/* All that one object has, if the target maps it. */
static int bind_object(const struct hpkm_target *target,
		       const struct hpkm_binding *binding,
		       struct hpkm_place *place, char *why, size_t why_size)
{
	unsigned long base;
	int ret = 0, found;

	found = hpkm_target_find(target, &binding->object, &base);
	if (found > 1 && binding->count) {
		snprintf(why, why_size, "%s: its library is mapped %d times",
			 extern_name(place, binding->bound[0].index), found);
		return -ENOTUNIQ;
	}
	if (found < 0)
		snprintf(why, why_size, "out of kernel memory");
	if (found < 1)
		return found;
	for (u32 i = 0; i < binding->count && !ret; i++)
		ret = bind_one(target, base, &binding->bound[i], place, why,
			       why_size);
	return ret;
}

/**
 * hpkm_bindings_resolve() - give every extern of a patch its address
 * @target: opened
 * @bindings: what the client found
 * @place: gets the addresses
 * @why: gets the reason of an error
 * @why_size: bytes at @why
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0; -ENOENT (an extern is not bound), -ENOTUNIQ (bound to several
 * places), -EINVAL (bound to a place outside of its object), -ENOMEM.
 */
int hpkm_bindings_resolve(const struct hpkm_target *target,
			  const struct hpkm_bindings *bindings,
			  struct hpkm_place *place, char *why, size_t why_size)
{
	const void *image = place->patch->image;
	const struct hpkm_image_extern *e = hpkm_image_externs(image);
	u32 n = hpkm_image_header(image)->externs.count;
	int ret;

	if (!n)
		return 0;
	for (u32 i = 0; i < bindings->count; i++) {
		ret = bind_object(target, &bindings->binding[i], place, why,
				  why_size);
		if (ret)
			return ret;
	}
	for (u32 i = 0; i < n; i++) {
		if (place->externs[i] || e[i].flags & HPKM_EXTERN_WEAK)
			continue;
		snprintf(why, why_size, "%s: not bound to any library that the process has loaded",
			 extern_name(place, i));
		return hpkm_target_alive(target) ? -ENOENT : -ESRCH;
	}
	return 0;
}

void hpkm_bindings_free(struct hpkm_bindings *bindings)
{
	for (u32 i = 0; i < bindings->count; i++)
		kvfree(bindings->binding[i].bound);
	kvfree(bindings->binding);
}
