/* SPDX-License-Identifier: GPL-2.0 */
/* What each architecture answers.  One file of this directory a machine. */
#ifndef _HPKM_ARCH_H
#define _HPKM_ARCH_H

#include <linux/sched.h>

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
 * The user-mode registers of a thread that is off its CPU or in the stopper;
 * @sp gets where its stack words begin.
 */
unsigned long hpkm_arch_user_ip(struct task_struct *task);
unsigned long hpkm_arch_user_sp(struct task_struct *task);

/* The other registers of such a thread that may hold addresses. */
const unsigned long *hpkm_arch_user_registers(struct task_struct *task,
					      unsigned int *count);

/*
 * Is @code, the HPKM_ARCH_CALL_SIZE bytes before the return address @back, an
 * instruction that calls @func by its address?
 */
#define HPKM_ARCH_CALL_SIZE	5
bool hpkm_arch_calls(const u8 *code, unsigned long back, unsigned long func);

/*
 * A signal frame holds the alternate stack that was set (a stack_t).  From its
 * ss_sp, so many bytes further on stand its ss_size and the stack pointer of
 * the code that was interrupted.
 */
void hpkm_arch_signal_frame(unsigned long *ss_size, unsigned long *sp);

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

#endif /* _HPKM_ARCH_H */
