// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 7: a process as a target, and where its objects are.
 *
 * Memory is read with access_process_vm(), which takes a thread.  That thread
 * may exec or exit at any time; so a read counts only if the thread still has
 * the target's mm afterwards (a thread never gets an mm back).  Writes must
 * never land in another address space: they go through pages that are pinned
 * by mm, see also text.c.
 */
#include <crypto/sha2.h>
#include <linux/hashtable.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "arch/arch.h"
#include "compat.h"
#include "state.h"
#include "target.h"

/* Memory may be short for a moment. */
#define READ_TRIES	3
#define NOTE_BUILD_ID	3	/* NT_GNU_BUILD_ID of the GNU ABI supplement */

static DEFINE_MUTEX(claims_lock);
static DEFINE_HASHTABLE(claims, 8);

/* A thread of @target's group that runs in @target's mm, referenced. */
static struct task_struct *some_thread(const struct hpkm_target *target)
{
	struct task_struct *leader, *t, *found = NULL;

	rcu_read_lock();
	leader = pid_task(target->group, PIDTYPE_TGID);
	if (leader) {
		for_each_thread(leader, t) {
			if (READ_ONCE(t->mm) == target->mm &&
			    !(t->flags & (HPKM_PF_NO_USER | PF_EXITING))) {
				found = t;
				get_task_struct(t);
				break;
			}
		}
	}
	rcu_read_unlock();
	return found;
}

/* The mm of the first thread of @group that has one, mm_users held. */
static struct mm_struct *group_mm(struct task_struct *leader)
{
	struct mm_struct *mm = NULL;
	struct task_struct *t;

	for_each_thread(leader, t) {
		if (t->flags & (HPKM_PF_NO_USER | PF_EXITING))
			continue;
		mm = get_task_mm(t);
		if (mm)
			break;
	}
	return mm;
}

/**
 * hpkm_target_open() - start to work on a process
 * @target: filled in
 * @group: thread group
 * @start_time: what /proc/PID/stat shows as its start; 0: any
 * @why: gets the reason of an error
 * @why_size: bytes at @why
 *
 * Context: Process context, may sleep.
 * Return: 0; -ESRCH (gone, or another process has its pid now), -EINVAL (a
 * thread id, a kernel thread or a 32-bit program).
 */
int hpkm_target_open(struct hpkm_target *target, struct pid *group,
		     u64 start_time, char *why, size_t why_size)
{
	struct task_struct *leader;
	int ret = -ESRCH;

	INIT_HLIST_NODE(&target->node);
	target->mm = NULL;
	target->named = false;
	target->group = get_pid(group);
	target->pid = pid_nr(group);

	rcu_read_lock();
	leader = pid_task(group, PIDTYPE_TGID);
	if (!leader) {
		if (pid_task(group, PIDTYPE_PID)) {
			snprintf(why, why_size, "a thread, not a process");
			ret = -EINVAL;
		} else {
			snprintf(why, why_size, "no such process");
		}
		goto out;
	}
	get_task_comm(target->comm, leader);
	target->start_time = hpkm_start_time(leader);
	if (start_time && start_time != target->start_time) {
		snprintf(why, why_size, "another process has this pid now");
		goto out;
	}
	if (leader->flags & PF_KTHREAD) {
		snprintf(why, why_size, "a kernel thread");
		ret = -EINVAL;
		goto out;
	}
	if (!hpkm_arch_task_ok(leader)) {
		snprintf(why, why_size, "a 32-bit program");
		ret = -EINVAL;
		goto out;
	}
	target->mm = group_mm(leader);
	if (target->mm)
		ret = 0;
	else
		snprintf(why, why_size, "the process has ended");
out:
	rcu_read_unlock();
	return ret;
}

/**
 * hpkm_target_leave() - let go of the address space; the names stay
 * @target: not claimed any more
 *
 * Context: Process context; may tear down the address space.
 */
void hpkm_target_leave(struct hpkm_target *target)
{
	if (target->mm)
		mmput(target->mm);
	target->mm = NULL;
}

/**
 * hpkm_target_close() - counterpart of hpkm_target_open(), also when it failed
 * @target: not claimed any more
 *
 * Context: Process context; may tear down the address space.
 */
void hpkm_target_close(struct hpkm_target *target)
{
	hpkm_target_leave(target);
	put_pid(target->group);
}

/* Does the process still run the program that was opened? */
bool hpkm_target_alive(const struct hpkm_target *target)
{
	struct task_struct *thread = some_thread(target);

	if (!thread)
		return false;
	put_task_struct(thread);
	return true;
}

/**
 * hpkm_target_claim() - keep other transitions off an address space
 * @target: opened
 *
 * Whoever claims several gives up all of them when one is refused, so that
 * no two requests wait for each other.
 *
 * Return: false when another request has it.
 */
bool hpkm_target_claim(struct hpkm_target *target)
{
	struct hpkm_target *other;
	bool ours = true;

	mutex_lock(&claims_lock);
	hash_for_each_possible(claims, other, node, (unsigned long)target->mm)
		if (other->mm == target->mm)
			ours = false;
	if (ours)
		hash_add(claims, &target->node, (unsigned long)target->mm);
	mutex_unlock(&claims_lock);
	return ours;
}

void hpkm_target_unclaim(struct hpkm_target *target)
{
	mutex_lock(&claims_lock);
	hash_del(&target->node);
	mutex_unlock(&claims_lock);
}

/*
 * Is the file behind it brought in by a process (FUSE), which may never do so?
 * virtiofs has the same magic number, and is a device.
 */
static bool is_served(const struct vm_area_struct *vma)
{
	const char *type;

	if (!vma->vm_file)
		return false;
	type = file_inode(vma->vm_file)->i_sb->s_type->name;
	return !strcmp(type, "fuse") || !strcmp(type, "fuseblk");
}

/*
 * Bringing a page in can't be interrupted, and as long as it takes the module
 * can't be unloaded.  So nobody waits for a userfaultfd; and for a process that
 * serves files only where the operator has named the target.  (A process that
 * maps such a file at just the moment between this and the read is waited for.)
 */
static bool is_withheld(const struct hpkm_target *target,
			const struct vm_area_struct *vma)
{
	return userfaultfd_armed((struct vm_area_struct *)vma) ||
	       (!target->named && is_served(vma));
}

static bool any_withheld(const struct hpkm_target *target,
			 unsigned long address, size_t size)
{
	struct vm_area_struct *vma;
	bool any = false;

	mmap_read_lock(target->mm);
	for (vma = find_vma(target->mm, address);
	     vma && vma->vm_start < address + size && !any;
	     vma = find_vma(target->mm, vma->vm_end))
		any = is_withheld(target, vma);
	mmap_read_unlock(target->mm);
	return any;
}

/**
 * hpkm_target_pin() - pin a page of the target for writing
 * @target: opened
 * @address: user address in the page
 * @flags: FOLL_FORCE, or 0
 * @page: gets it
 *
 * Context: Process context, mmap_lock held for reading; faults the page in as
 * hpkm_target_read() does.
 * Return: 0 or an error.
 */
int hpkm_target_pin(const struct hpkm_target *target, unsigned long address,
		    unsigned int flags, struct page **page)
{
	struct vm_area_struct *vma = vma_lookup(target->mm, address);
	long n;

	flags |= FOLL_WRITE;
	if (vma && is_withheld(target, vma))
		flags |= FOLL_NOFAULT;
	n = hpkm_pin_page(target->mm, address & PAGE_MASK, flags, page);
	if (n == 1)
		return 0;
	return n < 0 ? n : -EFAULT;
}

/**
 * hpkm_target_read() - read memory of the target
 * @target: opened
 * @address: user address
 * @to: buffer
 * @size: bytes
 *
 * Context: Process context, no mmap_lock held; faults pages in, but none for
 * which some process would have to be waited for.
 * Return: 0, -ESRCH when the process has gone, -EFAULT.
 */
int hpkm_target_read(const struct hpkm_target *target, unsigned long address,
		     void *to, size_t size)
{
	unsigned int flags = FOLL_FORCE, tries = 0;

	if (any_withheld(target, address, size))
		flags |= FOLL_NOFAULT;
	for (;;) {
		struct task_struct *thread = some_thread(target);
		bool same;
		int n;

		if (!thread)
			return -ESRCH;
		n = access_process_vm(thread, address, to, size, flags);
		same = READ_ONCE(thread->mm) == target->mm;
		put_task_struct(thread);
		if (same && n == size)
			return 0;
		/* It does not say whether memory was short, or nothing there. */
		if (same && ++tries == READ_TRIES)
			return -EFAULT;
		cond_resched();
	}
}

/**
 * hpkm_target_write() - write memory of the target, read-only or not
 * @target: opened
 * @address: user address in a private mapping
 * @from: buffer
 * @size: bytes
 *
 * For memory that no thread uses yet: other CPUs may see half of it.
 *
 * Context: Process context, no mmap_lock held; breaks copy-on-write.
 * Return: 0 or the error of pinning the page.
 */
int hpkm_target_write(const struct hpkm_target *target, unsigned long address,
		      const void *from, size_t size)
{
	while (size) {
		size_t offset = offset_in_page(address);
		size_t part = min_t(size_t, size, PAGE_SIZE - offset);
		struct page *page;
		int ret;

		mmap_read_lock(target->mm);
		ret = hpkm_target_pin(target, address, FOLL_FORCE, &page);
		mmap_read_unlock(target->mm);
		if (ret)
			return ret;
		memcpy(page_address(page) + offset, from, part);
		hpkm_arch_sync_text(page_address(page) + offset, part);
		unpin_user_pages_dirty_lock(&page, 1, true);
		address += part;
		from += part;
		size -= part;
	}
	return 0;
}

/*
 * Where ELF files that run are mapped from their first byte on, and the vdso.
 * A file that is mapped just to be read (by a debugger of itself, say) has no
 * executable mapping behind its first page and is left out.
 */
static unsigned long *object_bases(struct mm_struct *mm, size_t *count)
{
	size_t room = READ_ONCE(mm->map_count);
	struct vm_area_struct *vma;
	unsigned long *bases, base;
	struct inode *inode;
	size_t n;

again:
	bases = kvmalloc_array(room + 2, sizeof(*bases), GFP_KERNEL);
	if (!bases)
		return NULL;
	n = 0;
	inode = NULL;
	base = 0;
	mmap_read_lock(mm);
	if (mm->map_count > room) {
		room = mm->map_count + 64;
		mmap_read_unlock(mm);
		kvfree(bases);
		goto again;
	}
	for (vma = find_vma(mm, 0); vma; vma = find_vma(mm, vma->vm_end)) {
		if (!vma->vm_file)
			continue;
		if (!vma->vm_pgoff) {
			inode = file_inode(vma->vm_file);
			base = vma->vm_start;
		}
		if (vma->vm_flags & VM_EXEC && inode &&
		    file_inode(vma->vm_file) == inode) {
			bases[n++] = base;
			inode = NULL;
		}
	}
	mmap_read_unlock(mm);
	if (hpkm_arch_vdso(mm))
		bases[n++] = hpkm_arch_vdso(mm);
	*count = n;
	return bases;
}

/*
 * Nothing was read: for @error.  Is it that nothing is there to be read?  Then
 * 0; else nobody knows what is there, for a page of it can't be had now.
 */
static int unread(const struct hpkm_target *target, unsigned long address,
		  size_t size, int error)
{
	unsigned long at = address;
	struct vm_area_struct *vma;

	if (error != -EFAULT)
		return error;
	mmap_read_lock(target->mm);
	while (error && at < address + size) {
		vma = vma_lookup(target->mm, at);
		if (!vma || vma->vm_flags & (VM_IO | VM_PFNMAP))
			error = 0;
		else
			at = vma->vm_end;
	}
	mmap_read_unlock(target->mm);
	return error;
}

/* These return whether it is there, or an error when that can't be told. */
static int has_build_id(const struct hpkm_target *target, unsigned long base,
			const struct hpkm_image_object *o)
{
	/* An ELF note: three words, the owner's name, the descriptor. */
	struct {
		u32 namesz, descsz, type;
		char name[4];
		u8 desc[HPKM_ID_MAX];
	} note;
	size_t head = offsetof(typeof(note), desc);
	unsigned long at = base + o->id_offset - head;
	int ret;

	if (o->id_offset < head)
		return 0;
	ret = hpkm_target_read(target, at, &note, head + o->id_size);
	if (ret)
		return unread(target, at, head + o->id_size, ret);
	return note.namesz == 4 && note.descsz == o->id_size &&
	       note.type == NOTE_BUILD_ID && !memcmp(note.name, "GNU", 4) &&
	       !memcmp(note.desc, o->id, o->id_size);
}

static int has_page_digest(const struct hpkm_target *target,
			   unsigned long base,
			   const struct hpkm_image_object *o)
{
	u8 digest[SHA256_DIGEST_SIZE];
	void *page = kmalloc(4096, GFP_KERNEL);
	int ret;

	if (!page)
		return -ENOMEM;
	ret = hpkm_target_read(target, base, page, 4096);
	if (ret) {
		ret = unread(target, base, 4096, ret);
	} else {
		sha256(page, 4096, digest);
		ret = !memcmp(digest, o->id, sizeof(digest));
	}
	kfree(page);
	return ret;
}

/**
 * hpkm_target_is_at() - is an object mapped at an address?
 * @target: opened
 * @object: the object
 * @base: user address, where it would be mapped from its first byte on
 *
 * Context: Process context, no mmap_lock held; faults pages in.
 * Return: 1 when it is, 0 when it is not.  An error when nobody can tell:
 * -ESRCH (the process has gone), -EFAULT (memory that is there can't be read
 * now), -ENOMEM.
 */
int hpkm_target_is_at(const struct hpkm_target *target,
		      const struct hpkm_image_object *object,
		      unsigned long base)
{
	if (object->flags & HPKM_OBJECT_FIXED && base != object->link_base)
		return 0;
	return object->id_kind == HPKM_ID_BUILD_ID ?
		has_build_id(target, base, object) :
		has_page_digest(target, base, object);
}

/* How often an object is mapped; @at gets the last place. */
static unsigned int find_object(const struct hpkm_target *target,
				const struct hpkm_image_object *o,
				const unsigned long *bases, size_t count,
				unsigned long *at)
{
	unsigned int found = 0;

	for (size_t i = 0; i < count; i++) {
		if (hpkm_target_is_at(target, o, bases[i]) > 0) {
			*at = bases[i];
			found++;
		}
	}
	return found;
}

/**
 * hpkm_target_resolve() - find every object of a patch
 * @target: opened
 * @place: gets the base of each object
 * @why: gets the reason of an error
 * @why_size: bytes at @why
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0; -ENOENT (an object is not mapped), -ENOTUNIQ (mapped more than
 * once, as dlmopen() can do), -ENOMEM, -ESRCH.
 */
int hpkm_target_resolve(const struct hpkm_target *target,
			struct hpkm_place *place, char *why, size_t why_size)
{
	const void *image = place->patch->image;
	const struct hpkm_image_object *o = hpkm_image_objects(image);
	u32 n = hpkm_image_header(image)->objects.count;
	unsigned long *bases;
	size_t count;
	int ret = 0;

	bases = object_bases(target->mm, &count);
	if (!bases) {
		snprintf(why, why_size, "out of kernel memory");
		return -ENOMEM;
	}
	for (u32 i = 0; i < n; i++) {
		const char *name = hpkm_image_string(image, o[i].name);
		unsigned int found = find_object(target, &o[i], bases, count,
						 &place->at[i].base);

		if (!found) {
			snprintf(why, why_size,
				 "%s: this build is not mapped in the process",
				 name);
			ret = hpkm_target_alive(target) ? -ENOENT : -ESRCH;
			break;
		}
		if (found > 1) {
			snprintf(why, why_size, "%s: mapped %u times", name,
				 found);
			ret = -ENOTUNIQ;
			break;
		}
	}
	kvfree(bases);
	return ret;
}

/**
 * hpkm_target_find() - where is an object?
 * @target: opened
 * @o: its identity
 * @base: gets the base of the last one that was found
 *
 * Context: Process context, no mmap_lock held.
 * Return: how often it is mapped, or -ENOMEM.
 */
int hpkm_target_find(const struct hpkm_target *target,
		     const struct hpkm_image_object *o, unsigned long *base)
{
	unsigned long *bases;
	size_t count;
	int found;

	bases = object_bases(target->mm, &count);
	if (!bases)
		return -ENOMEM;
	found = find_object(target, o, bases, count, base);
	kvfree(bases);
	return found;
}

/**
 * hpkm_target_in_object() - does an address belong to a mapped object?
 * @target: opened
 * @base: of the object
 * @offset: from there
 *
 * An object's mappings are those of its file, up to the next file, and what
 * the loader has put behind them for its zeros.
 *
 * Context: Process context, no mmap_lock held.
 * Return: true when it does.
 */
bool hpkm_target_in_object(const struct hpkm_target *target,
			   unsigned long base, u64 offset)
{
	unsigned long end = base, address = base + offset;
	struct vm_area_struct *vma;
	struct inode *inode = NULL;
	bool yes = false;

	if (offset >= TASK_SIZE_MAX - base)
		return false;
	mmap_read_lock(target->mm);
	vma = find_vma(target->mm, base);
	if (base == hpkm_arch_vdso(target->mm))
		yes = vma && vma->vm_start == base && address < vma->vm_end;
	for (; vma && vma->vm_start <= address;
	     vma = find_vma(target->mm, end)) {
		if (!inode && vma->vm_file)
			inode = file_inode(vma->vm_file);
		if (!inode || (vma->vm_file ?
			       file_inode(vma->vm_file) != inode :
			       vma->vm_start != end))
			break;
		end = vma->vm_end;
		if (address >= end)
			continue;
		yes = true;
		break;
	}
	mmap_read_unlock(target->mm);
	return yes;
}

static bool is_served_at(const struct hpkm_target *target,
			 unsigned long address)
{
	struct vm_area_struct *vma;
	bool yes;

	mmap_read_lock(target->mm);
	vma = vma_lookup(target->mm, address);
	yes = vma && is_served(vma);
	mmap_read_unlock(target->mm);
	return yes;
}

/**
 * hpkm_target_maps() - is there what a patch is for?
 * @target: opened
 * @patch: the patch
 *
 * Context: Process context, no mmap_lock held.
 * Return: whether every anchor of @patch is mapped, and from where.
 */
enum hpkm_maps hpkm_target_maps(const struct hpkm_target *target,
				const struct hpkm_patch *patch)
{
	const struct hpkm_image_object *o = hpkm_image_objects(patch->image);
	u32 n = hpkm_patch_header(patch)->objects.count;
	enum hpkm_maps maps = HPKM_MAPS_ALL;
	unsigned long *bases, at;
	size_t count;

	bases = object_bases(target->mm, &count);
	if (!bases)
		return HPKM_MAPS_NOT;
	for (u32 i = 0; i < n && maps != HPKM_MAPS_NOT; i++) {
		if (o[i].role != HPKM_OBJECT_ANCHOR)
			continue;
		if (!find_object(target, &o[i], bases, count, &at))
			maps = HPKM_MAPS_NOT;
		else if (is_served_at(target, at))
			maps = HPKM_MAPS_SERVED;
	}
	kvfree(bases);
	return maps;
}

/**
 * hpkm_target_check_text() - is a range executable memory of a file?
 * @target: opened
 * @start: user address
 * @size: bytes
 *
 * Context: Process context, no mmap_lock held.
 * Return: 0 or -EFAULT.
 */
int hpkm_target_check_text(const struct hpkm_target *target,
			   unsigned long start, size_t size)
{
	unsigned long end = start + size;
	struct vm_area_struct *vma;
	int ret = 0;

	mmap_read_lock(target->mm);
	while (!ret && start < end) {
		vma = find_vma(target->mm, start);
		if (!vma || vma->vm_start > start ||
		    !(vma->vm_flags & VM_EXEC) || vma->vm_flags & VM_SHARED)
			ret = -EFAULT;
		else
			start = vma->vm_end;
	}
	mmap_read_unlock(target->mm);
	return ret;
}

/**
 * hpkm_target_pids() - every process there is now
 * @count: gets their number
 *
 * Context: Process context.
 * Return: Process ids in the initial namespace, for kvfree(); NULL without
 * memory.
 */
pid_t *hpkm_target_pids(size_t *count)
{
	struct task_struct *p;
	size_t room = 1024, n;
	pid_t *pids;

again:
	pids = kvmalloc_array(room, sizeof(*pids), GFP_KERNEL);
	if (!pids)
		return NULL;
	n = 0;
	rcu_read_lock();
	for_each_process(p) {
		if (p->flags & PF_KTHREAD)
			continue;
		if (n < room)
			pids[n] = task_tgid_nr(p);
		n++;
	}
	rcu_read_unlock();
	if (n > room) {
		kvfree(pids);
		room = n + n / 4;
		goto again;
	}
	*count = n;
	return pids;
}
