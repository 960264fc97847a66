/* SPDX-License-Identifier: GPL-2.0 */
/* What each architecture answers.  One file of this directory a machine. */
#ifndef _HPKM_ARCH_H
#define _HPKM_ARCH_H

#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/signal_types.h>

#include "../image.h"

/* The e_machine of ELF files that this kernel runs. */
u16 hpkm_arch_machine(void);

/*
 * Bytes by which an address in a span may be away from an address in its
 * anchor, so that every PC-relative reference between them fits.
 */
unsigned long hpkm_arch_reach(void);

/* Is @func's window one that a trampoline of this machine fits exactly? */
bool hpkm_arch_window_ok(const struct hpkm_image_func *func);

/*
 * Write into @out the window with the trampoline in place: from an old
 * function at @old through the slot at @slot (user addresses).
 * Return: 0, -ERANGE when the slot is out of reach.
 */
int hpkm_arch_trampoline(const struct hpkm_image_func *func,
			 unsigned long old, unsigned long slot,
			 u8 out[HPKM_WINDOW_MAX]);

/* Can @task's kind of user code be patched?  Not that of 32-bit programs. */
bool hpkm_arch_task_ok(struct task_struct *task);

/*
 * Does the thread run 64-bit code now?  A program for which hpkm_arch_task_ok()
 * may have jumped into other code.
 */
bool hpkm_arch_is_64bit(const struct pt_regs *regs);

/*
 * Is the thread in a system call?  Not if the kernel has said that it restarts
 * none: signal handlers that return, and probes, do.
 */
bool hpkm_arch_in_syscall(const struct pt_regs *regs);

/* The registers that may hold addresses, but for instruction pointer and sp. */
const unsigned long *hpkm_arch_registers(const struct pt_regs *regs,
					 unsigned int *count);

/* The thread pointer of the TLS ABI, of a thread that is off its CPU. */
unsigned long hpkm_arch_thread_pointer(const struct task_struct *thread);

/*
 * All registers that unwinding needs, by their DWARF numbers; the last one is
 * the instruction pointer.
 */
#if defined(CONFIG_X86_64)
#define HPKM_ARCH_DWARF_REGS	17
#endif
void hpkm_arch_dwarf_regs(const struct pt_regs *regs,
			  u64 to[HPKM_ARCH_DWARF_REGS]);

/*
 * Is @code, the HPKM_ARCH_CALL_SIZE bytes before the return address @back, an
 * instruction that calls @func by its address?
 */
#define HPKM_ARCH_CALL_SIZE	5
bool hpkm_arch_calls(const u8 *code, unsigned long back, unsigned long func);

/* Is the last instruction of the HPKM_ARCH_CALL_MAX bytes at @code a call? */
#define HPKM_ARCH_CALL_MAX	7
bool hpkm_arch_ends_in_call(const u8 *code);

/*
 * Where handlers set by @action return to; 0 when none is known.  In a signal
 * frame this address stands hpkm_arch_frame_sp() bytes before the stack
 * pointer of what was interrupted.
 */
unsigned long hpkm_arch_restorer(const struct sigaction *action);
unsigned long hpkm_arch_frame_sp(void);
/* The same of its instruction pointer. */
unsigned long hpkm_arch_frame_ip(void);

/*
 * Is the thread in the system call that ends a signal handler, where the
 * kernel may have restored its stack pointer, but not what else it needs?
 */
bool hpkm_arch_in_signal_return(const struct pt_regs *regs);

/* So many bytes of the frame the handler's return has popped by then. */
#define HPKM_ARCH_FRAME_POPPED	8

/* Is the thread in a system call that makes another one? */
bool hpkm_arch_in_fork(const struct pt_regs *regs);

/*
 * Is it in vfork()?  The child uses its stack meanwhile, so C libraries take
 * the return address off it, and keep it in a register.
 */
bool hpkm_arch_in_vfork(const struct pt_regs *regs);

/*
 * Bytes by which the kernel may set a thread's instruction pointer back, to
 * restart a system call.
 */
unsigned long hpkm_arch_restart_size(void);

/*
 * After bytes of user text were written through the kernel address @at:
 * make them what every CPU can fetch.  Inside or outside the stop.
 */
void hpkm_arch_sync_text(void *at, size_t size);

/*
 * Make this CPU drop what it has fetched or decoded.  Every CPU calls it
 * inside the stop, after text was written.
 */
void hpkm_arch_sync_cpu(void);

/* Where the kernel has mapped its own object, 0 when it has not. */
unsigned long hpkm_arch_vdso(const struct mm_struct *mm);

#endif /* _HPKM_ARCH_H */
