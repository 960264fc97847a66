// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table walk for the stop: the kernel's own walkers take locks that a
 * thread which was stopped may hold, and none of them is exported.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>

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

	if (pgd_none(*pgd))
		return HPKM_WALK_ZEROS;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d))
		return HPKM_WALK_ZEROS;
	pud = pud_offset(p4d, address);
	if (pud_none(*pud))
		return HPKM_WALK_ZEROS;
	if (!pud_present(*pud))
		return HPKM_WALK_ABSENT;
	if (pud_leaf(*pud))
		return found(pud_pfn(*pud) +
			     ((address & ~PUD_MASK) >> PAGE_SHIFT), page);
	pmd = pmd_offset(pud, address);
	if (pmd_none(*pmd))
		return HPKM_WALK_ZEROS;
	if (!pmd_present(*pmd))
		return HPKM_WALK_ABSENT;
	if (pmd_leaf(*pmd))
		return found(pmd_pfn(*pmd) +
			     ((address & ~PMD_MASK) >> PAGE_SHIFT), page);
	pte = ptep_get(pte_offset_kernel(pmd, address));
	if (pte_none(pte))
		return HPKM_WALK_ZEROS;
	if (!pte_present(pte))
		return HPKM_WALK_ABSENT;
	return found(pte_pfn(pte), page);
}
