// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 8: images and update tables in an address space.
 *
 * Both are private mappings of shmem files.  A placed image maps a struct
 * file of its own on the patch's content, an update table one on an empty
 * file that all tables share; their file operations are ours (shmem's, but
 * for owner and mmap), so each mapping holds a reference to this module.
 *
 * The mapping of an update table is the record of what is patched: its
 * vm_private_data is the hpkm_state of this address space.  fork copies the
 * mapping and vm_ops->open counts the reference; unmapping, exec and exit end
 * in vm_ops->close, which drops it.  Nothing else knows the targets.
 *
 * vm_private_data is written only inside the stop, which holds mmap_lock for
 * reading at most; open and close run with it held for writing.  So who reads it
 * otherwise disables preemption until he has his reference.
 *
 * Until a mapping is committed it is VM_DONTCOPY, with no state: a child that
 * is forked meanwhile gets exactly what was committed before.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sizes.h>

#include "arch/arch.h"
#include "compat.h"
#include "place.h"

/* The lowest address that any architecture lets programs map by default. */
#define LOWEST_ADDRESS		SZ_64K
/* Kept free below a stack and above the heap, which grow. */
#define GROWTH_ROOM		SZ_8M
#define UNMAP_TRIES		10

const struct file_operations *hpkm_shmem_fops;
static struct file_operations image_fops, table_fops;
static struct vm_operations_struct image_vm_ops, table_vm_ops;
static DEFINE_MUTEX(vm_ops_lock);	/* filling in the two vm_ops */

static void table_open(struct vm_area_struct *vma)
{
	if (vma->vm_private_data)
		hpkm_state_get(vma->vm_private_data);
}

static void table_close(struct vm_area_struct *vma)
{
	hpkm_state_put(vma->vm_private_data);
}

/* Code has addresses of both, so they can't be moved, nor a table cut. */
static int refuse_move(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static int refuse_split(struct vm_area_struct *vma, unsigned long address)
{
	return -EINVAL;
}

/* For compat.h: what a mapping of @file, one of ours, uses as its vm_ops. */
const struct vm_operations_struct *
hpkm_own_vm_ops(const struct file *file,
		const struct vm_operations_struct *shmem)
{
	mutex_lock(&vm_ops_lock);
	if (!image_vm_ops.fault) {
		image_vm_ops = *shmem;
		image_vm_ops.mremap = refuse_move;
		table_vm_ops = image_vm_ops;
		table_vm_ops.open = table_open;
		table_vm_ops.close = table_close;
		table_vm_ops.may_split = refuse_split;
	}
	mutex_unlock(&vm_ops_lock);
	return file->f_op == &table_fops ? &table_vm_ops : &image_vm_ops;
}

/* One more struct file on @content's inode, with operations of ours. */
static struct file *reopen(struct file *content,
			   const struct file_operations *fops)
{
	struct file *file;

	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);
	file = dentry_open(&content->f_path, O_RDWR | O_LARGEFILE,
			   current_cred());
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		return file;
	}
	/* The last fput() gives up the module through f_op->owner. */
	replace_fops(file, fops);
	return file;
}

static int protection(u32 prot)
{
	return (prot & HPKM_PROT_READ ? PROT_READ : 0) |
	       (prot & HPKM_PROT_WRITE ? PROT_WRITE : 0) |
	       (prot & HPKM_PROT_EXEC ? PROT_EXEC : 0);
}

static int map_at(struct file *file, unsigned long address, u64 size, int prot,
		  loff_t at)
{
	unsigned long got;

	got = vm_mmap(file, address, size, prot,
		      MAP_PRIVATE | MAP_FIXED_NOREPLACE, at);
	if (IS_ERR_VALUE(got))
		return (int)got;
	return 0;
}

/* Does [start, start + size) reach all of the object, and it all of that? */
static bool in_reach(unsigned long start, u64 size, unsigned long base,
		     u64 object_size)
{
	unsigned long low = min(start, base);
	unsigned long high = max(start + size, base + object_size);

	return high - low <= hpkm_arch_reach();
}

/*
 * The free range nearest to an object, below it if possible: above an
 * executable its heap grows.
 */
static unsigned long find_room(struct mm_struct *mm, unsigned long base,
			       u64 object_size, u64 size)
{
	unsigned long start = LOWEST_ADDRESS, below = 0, above = 0;
	unsigned long reach = hpkm_arch_reach();
	struct vm_area_struct *vma;

	if (base + object_size > LOWEST_ADDRESS + reach)
		start = PAGE_ALIGN(base + object_size - reach);
	mmap_read_lock(mm);
	while (!above && in_reach(start, size, base, object_size)) {
		unsigned long end = TASK_SIZE_MAX;
		unsigned long room_start = start;

		vma = find_vma(mm, start);
		if (vma && vma->vm_start <= start) {
			start = vma->vm_end;
			continue;
		}
		if (vma)
			end = vma->vm_start;
		if (vma && vma->vm_flags & VM_GROWSDOWN)
			end -= min(end - start, (unsigned long)GROWTH_ROOM);
		if (PAGE_ALIGN(mm->brk) >= start && mm->brk < end)
			room_start = PAGE_ALIGN(mm->brk) + GROWTH_ROOM;
		if (end > room_start && end - room_start >= size) {
			if (end <= base && in_reach(end - size, size, base,
						    object_size))
				below = end - size;
			else if (room_start > base &&
				 in_reach(room_start, size, base, object_size))
				above = room_start;
		}
		if (!vma)
			break;
		start = vma->vm_end;
	}
	mmap_read_unlock(mm);
	return below ?: above;
}

/* Of whole mappings it can fail only where memory is short for a moment. */
static void unmap(unsigned long start, u64 size)
{
	for (unsigned int i = 0; i < UNMAP_TRIES; i++) {
		if (!vm_munmap(start, size))
			return;
		msleep(i);
	}
}

/* Map the segments of object @i at @span, all or none. */
static int map_span(struct file *file, const struct hpkm_patch *patch, u32 i,
		    unsigned long span)
{
	const struct hpkm_image_segment *s = hpkm_image_segments(patch->image);
	u32 n = hpkm_patch_header(patch)->segments.count, k;
	int ret = 0;

	for (k = 0; k < n; k++) {
		if (s[k].object != i)
			continue;
		ret = map_at(file, span + s[k].mem_offset, s[k].mem_size,
			     protection(s[k].prot), patch->content_at[k]);
		if (ret)
			break;
	}
	if (!ret)
		return 0;
	while (k--)
		if (s[k].object == i)
			unmap(span + s[k].mem_offset, s[k].mem_size);
	return ret;
}

static int map_object(const struct hpkm_target *target,
		      struct hpkm_place *place, struct file *file, u32 i)
{
	const struct hpkm_image_object *o =
		&hpkm_image_objects(place->patch->image)[i];
	unsigned long base = place->at[i].base;
	unsigned long span = base + o->span_distance;
	int tries, ret = -EEXIST;

	if (span >= LOWEST_ADDRESS && span < TASK_SIZE_MAX - o->span_size &&
	    in_reach(span, o->span_size, base, o->size))
		ret = map_span(file, place->patch, i, span);
	/* Threads map things meanwhile: what was free may not be any more. */
	for (tries = 0; ret == -EEXIST && tries < 16; tries++) {
		span = find_room(target->mm, base, o->size, o->span_size);
		if (!span)
			return -ENOSPC;
		ret = map_span(file, place->patch, i, span);
	}
	if (!ret)
		place->at[i].span = span;
	return ret;
}

static int map_objects(const struct hpkm_target *target,
		       struct hpkm_place *place, struct file *file)
{
	const struct hpkm_image_object *o =
		hpkm_image_objects(place->patch->image);
	u32 n = hpkm_patch_header(place->patch)->objects.count;
	int ret = 0;

	kthread_use_mm(target->mm);
	for (u32 i = 0; i < n && !ret; i++)
		if (o[i].role == HPKM_OBJECT_ANCHOR)
			ret = map_object(target, place, file, i);
	kthread_unuse_mm(target->mm);
	return ret;
}

static u64 fixup_base(const struct hpkm_place *place,
		      const struct hpkm_image_fixup *x)
{
	switch (x->relative) {
	case HPKM_RELATIVE_SPAN:
		return place->at[x->object].span;
	case HPKM_RELATIVE_EXTERN:
		/* An unbound weak one is 0, whatever is added to it. */
		return place->externs[x->object] ?: -(u64)x->addend;
	default:
		return place->at[x->object].base;
	}
}

/* What a fixup writes at @at; false when the value does not fit. */
static bool fixup_value(const struct hpkm_place *place,
			const struct hpkm_image_fixup *x, u64 at, u64 *value,
			size_t *size)
{
	u64 S = fixup_base(place, x);
	u64 A = x->addend;
	u64 P = at;

	*size = 4;
	switch (x->kind) {
	case HPKM_FIXUP_ABS64:
		*value = S + A;
		*size = 8;
		return true;
	case HPKM_FIXUP_ABS32:
		*value = S + A;
		return *value == (u32)*value;
	case HPKM_FIXUP_ABS32S:
		*value = S + A;
		return (s64)*value == (s32)*value;
	case HPKM_FIXUP_PC32:
		*value = S + A - P;
		return (s64)*value == (s32)*value;
	case HPKM_FIXUP_PC64:
		*value = S + A - P;
		*size = 8;
		return true;
	case HPKM_FIXUP_COPY64:
		/* Where it is; apply_fixups() reads it. */
		*value = S + A;
		*size = 8;
		return true;
	}
	return false;
}

/*
 * Write what is not right already: at the preferred distance, references
 * between image and anchor are, and their pages stay shared.
 */
static int apply_fixups(const struct hpkm_target *target,
			const struct hpkm_place *place, char *why,
			size_t why_size)
{
	const void *image = place->patch->image;
	const struct hpkm_image_segment *segments = hpkm_image_segments(image);
	const struct hpkm_image_fixup *x = hpkm_image_fixups(image);
	u32 n = hpkm_image_header(image)->fixups.count;

	for (u32 i = 0; i < n; i++, x++) {
		const struct hpkm_image_segment *s = &segments[x->segment];
		unsigned long at = place->at[s->object].span + s->mem_offset +
				   x->place;
		size_t size;
		u64 value;
		int ret;

		if (!fixup_value(place, x, at, &value, &size)) {
			snprintf(why, why_size, "fixup %u: out of range", i);
			return -ERANGE;
		}
		if (x->kind == HPKM_FIXUP_COPY64) {
			u64 more;

			memcpy(&more, image + s->data_offset + x->place, size);
			ret = hpkm_target_read(target, value, &value, size);
			if (ret) {
				snprintf(why, why_size,
					 "fixup %u: its slot can't be read",
					 i);
				return ret;
			}
			value += more;
		}
		/* Little-endian, as every machine in hpkm_arch_machine(). */
		if (!memcmp(image + s->data_offset + x->place, &value, size))
			continue;
		ret = hpkm_target_write(target, at, &value, size);
		if (ret) {
			snprintf(why, why_size, "fixup %u: can't be written",
				 i);
			return ret;
		}
		if (!(i % 64))
			cond_resched();
	}
	return 0;
}

/**
 * hpkm_place_map() - map an image near its anchors and add the fixups
 * @target: claimed
 * @place: bases known; gets the spans
 * @why: gets the reason of an error
 * @why_size: bytes at @why
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0, or an error after which nothing is mapped.
 */
int hpkm_place_map(const struct hpkm_target *target, struct hpkm_place *place,
		   char *why, size_t why_size)
{
	struct file *file = reopen(place->patch->content, &image_fops);
	int ret;

	if (IS_ERR(file)) {
		snprintf(why, why_size, "no memory for a mapping");
		return PTR_ERR(file);
	}
	ret = map_objects(target, place, file);
	fput(file);
	if (ret == -ENOSPC)
		snprintf(why, why_size, "no free addresses near the code");
	else if (ret)
		snprintf(why, why_size, "the image can't be mapped (error %d)",
			 -ret);
	else
		ret = apply_fixups(target, place, why, why_size);
	if (ret)
		hpkm_place_unmap(target, place);
	return ret;
}

/* Our own mapping that covers exactly [start, start + size), or NULL. */
static struct vm_area_struct *own_vma(struct mm_struct *mm,
				      unsigned long start, u64 size,
				      const struct vm_operations_struct *ops)
{
	struct vm_area_struct *vma = find_vma(mm, start);

	if (!vma || vma->vm_start != start || vma->vm_end != start + size ||
	    vma->vm_ops != ops)
		return NULL;
	return vma;
}

/*
 * Unmap what is still ours.  The target may have put something else there;
 * between look and unmapping it could do so again, as any process can that
 * unmaps and maps at addresses which are not its own.
 */
static void unmap_own(const struct hpkm_target *target, unsigned long start,
		      u64 size, const struct vm_operations_struct *ops)
{
	struct vm_area_struct *vma;
	bool ours;

	mmap_read_lock(target->mm);
	vma = own_vma(target->mm, start, size, ops);
	ours = vma;
	mmap_read_unlock(target->mm);
	if (!ours)
		return;
	kthread_use_mm(target->mm);
	unmap(start, size);
	kthread_unuse_mm(target->mm);
}

/**
 * hpkm_place_unmap() - take an image out of an address space
 * @target: claimed
 * @place: nobody is in its code, or will return to it
 *
 * Context: Kernel worker, no mmap_lock held.
 */
void hpkm_place_unmap(const struct hpkm_target *target,
		      const struct hpkm_place *place)
{
	const struct hpkm_image_segment *s =
		hpkm_image_segments(place->patch->image);
	u32 n = hpkm_patch_header(place->patch)->segments.count;

	for (u32 i = 0; i < n; i++) {
		unsigned long span = place->at[s[i].object].span;

		if (span)
			unmap_own(target, span + s[i].mem_offset,
				  s[i].mem_size, &image_vm_ops);
	}
}

bool hpkm_table_reaches(const struct hpkm_table *table, unsigned long base,
			u64 size)
{
	return in_reach(table->start, table->slots * sizeof(u64), base, size);
}

/**
 * hpkm_table_map() - map an update table near an object
 * @target: claimed
 * @base: of the object
 * @size: of the object, bytes
 * @table: slots is how many are wanted; gets the start and more slots
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0 or an error.
 */
int hpkm_table_map(const struct hpkm_target *target, unsigned long base,
		   u64 size, struct hpkm_table *table)
{
	u64 bytes = PAGE_ALIGN(table->slots * sizeof(u64));
	struct file *content, *file;
	int tries, ret = -EEXIST;

	content = hpkm_shmem_file("hpkm-table", bytes);
	if (IS_ERR(content))
		return PTR_ERR(content);
	file = reopen(content, &table_fops);
	fput(content);
	if (IS_ERR(file))
		return PTR_ERR(file);
	for (tries = 0; ret == -EEXIST && tries < 16; tries++) {
		table->start = find_room(target->mm, base, size, bytes);
		if (!table->start) {
			ret = -ENOSPC;
			break;
		}
		kthread_use_mm(target->mm);
		ret = map_at(file, table->start, bytes, PROT_READ, 0);
		kthread_unuse_mm(target->mm);
	}
	fput(file);
	table->slots = bytes / sizeof(u64);
	return ret;
}

void hpkm_table_unmap(const struct hpkm_target *target,
		      const struct hpkm_table *table)
{
	unmap_own(target, table->start, table->slots * sizeof(u64),
		  &table_vm_ops);
}

/* Did we make this mapping?  Context: mmap_lock held. */
bool hpkm_place_is_own(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &image_vm_ops || vma->vm_ops == &table_vm_ops;
}

/**
 * hpkm_state_of() - what is patched in an address space?
 * @mm: held by mm_users
 *
 * Context: Process context, takes mmap_lock for reading.
 * Return: A reference, or NULL when nothing is.
 */
struct hpkm_state *hpkm_state_of(struct mm_struct *mm)
{
	struct hpkm_state *state = NULL;
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	for (vma = find_vma(mm, 0); vma && !state;
	     vma = find_vma(mm, vma->vm_end)) {
		if (vma->vm_ops != &table_vm_ops)
			continue;
		/* No stop comes between, which may replace and drop it. */
		preempt_disable();
		state = vma->vm_private_data;
		if (state)
			hpkm_state_get(state);
		preempt_enable();
	}
	mmap_read_unlock(mm);
	return state;
}

/**
 * hpkm_place_intact() - is a placed image still mapped as we mapped it?
 * @mm: the address space
 * @place: mapped
 *
 * Context: Inside the stop, mmap_lock held for reading.
 */
bool hpkm_place_intact(struct mm_struct *mm, const struct hpkm_place *place)
{
	const struct hpkm_image_segment *s =
		hpkm_image_segments(place->patch->image);
	u32 n = hpkm_patch_header(place->patch)->segments.count;

	for (u32 i = 0; i < n; i++)
		if (!own_vma(mm, place->at[s[i].object].span + s[i].mem_offset,
			     s[i].mem_size, &image_vm_ops))
			return false;
	return true;
}

bool hpkm_table_intact(struct mm_struct *mm, const struct hpkm_table *table,
		       const struct hpkm_state *state)
{
	struct vm_area_struct *vma;

	vma = own_vma(mm, table->start, table->slots * sizeof(u64),
		      &table_vm_ops);
	return vma && vma->vm_private_data == state;
}

/**
 * hpkm_place_inherit() - from now on a forked child has this image, or not
 * @mm: the address space
 * @place: what of it is not intact is left alone
 * @inherit: true when it is being enabled, false when it is being reverted
 *
 * Context: Inside the stop, mmap_lock held for reading: no fork is copying.
 */
void hpkm_place_inherit(struct mm_struct *mm, const struct hpkm_place *place,
			bool inherit)
{
	const struct hpkm_image_segment *s =
		hpkm_image_segments(place->patch->image);
	u32 n = hpkm_patch_header(place->patch)->segments.count;

	for (u32 i = 0; i < n; i++) {
		unsigned long span = place->at[s[i].object].span;
		struct vm_area_struct *vma;

		vma = own_vma(mm, span + s[i].mem_offset, s[i].mem_size,
			      &image_vm_ops);
		if (vma)
			hpkm_vma_flags(vma, inherit ? 0 : VM_DONTCOPY,
				       inherit ? VM_DONTCOPY : 0);
		/* fork leaves its pages out: a child has the file's zeros. */
		if (vma && s[i].prot & HPKM_PROT_FRESH)
			hpkm_vma_flags(vma, VM_WIPEONFORK, 0);
	}
}

/**
 * hpkm_table_show() - publish a state in the mapping of an update table
 * @mm: the address space
 * @table: intact
 * @state: gets one more reference
 * @inherit: false when the table is about to be unmapped
 *
 * Context: Inside the stop, mmap_lock held for reading.
 * Return: The state that the table showed until now; the caller owns that
 * reference, to be given up outside the stop.
 */
struct hpkm_state *hpkm_table_show(struct mm_struct *mm,
				   const struct hpkm_table *table,
				   struct hpkm_state *state, bool inherit)
{
	struct vm_area_struct *vma;
	struct hpkm_state *old;

	vma = own_vma(mm, table->start, table->slots * sizeof(u64),
		      &table_vm_ops);
	old = vma->vm_private_data;
	hpkm_state_get(state);
	vma->vm_private_data = state;
	hpkm_vma_flags(vma, inherit ? 0 : VM_DONTCOPY,
		       inherit ? VM_DONTCOPY : 0);
	return old;
}

/**
 * hpkm_place_init() - learn shmem's file operations
 *
 * Return: 0 or an error.
 */
int hpkm_place_init(void)
{
	struct file *file = hpkm_shmem_file("hpkm", PAGE_SIZE);

	if (IS_ERR(file))
		return PTR_ERR(file);
	hpkm_shmem_fops = file->f_op;
	fput(file);
	image_fops = *hpkm_shmem_fops;
	image_fops.owner = THIS_MODULE;
	image_fops.hpkm_map_op = hpkm_map;
	table_fops = *hpkm_shmem_fops;
	table_fops.owner = THIS_MODULE;
	table_fops.hpkm_map_op = hpkm_map;
	return hpkm_shmem_fops->hpkm_map_op ? 0 : -EOPNOTSUPP;
}
