// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a target, before the stop and inside it.
 *
 * Inside the stop nothing can be faulted in or waited for: what is not mapped
 * by the page tables now is reported as absent.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "memory.h"
#include "walk.h"

/*
 * May a page that is not there be taken for zeros?  On PREEMPT_RT a page table
 * entry can be empty for a moment: who changes it may have been preempted.
 */
static bool reads_as_zeros(const struct vm_area_struct *vma)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) &&
	       vma_is_anonymous((struct vm_area_struct *)vma) &&
	       !(vma->vm_flags & VM_UFFD_MISSING);
}

/*
 * Bytes of one page.  Anonymous memory is faulted in: a part of a stack that
 * was never touched reads as zeros.  Of other memory only what is there now is
 * read, for somebody would have to be waited for.
 */
static bool peek(struct mm_struct *mm, unsigned long address, void *to,
		 size_t size)
{
	unsigned int flags = FOLL_FORCE;
	struct vm_area_struct *vma;
	struct page *page;
	bool good;
	long n;

	mmap_read_lock(mm);
	vma = find_vma(mm, address);
	if (!vma || vma->vm_start > address || !reads_as_zeros(vma))
		flags |= FOLL_NOFAULT;
	n = hpkm_get_page(mm, address & PAGE_MASK, flags, &page);
	mmap_read_unlock(mm);
	if (n != 1)
		return false;
	good = !copy_from_kernel_nofault(to, page_address(page) +
					 offset_in_page(address), size);
	put_page(page);
	return good;
}

/* Context: mmap_lock held for reading. */
void hpkm_memory_describe(const struct vm_area_struct *vma,
			  struct hpkm_area *area)
{
	area->start = vma->vm_start;
	area->end = vma->vm_end;
	area->file = vma->vm_file;
	area->pgoff = vma->vm_pgoff;
	area->readable = vma->vm_flags & VM_READ;
	area->grows = vma->vm_flags & VM_GROWSDOWN;
	area->zeros = reads_as_zeros(vma);
}

/**
 * hpkm_memory_area() - the mapping that an address lies in
 * @memory: how it is looked for
 * @address: user address
 * @area: gets what is there
 *
 * Context: as @memory says.
 * Return: false when nothing is mapped there.
 */
bool hpkm_memory_area(const struct hpkm_memory *memory, unsigned long address,
		      struct hpkm_area *area)
{
	struct mm_struct *mm = memory->target->mm;
	struct vm_area_struct *vma;
	bool found;

	if (!memory->stopped)
		mmap_read_lock(mm);
	vma = find_vma(mm, address);
	found = vma && vma->vm_start <= address;
	if (found)
		hpkm_memory_describe(vma, area);
	if (!memory->stopped)
		mmap_read_unlock(mm);
	return found;
}

/**
 * hpkm_memory_continue() - the other half of a mapping that was split
 * @memory: how it is looked for
 * @area: a mapping; gets the one behind it
 *
 * mlock() or madvise() of a buffer in the middle of a stack makes several
 * mappings of it: each begins where the one before ends, and goes on with what
 * that maps.
 *
 * Context: as @memory says.
 * Return: false when there is no such mapping; @area is as it was then.
 */
bool hpkm_memory_continue(const struct hpkm_memory *memory,
			  struct hpkm_area *area)
{
	struct hpkm_area next;

	if (!hpkm_memory_area(memory, area->end, &next) ||
	    next.start != area->end || !next.readable ||
	    next.file != area->file ||
	    next.pgoff - area->pgoff != (area->end - area->start) >> PAGE_SHIFT)
		return false;
	*area = next;
	return true;
}

/**
 * hpkm_memory_words() - the words of one page, or of a part of it
 * @memory: how they are read
 * @area: where the page lies
 * @address: user address of the first one, a multiple of 8
 * @count: no more than there are in this page
 * @words: gets where they are: in the buffer or, inside the stop, in place
 *
 * Not all that a process maps is mapped in the kernel (memfd_secret): a fault
 * tells, and is harmless.  It is whole pages that are not.
 *
 * Context: as @memory says.
 * Return: see enum hpkm_memory_status; *@words is set for HPKM_MEMORY_READ.
 */
enum hpkm_memory_status hpkm_memory_words(const struct hpkm_memory *memory,
					  const struct hpkm_area *area,
					  unsigned long address, size_t count,
					  const u64 **words)
{
	void *page;
	u64 first;

	if (!memory->stopped) {
		*words = memory->page;
		return peek(memory->target->mm, address, memory->page,
			    count * sizeof(u64)) ?
			HPKM_MEMORY_READ : HPKM_MEMORY_ABSENT;
	}
	switch (hpkm_walk(memory->target->mm, address, &page)) {
	case HPKM_WALK_PRESENT:
		*words = page + offset_in_page(address);
		if (get_kernel_nofault(first, *words))
			return HPKM_MEMORY_UNREADABLE;
		return HPKM_MEMORY_READ;
	case HPKM_WALK_ZEROS:
		return HPKM_MEMORY_ZEROS;
	case HPKM_WALK_NONE:
		if (area->zeros)
			return HPKM_MEMORY_ZEROS;
		break;
	case HPKM_WALK_GUARD:
		return HPKM_MEMORY_GUARD;
	case HPKM_WALK_ABSENT:
		break;
	}
	return HPKM_MEMORY_ABSENT;
}

/**
 * hpkm_memory_read() - a few bytes
 * @memory: how they are read
 * @address: user address; may cross into the next page
 * @to: gets the bytes
 * @size: how many
 *
 * Context: as @memory says.
 * Return: false when they can't be read now.
 */
bool hpkm_memory_read(const struct hpkm_memory *memory, unsigned long address,
		      void *to, size_t size)
{
	struct mm_struct *mm = memory->target->mm;

	if (memory->stopped)
		return hpkm_walk_read(mm, address, to, size);
	while (size) {
		size_t part = min_t(size_t, size,
				    PAGE_SIZE - offset_in_page(address));

		if (!peek(mm, address, to, part))
			return false;
		address += part;
		to += part;
		size -= part;
	}
	return true;
}
