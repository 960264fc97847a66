/* SPDX-License-Identifier: GPL-2.0 */
/* The registry of patches. */
#ifndef _HPKM_PATCH_H
#define _HPKM_PATCH_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/refcount.h>

#include "image.h"

struct netlink_ext_ack;

/**
 * struct hpkm_patch - an image that was accepted
 * @node: in the registry
 * @refs: one for each claim of a socket, each place and each transition
 * @places: address spaces (forked copies counted once) that it stands in
 * @image: the image as it was uploaded; never changes
 * @content: a shmem file with the data of every segment, one after the other,
 *	each at a page boundary and as long as the segment in memory
 * @content_at: byte offset in @content of each segment
 *
 * All but @refs, @places and @node is constant while there is a reference.
 */
struct hpkm_patch {
	struct list_head node;
	refcount_t refs;
	atomic_t places;
	const void *image;
	struct file *content;
	loff_t content_at[];
};

static inline const struct hpkm_image_header *
hpkm_patch_header(const struct hpkm_patch *patch)
{
	return hpkm_image_header(patch->image);
}

static inline const char *hpkm_patch_string(const struct hpkm_patch *patch,
					    u32 string)
{
	return hpkm_image_string(patch->image, string);
}

static inline const char *hpkm_patch_name(const struct hpkm_patch *patch)
{
	return hpkm_patch_string(patch, hpkm_patch_header(patch)->name);
}

static inline const char *hpkm_patch_version(const struct hpkm_patch *patch)
{
	return hpkm_patch_string(patch, hpkm_patch_header(patch)->version);
}

struct hpkm_patch *hpkm_patch_load(u32 portid, struct file *file, u64 offset,
				   u64 size, struct netlink_ext_ack *extack);
struct hpkm_patch *hpkm_patch_find(const char *name);
struct hpkm_patch *hpkm_patch_nth(unsigned int n);
void hpkm_patch_get(struct hpkm_patch *patch);
void hpkm_patch_put(struct hpkm_patch *patch);
void hpkm_patch_disclaim(u32 portid);
void hpkm_patch_exit(void);

#endif /* _HPKM_PATCH_H */
