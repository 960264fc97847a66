// SPDX-License-Identifier: GPL-2.0
/*
 * x86-64.
 *
 * Trampoline: jmp *slot(%rip), FF /4 with mod 00 r/m 101, behind the ENDBR64
 * that the function begins with, if it has one (SDM volume 2, JMP; volume 1,
 * "Control-flow Enforcement Technology").  It pushes nothing, so that the red
 * zone of the caller (psABI 3.2.2) and the shadow stack stay as they are, and
 * it reads its target with one aligned 8-byte load, so that a slot can be
 * changed by one store.
 *
 * Caches are coherent with stores, so hpkm_arch_sync_text() has nothing to do.
 * But a CPU that executes code which another one wrote must execute a
 * serializing instruction in between (SDM volume 3, "Handling Self- and
 * Cross-Modifying Code").  IRET is one; SYSRET, by which a thread that was in
 * a system call leaves, is none.
 */
#include <linux/elf.h>
#include <linux/sizes.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <asm/ptrace.h>
#include <asm/sigcontext.h>
#include <asm/sync_core.h>
#include <asm/thread_info.h>
#include <asm/ucontext.h>

#include "arch.h"

#define LANDING_PAD_SIZE	4
#define JUMP_SIZE		6

static const u8 landing_pad[LANDING_PAD_SIZE] = { 0xf3, 0x0f, 0x1e, 0xfa };

u16 hpkm_arch_machine(void)
{
	return EM_X86_64;
}

unsigned long hpkm_arch_reach(void)
{
	/* rel32 is signed; leave room for addends that lean over an edge. */
	return SZ_2G - SZ_16M;
}

static size_t pad_size(const struct hpkm_image_func *func)
{
	return memcmp(func->window, landing_pad, sizeof(landing_pad)) ?
		0 : LANDING_PAD_SIZE;
}

bool hpkm_arch_window_ok(const struct hpkm_image_func *func)
{
	return func->window_size == pad_size(func) + JUMP_SIZE;
}

int hpkm_arch_trampoline(const struct hpkm_image_func *func,
			 unsigned long old, unsigned long slot,
			 u8 out[HPKM_WINDOW_MAX])
{
	size_t pad = pad_size(func);
	s64 distance = slot - (old + pad + JUMP_SIZE);
	s32 rel32 = distance;

	if (distance != rel32)
		return -ERANGE;
	memcpy(out, landing_pad, pad);
	out[pad] = 0xff;
	out[pad + 1] = 0x25;
	memcpy(out + pad + 2, &rel32, sizeof(rel32));
	return 0;
}

bool hpkm_arch_task_ok(struct task_struct *task)
{
	return !test_tsk_thread_flag(task, TIF_ADDR32);
}

unsigned long hpkm_arch_user_ip(struct task_struct *task)
{
	return instruction_pointer(task_pt_regs(task));
}

unsigned long hpkm_arch_user_sp(struct task_struct *task)
{
	return user_stack_pointer(task_pt_regs(task));
}

/* struct pt_regs begins with the 15 general registers but rsp. */
const unsigned long *hpkm_arch_user_registers(struct task_struct *task,
					      unsigned int *count)
{
	*count = offsetof(struct pt_regs, orig_ax) / sizeof(unsigned long);
	return (const unsigned long *)task_pt_regs(task);
}

/* call rel32 */
bool hpkm_arch_calls(const u8 *code, unsigned long back, unsigned long func)
{
	s32 rel32;

	memcpy(&rel32, code + 1, sizeof(rel32));
	return code[0] == 0xe8 && back + rel32 == func;
}

void hpkm_arch_signal_frame(unsigned long *ss_size, unsigned long *sp)
{
	size_t stack = offsetof(struct ucontext, uc_stack);

	*ss_size = offsetof(stack_t, ss_size) - offsetof(stack_t, ss_sp);
	*sp = offsetof(struct ucontext, uc_mcontext) +
	      offsetof(struct sigcontext_64, sp) - stack;
}

unsigned long hpkm_arch_restart_size(void)
{
	return 2;	/* syscall, int $0x80 and sysenter alike */
}

void hpkm_arch_sync_text(void *at, size_t size)
{
}

void hpkm_arch_sync_cpu(void)
{
	sync_core();
}
