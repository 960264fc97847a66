/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 6: is an image what include/hpkm/image.h says it is? */
#ifndef _HPKM_KMOD_IMAGE_H
#define _HPKM_KMOD_IMAGE_H

#include <hpkm/image.h>

int hpkm_image_check(const void *image, size_t size, char *why,
		     size_t why_size);

/* The accessors below are for an image that was checked. */

static inline const struct hpkm_image_header *
hpkm_image_header(const void *image)
{
	return image;
}

static inline const void *
hpkm_image_at(const void *image, struct hpkm_image_table table)
{
	return (const char *)image + table.offset;
}

static inline const struct hpkm_image_object *
hpkm_image_objects(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->objects);
}

static inline const struct hpkm_image_segment *
hpkm_image_segments(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->segments);
}

static inline const struct hpkm_image_func *
hpkm_image_funcs(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->funcs);
}

static inline const struct hpkm_image_part *
hpkm_image_parts(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->parts);
}

static inline const struct hpkm_image_fixup *
hpkm_image_fixups(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->fixups);
}

static inline const struct hpkm_image_extern *
hpkm_image_externs(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->externs);
}

static inline const struct hpkm_image_hook *
hpkm_image_hooks(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->hooks);
}

static inline const __u32 *hpkm_image_depends(const void *image)
{
	return hpkm_image_at(image, hpkm_image_header(image)->depends);
}

static inline const char *hpkm_image_string(const void *image, __u32 string)
{
	const char *strings;

	strings = hpkm_image_at(image, hpkm_image_header(image)->strings);
	return strings + string;
}

#endif /* _HPKM_KMOD_IMAGE_H */
