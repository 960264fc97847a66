/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels that hpkm supports, 6.1 and later. */
#ifndef _HPKM_COMPAT_H
#define _HPKM_COMPAT_H

#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/swapops.h>
#include <linux/version.h>

/* User shadow stacks came with 6.6. */
#ifndef VM_SHADOW_STACK
#define VM_SHADOW_STACK	VM_NONE
#endif

/* pin_user_pages_remote() lost its vmas argument in 6.5. */
static inline long hpkm_pin_page(struct mm_struct *mm, unsigned long address,
				 unsigned int gup_flags, struct page **page)
{
#if KERNEL_VERSION(6, 5, 0) > LINUX_VERSION_CODE
	return pin_user_pages_remote(mm, address, 1, gup_flags, page, NULL,
				     NULL);
#else
	return pin_user_pages_remote(mm, address, 1, gup_flags, page, NULL);
#endif
}

/* So did get_user_pages_remote(). */
static inline long hpkm_get_page(struct mm_struct *mm, unsigned long address,
				 unsigned int gup_flags, struct page **page)
{
#if KERNEL_VERSION(6, 5, 0) > LINUX_VERSION_CODE
	return get_user_pages_remote(mm, address, 1, gup_flags, page, NULL,
				     NULL);
#else
	return get_user_pages_remote(mm, address, 1, gup_flags, page, NULL);
#endif
}

/*
 * What MADV_GUARD_INSTALL (6.13) leaves in a page table: nobody's page, between
 * two stacks say, in the middle of a mapping.
 */
static inline bool hpkm_pte_is_guard(pte_t pte)
{
#if KERNEL_VERSION(6, 19, 0) <= LINUX_VERSION_CODE
	return softleaf_is_guard_marker(softleaf_from_pte(pte));
#elif defined(PTE_MARKER_GUARD)
	return is_guard_swp_entry(pte_to_swp_entry(pte));
#else
	return false;
#endif
}

/*
 * Does a thread unlink each entry of its list of return probes before it frees
 * it?  Before 6.13 it freed several and then said where the list begins; 6.13
 * was not tried.
 */
static inline bool hpkm_returns_in_order(void)
{
	return KERNEL_VERSION(6, 14, 0) <= LINUX_VERSION_CODE;
}

/*
 * Does anybody hold it for writing?  While others only wait for it, trying it
 * fails as well, for reading, too.  Bit 0 of count has been the writer's all the
 * time; rwsem.h says so since 6.8.
 */
static inline bool hpkm_write_locked(const struct rw_semaphore *sem)
{
#ifdef CONFIG_PREEMPT_RT
	return atomic_read(&sem->rwbase.readers) == WRITER_BIAS;
#else
	return atomic_long_read(&sem->count) & BIT(0);
#endif
}

/* Kernel threads that run on behalf of a process have no user registers. */
#ifdef PF_USER_WORKER
#define HPKM_PF_NO_USER	(PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)
#else
#define HPKM_PF_NO_USER	(PF_KTHREAD | PF_IO_WORKER)
#endif

/*
 * The flags of a mapping that nobody else can look at now: it is just being
 * made, or every CPU is stopped.  vm_flags became read-only in 6.3.
 */
static inline void hpkm_vma_flags(struct vm_area_struct *vma,
				  unsigned long set, unsigned long clear)
{
#if KERNEL_VERSION(6, 3, 0) > LINUX_VERSION_CODE
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#else
	vm_flags_init(vma, (vma->vm_flags | set) & ~clear);
#endif
}

/*
 * An empty file in memory, or an error.  shmem_file_setup() takes a vma_flags_t
 * where that type exists; without memory for an inode it says that there is no
 * space.
 */
static inline struct file *hpkm_shmem_file(const char *name, loff_t size)
{
#ifdef EMPTY_VMA_FLAGS
	struct file *file = shmem_file_setup(name, size, EMPTY_VMA_FLAGS);
#else
	struct file *file = shmem_file_setup(name, size, 0);
#endif

	return file == ERR_PTR(-ENOSPC) ? ERR_PTR(-ENOMEM) : file;
}

/*
 * The mapping operation of our files: shmem's, after which our vm_ops take
 * the place of shmem's and the mapping is one that fork does not copy, and
 * that neither grows nor is merged with its neighbour.
 * Where vma_flags_t exists it is mmap_prepare, which fills in a description
 * of a mapping that is still to be made.
 */
extern const struct file_operations *hpkm_shmem_fops;
const struct vm_operations_struct *
hpkm_own_vm_ops(const struct file *file,
		const struct vm_operations_struct *shmem);

#ifdef EMPTY_VMA_FLAGS
#define hpkm_map_op	mmap_prepare

static inline int hpkm_map(struct vm_area_desc *desc)
{
	int ret = hpkm_shmem_fops->mmap_prepare(desc);

	if (ret)
		return ret;
	desc->vm_ops = hpkm_own_vm_ops(desc->file, desc->vm_ops);
	vma_flags_set(&desc->vma_flags, VMA_DONTCOPY_BIT, VMA_DONTEXPAND_BIT);
	return 0;
}
#else
#define hpkm_map_op	mmap

static inline int hpkm_map(struct file *file, struct vm_area_struct *vma)
{
	int ret = hpkm_shmem_fops->mmap(file, vma);

	if (ret)
		return ret;
	vma->vm_ops = hpkm_own_vm_ops(file, vma->vm_ops);
	hpkm_vma_flags(vma, VM_DONTCOPY | VM_DONTEXPAND, 0);
	return 0;
}
#endif

/*
 * A text of up to 79 characters for whoever sent a request.  Before 6.3 the
 * message of an acknowledgment had to outlive the request, so it stands in
 * one of several static buffers.
 */
#ifdef NL_SET_ERR_MSG_FMT
#define hpkm_extack(extack, fmt, ...) \
	NL_SET_ERR_MSG_FMT(extack, fmt, ##__VA_ARGS__)
#else
static inline char *hpkm_extack_buffer(void)
{
	static char buffers[32][80];
	static atomic_t next;

	return buffers[(unsigned int)atomic_inc_return(&next) % 32];
}

#define hpkm_extack(extack, fmt, ...) do {				\
	struct netlink_ext_ack *__extack = (extack);			\
	char *__buffer = hpkm_extack_buffer();				\
									\
	snprintf(__buffer, 80, fmt, ##__VA_ARGS__);			\
	if (__extack)							\
		__extack->_msg = __buffer;				\
} while (0)
#endif

/* Field 22 of /proc/PID/stat: clock ticks (100 a second) since boot. */
static inline u64 hpkm_start_time(struct task_struct *leader)
{
	return div_u64(leader->start_boottime, NSEC_PER_SEC / USER_HZ);
}

#endif /* _HPKM_COMPAT_H */
