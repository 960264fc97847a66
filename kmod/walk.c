// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table walk for the stop: the kernel's own walkers take locks that a
 * thread which was stopped may hold, and none of them is exported.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "walk.h"

/* Page tables and page contents are reached through the linear mapping. */
static_assert(IS_ENABLED(CONFIG_64BIT) && !IS_ENABLED(CONFIG_HIGHMEM));

static enum hpkm_walk_status found(unsigned long pfn, void **page)
{
	if (pfn == page_to_pfn(ZERO_PAGE(0)))
		return HPKM_WALK_ZEROS;
	if (!pfn_valid(pfn) || PageReserved(pfn_to_page(pfn)))
		return HPKM_WALK_ABSENT;
	*page = page_address(pfn_to_page(pfn));
	return HPKM_WALK_PRESENT;
}

/**
 * hpkm_walk() - the page that an address of a process maps now
 * @mm: the address space
 * @address: any address in the page
 * @page: gets the kernel address of the page's first byte
 *
 * Huge mappings are seen through.  Reserved pages are device memory, which
 * must not be touched.
 *
 * Context: Inside stop_machine(), @mm's mmap_lock not held for writing by
 * anybody: with every CPU stopped nobody frees or changes a table.
 * Return: What is there; *@page is set for HPKM_WALK_PRESENT only.
 */
enum hpkm_walk_status hpkm_walk(struct mm_struct *mm, unsigned long address,
				void **page)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;
	pte_t pte;

	/* Callers take addresses from user memory; above is the kernel. */
	if (address >= TASK_SIZE_MAX)
		return HPKM_WALK_NONE;
	if (pgd_none(*pgd))
		return HPKM_WALK_NONE;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d))
		return HPKM_WALK_NONE;
	pud = pud_offset(p4d, address);
	if (pud_none(*pud))
		return HPKM_WALK_NONE;
	if (!pud_present(*pud))
		return HPKM_WALK_ABSENT;
	if (pud_leaf(*pud))
		return found(pud_pfn(*pud) +
			     ((address & ~PUD_MASK) >> PAGE_SHIFT), page);
	pmd = pmd_offset(pud, address);
	if (pmd_none(*pmd))
		return HPKM_WALK_NONE;
	if (!pmd_present(*pmd))
		return HPKM_WALK_ABSENT;
	if (pmd_leaf(*pmd))
		return found(pmd_pfn(*pmd) +
			     ((address & ~PMD_MASK) >> PAGE_SHIFT), page);
	pte = ptep_get(pte_offset_kernel(pmd, address));
	if (pte_none(pte))
		return HPKM_WALK_NONE;
	if (!pte_present(pte))
		return hpkm_pte_is_guard(pte) ? HPKM_WALK_GUARD :
						HPKM_WALK_ABSENT;
	return found(pte_pfn(pte), page);
}

/**
 * hpkm_walk_next() - skip what has no page tables
 * @mm: the address space
 * @address: where to begin, at a page boundary
 * @end: where to end, at a page boundary
 *
 * Context: as hpkm_walk().
 * Return: The first page from @address on that may be mapped; @end if none is.
 */
unsigned long hpkm_walk_next(struct mm_struct *mm, unsigned long address,
			     unsigned long end)
{
	while (address < end) {
		pgd_t *pgd = pgd_offset(mm, address);
		p4d_t *p4d;
		pud_t *pud;

		if (pgd_none(*pgd)) {
			address = pgd_addr_end(address, end);
			continue;
		}
		p4d = p4d_offset(pgd, address);
		if (p4d_none(*p4d)) {
			address = p4d_addr_end(address, end);
			continue;
		}
		pud = pud_offset(p4d, address);
		if (pud_none(*pud)) {
			address = pud_addr_end(address, end);
			continue;
		}
		if (!pud_present(*pud) || pud_leaf(*pud) ||
		    !pmd_none(*pmd_offset(pud, address)))
			return address;
		address = pmd_addr_end(address, end);
	}
	return end;
}

/**
 * hpkm_walk_read() - a few bytes of a process
 * @mm: the address space
 * @address: user address; may cross into the next page
 * @to: gets the bytes
 * @size: how many
 *
 * Context: as hpkm_walk().  Memory that the kernel does not map (of
 * memfd_secret, say) is found out by the fault, which is harmless.
 * Return: false when it can't be read now.
 */
bool hpkm_walk_read(struct mm_struct *mm, unsigned long address, void *to,
		    size_t size)
{
	while (size) {
		size_t part = min_t(size_t, size,
				    PAGE_SIZE - offset_in_page(address));
		void *page;

		if (hpkm_walk(mm, address, &page) != HPKM_WALK_PRESENT ||
		    copy_from_kernel_nofault(to, page + offset_in_page(address),
					     part))
			return false;
		address += part;
		to += part;
		size -= part;
	}
	return true;
}
