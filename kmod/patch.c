// SPDX-License-Identifier: GPL-2.0
/*
 * Stages 5 and 6: images that were uploaded and accepted, by name.
 *
 * A patch lives while somebody refers to it: a place (it stands in an address
 * space), a running transition, or the claim of a socket that loaded it.
 * When a socket is closed its claims go, so a tool that dies between upload
 * and apply leaves nothing.
 *
 * registry_lock protects the two lists; it is taken with a target's mmap_lock
 * held (the last place goes in vm_ops->close), so nothing under it may take
 * an mmap_lock or touch user memory.
 */
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "arch/arch.h"
#include "compat.h"
#include "patch.h"

/*
 * Uploads that stand nowhere yet, of all sockets.  What is applied is no
 * waste; when it is reverted while its claim lasts, it counts again.
 */
#define UNUSED_MAX		64
#define UNUSED_BYTES_MAX	(256UL << 20)

struct claim {
	struct list_head node;
	u32 portid;
	struct hpkm_patch *patch;
};

static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(patches);
static LIST_HEAD(claims);

static struct hpkm_patch *find_locked(const char *name)
{
	struct hpkm_patch *patch;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(patch, &patches, node)
		if (!strcmp(hpkm_patch_name(patch), name))
			return patch;
	return NULL;
}

/**
 * hpkm_patch_find() - a patch by name
 * @name: NUL-terminated
 *
 * Context: Process context, takes registry_lock.
 * Return: A reference, or NULL.
 */
struct hpkm_patch *hpkm_patch_find(const char *name)
{
	struct hpkm_patch *patch;

	mutex_lock(&registry_lock);
	patch = find_locked(name);
	if (patch)
		refcount_inc(&patch->refs);
	mutex_unlock(&registry_lock);
	return patch;
}

/**
 * hpkm_patch_nth() - walk the registry, oldest patch first
 * @n: from 0
 *
 * A walk that others interrupt may miss a patch or see one twice.
 *
 * Context: Process context, takes registry_lock.
 * Return: A reference, or NULL past the end.
 */
struct hpkm_patch *hpkm_patch_nth(unsigned int n)
{
	struct hpkm_patch *patch, *found = NULL;

	mutex_lock(&registry_lock);
	list_for_each_entry(patch, &patches, node) {
		if (!n--) {
			refcount_inc(&patch->refs);
			found = patch;
			break;
		}
	}
	mutex_unlock(&registry_lock);
	return found;
}

static void free_patch(struct hpkm_patch *patch)
{
	if (patch->content)
		fput(patch->content);
	vfree(patch->image);
	kfree(patch);
}

void hpkm_patch_get(struct hpkm_patch *patch)
{
	refcount_inc(&patch->refs);
}

/**
 * hpkm_patch_put() - give up a reference
 * @patch: not used by the caller afterwards
 *
 * Context: Process context, any mmap_lock may be held; takes registry_lock
 * when it is the last one.
 */
void hpkm_patch_put(struct hpkm_patch *patch)
{
	if (!refcount_dec_and_mutex_lock(&patch->refs, &registry_lock))
		return;
	list_del(&patch->node);
	mutex_unlock(&registry_lock);
	free_patch(patch);
}

static int write_all(struct file *file, const void *data, size_t size,
		     loff_t at)
{
	while (size) {
		ssize_t n = kernel_write(file, data, size, &at);

		if (n < 0)
			return n;
		if (!n)
			return -ENOSPC;
		data += n;
		size -= n;
	}
	return 0;
}

static int fill_content(struct hpkm_patch *patch)
{
	const struct hpkm_image_segment *s = hpkm_image_segments(patch->image);
	u32 n = hpkm_patch_header(patch)->segments.count;
	char name[sizeof("hpkm:") + HPKM_NAME_MAX];
	loff_t end = 0;
	int ret;
	u32 i;

	for (i = 0; i < n; i++) {
		patch->content_at[i] = end;
		end += s[i].mem_size;
	}
	snprintf(name, sizeof(name), "hpkm:%s", hpkm_patch_name(patch));
	patch->content = hpkm_shmem_file(name, end);
	if (IS_ERR(patch->content)) {
		ret = PTR_ERR(patch->content);
		patch->content = NULL;
		return ret;
	}
	for (i = 0; i < n; i++) {
		ret = write_all(patch->content,
				patch->image + s[i].data_offset,
				s[i].data_size, patch->content_at[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* What hpkm_image_check() leaves to the machine. */
static int check_machine(const void *image, struct netlink_ext_ack *extack)
{
	const struct hpkm_image_header *h = hpkm_image_header(image);
	const struct hpkm_image_func *f = hpkm_image_funcs(image);

	if (h->machine != hpkm_arch_machine()) {
		NL_SET_ERR_MSG(extack, "image: made for another machine");
		return -ENOEXEC;
	}
	if (h->align % PAGE_SIZE) {
		NL_SET_ERR_MSG(extack, "image: aligned for smaller pages");
		return -ENOEXEC;
	}
	for (u32 i = 0; i < h->funcs.count; i++) {
		if (!hpkm_arch_window_ok(&f[i])) {
			hpkm_extack(extack,
				    "func %u: a window no trampoline fits", i);
			return -EBADMSG;
		}
	}
	return 0;
}

static void *read_image(struct file *file, u64 offset, u64 size,
			struct netlink_ext_ack *extack)
{
	loff_t at = offset;
	void *image;
	size_t have = 0;

	if (size < sizeof(struct hpkm_image_header) ||
	    size > HPKM_IMAGE_SIZE_MAX || offset > LLONG_MAX - size) {
		NL_SET_ERR_MSG(extack, "image: impossible size or offset");
		return ERR_PTR(-EBADMSG);
	}
	if (!S_ISREG(file_inode(file)->i_mode)) {
		NL_SET_ERR_MSG(extack, "image: not in a regular file");
		return ERR_PTR(-EINVAL);
	}
	image = vmalloc(size);
	if (!image)
		return ERR_PTR(-ENOMEM);
	while (have < size) {
		ssize_t n = kernel_read(file, image + have, size - have, &at);

		if (n <= 0) {
			vfree(image);
			hpkm_extack(extack, "image: %s", n ? "can't be read" :
				    "the file ends inside it");
			return ERR_PTR(n ?: -EBADMSG);
		}
		have += n;
	}
	return image;
}

static struct hpkm_patch *alloc_patch(const void *image,
				      struct netlink_ext_ack *extack)
{
	u32 n = hpkm_image_header(image)->segments.count;
	struct hpkm_patch *patch;
	int ret;

	patch = kzalloc(struct_size(patch, content_at, n), GFP_KERNEL);
	if (!patch)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&patch->node);
	refcount_set(&patch->refs, 1);
	patch->image = image;
	ret = fill_content(patch);
	if (ret) {
		NL_SET_ERR_MSG(extack, "image: no memory file for it");
		patch->image = NULL;
		free_patch(patch);
		return ERR_PTR(ret);
	}
	return patch;
}

/* Give @portid a claim on @patch unless it has one. */
static int claim_locked(u32 portid, struct hpkm_patch *patch,
			struct netlink_ext_ack *extack)
{
	unsigned long bytes = hpkm_patch_header(patch)->size;
	unsigned int count = 0;
	struct claim *claim;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(claim, &claims, node) {
		if (claim->portid == portid && claim->patch == patch)
			return 0;
		if (atomic_read(&claim->patch->places))
			continue;
		bytes += hpkm_patch_header(claim->patch)->size;
		count++;
	}
	/* Another claim on what is in use costs next to nothing. */
	if (!atomic_read(&patch->places) &&
	    (count >= UNUSED_MAX || bytes > UNUSED_BYTES_MAX)) {
		NL_SET_ERR_MSG(extack,
			       "too many patches are loaded and not applied");
		return -ENOSPC;
	}
	claim = kmalloc(sizeof(*claim), GFP_KERNEL);
	if (!claim)
		return -ENOMEM;
	refcount_inc(&patch->refs);
	claim->portid = portid;
	claim->patch = patch;
	list_add(&claim->node, &claims);
	return 0;
}

/* Enter @fresh, or find that the same is there already. */
static struct hpkm_patch *enter_locked(struct hpkm_patch *fresh,
				       struct netlink_ext_ack *extack)
{
	const struct hpkm_image_header *h = hpkm_patch_header(fresh);
	struct hpkm_patch *patch;

	patch = find_locked(hpkm_patch_name(fresh));
	if (!patch) {
		refcount_inc(&fresh->refs);
		list_add_tail(&fresh->node, &patches);
		return fresh;
	}
	if (hpkm_patch_header(patch)->size != h->size ||
	    memcmp(patch->image, fresh->image, h->size)) {
		NL_SET_ERR_MSG(extack,
			       "another patch of this name is loaded");
		return ERR_PTR(-EEXIST);
	}
	refcount_inc(&patch->refs);
	return patch;
}

/**
 * hpkm_patch_load() - upload, validate and register an image
 * @portid: the socket that claims it
 * @file: to read from
 * @offset: of the image in @file, bytes
 * @size: of the image, bytes
 * @extack: gets the reason of a refusal
 *
 * The image is copied once, before it is looked at.
 *
 * Context: Process context, may sleep, takes registry_lock.
 * Return: A reference; or -EBADMSG (malformed), -ENOEXEC (another machine),
 * -EEXIST (another patch has the name), -ENOSPC (too many that are not
 * applied), -ENOMEM, or an error of reading.
 */
struct hpkm_patch *hpkm_patch_load(u32 portid, struct file *file, u64 offset,
				   u64 size, struct netlink_ext_ack *extack)
{
	struct hpkm_patch *fresh, *patch;
	char why[80];
	void *image;
	int ret;

	image = read_image(file, offset, size, extack);
	if (IS_ERR(image))
		return image;
	ret = -EBADMSG;
	if (hpkm_image_check(image, size, why, sizeof(why))) {
		hpkm_extack(extack, "%s", why);
		goto free_image;
	}
	ret = check_machine(image, extack);
	if (ret)
		goto free_image;
	fresh = alloc_patch(image, extack);
	if (IS_ERR(fresh)) {
		ret = PTR_ERR(fresh);
		goto free_image;
	}

	mutex_lock(&registry_lock);
	patch = enter_locked(fresh, extack);
	ret = PTR_ERR_OR_ZERO(patch);
	if (!ret)
		ret = claim_locked(portid, patch, extack);
	mutex_unlock(&registry_lock);

	/* Nobody else has seen @fresh unless it was entered. */
	if (patch == fresh)
		hpkm_patch_put(fresh);
	else
		free_patch(fresh);
	if (!ret)
		return patch;
	if (!IS_ERR(patch))
		hpkm_patch_put(patch);
	return ERR_PTR(ret);

free_image:
	vfree(image);
	return ERR_PTR(ret);
}

/**
 * hpkm_patch_disclaim() - a socket was closed
 * @portid: of that socket
 *
 * Context: Process context, takes registry_lock.
 */
void hpkm_patch_disclaim(u32 portid)
{
	struct claim *claim, *next;
	LIST_HEAD(gone);

	mutex_lock(&registry_lock);
	list_for_each_entry_safe(claim, next, &claims, node)
		if (claim->portid == portid)
			list_move(&claim->node, &gone);
	mutex_unlock(&registry_lock);

	list_for_each_entry_safe(claim, next, &gone, node) {
		hpkm_patch_put(claim->patch);
		kfree(claim);
	}
}

/*
 * The module goes: no socket can reach it any more, nothing is placed and no
 * transition runs, so claims are all that is left.
 */
void hpkm_patch_exit(void)
{
	struct claim *claim, *next;

	list_for_each_entry_safe(claim, next, &claims, node) {
		hpkm_patch_put(claim->patch);
		kfree(claim);
	}
	WARN_ON(!list_empty(&patches));
}
