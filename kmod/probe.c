// SPDX-License-Identifier: GPL-2.0
/*
 * What probes of the kernel's hide of where a thread stands (stage 10).
 *
 * A return probe puts an address of its own on the stack in place of the real
 * one, which it keeps in a list of the thread's; a thread that steps over a
 * probed instruction does so elsewhere.
 *
 * The list is the thread's alone: it changes it in the kernel, on the way from
 * a breakpoint, or from the system call by which a probed function returns.
 * There it may have been preempted, and the list is not what it should be:
 *
 *	it has changed its stack, but has not put the real address into the list:
 *	then its stack pointer is at the probes' address, and no entry says so;
 *	it has taken the real address from the list, and not written it to the
 *	stack: then its instruction pointer is in the probes' mapping;
 *	before 6.14, it has freed entries at the head of the list, which still
 *	leads there.
 *
 * None of that can be while it is in another system call.
 */
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uprobes.h>

#include "arch/arch.h"
#include "compat.h"
#include "probe.h"

#ifdef CONFIG_UPROBES
/* In the mapping where return probes lead, and probed instructions are run? */
static bool is_probes_own(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = find_vma(mm, address);

	return vma && vma->vm_start <= address && !vma->vm_file &&
	       vma->vm_flags & VM_EXEC && vma->vm_ops && vma->vm_ops->name &&
	       !strcmp(vma->vm_ops->name(vma), "[uprobes]");
}

/* Is the list of a thread that is not in a system call as it should be? */
static bool is_settled(const struct hpkm_memory *memory,
		       const struct pt_regs *regs,
		       const struct return_instance *first)
{
	struct pt_regs *r = (struct pt_regs *)regs;
	struct mm_struct *mm = memory->target->mm;
	unsigned long sp = user_stack_pointer(r);
	struct return_instance top;
	u64 word;

	if (is_probes_own(mm, instruction_pointer(r)) ||
	    (first && !hpkm_returns_in_order()))
		return false;
	/* If it can't be read now, the same is found of the stack. */
	if (!hpkm_memory_read(memory, sp, &word, sizeof(word)) ||
	    !is_probes_own(mm, word))
		return true;
	return first && !copy_from_kernel_nofault(&top, first, sizeof(top)) &&
	       top.stack == sp;
}

/**
 * hpkm_probe_read() - what the probes of a thread hide
 * @memory: the thread's
 * @thread: hpkm_is_probed()
 * @regs: its user-mode registers
 * @probed: gets what they hide
 *
 * Context: Inside the stop.
 * Return: false when that can't be told now.
 */
bool hpkm_probe_read(const struct hpkm_memory *memory,
		     const struct task_struct *thread,
		     const struct pt_regs *regs, struct hpkm_probed *probed)
{
	const struct uprobe_task *task = thread->utask;
	const struct return_instance *next = task->return_instances;
	struct return_instance entry;

	probed->stepping = task->active_uprobe;
	probed->ip = probed->stepping ? task->vaddr : 0;
	probed->count = 0;
	if (!hpkm_arch_in_syscall(regs) && !is_settled(memory, regs, next))
		return false;
	for (; next; next = entry.next) {
		if (probed->count == HPKM_PROBED_MAX ||
		    copy_from_kernel_nofault(&entry, next, sizeof(entry)))
			return false;
		probed->back[probed->count++] = entry.orig_ret_vaddr;
	}
	return probed->count == task->depth;
}
#else
bool hpkm_probe_read(const struct hpkm_memory *memory,
		     const struct task_struct *thread,
		     const struct pt_regs *regs, struct hpkm_probed *probed)
{
	memset(probed, 0, sizeof(*probed));
	return true;
}
#endif
