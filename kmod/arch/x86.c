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
#include <linux/mm_types.h>
#include <linux/sizes.h>
#include <linux/signal.h>
#include <asm/ptrace.h>
#include <asm/sigcontext.h>
#include <asm/sync_core.h>
#include <asm/thread_info.h>
#include <asm/ucontext.h>
#include <asm/unistd.h>

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

bool hpkm_arch_is_64bit(const struct pt_regs *regs)
{
	return user_64bit_mode((struct pt_regs *)regs);
}

/*
 * Of exceptions and interrupts orig_ax is -1; uretprobe() and uprobe(), the
 * system calls of probes, make it so before they do anything.
 */
bool hpkm_arch_in_syscall(const struct pt_regs *regs)
{
	return regs->orig_ax != -1UL;
}

/* struct pt_regs begins with the 15 general registers but rsp. */
const unsigned long *hpkm_arch_registers(const struct pt_regs *regs,
					 unsigned int *count)
{
	*count = offsetof(struct pt_regs, orig_ax) / sizeof(unsigned long);
	return (const unsigned long *)regs;
}

unsigned long hpkm_arch_thread_pointer(const struct task_struct *thread)
{
	return thread->thread.fsbase;
}

/* psABI, "DWARF Register Number Mapping" */
void hpkm_arch_dwarf_regs(const struct pt_regs *regs,
			  u64 to[HPKM_ARCH_DWARF_REGS])
{
	const u64 all[HPKM_ARCH_DWARF_REGS] = {
		regs->ax, regs->dx, regs->cx, regs->bx,
		regs->si, regs->di, regs->bp, regs->sp,
		regs->r8, regs->r9, regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15,
		regs->ip,
	};

	memcpy(to, all, sizeof(all));
}

/* call rel32 */
bool hpkm_arch_calls(const u8 *code, unsigned long back, unsigned long func)
{
	s32 rel32;

	memcpy(&rel32, code + 1, sizeof(rel32));
	return code[0] == 0xe8 && back + rel32 == func;
}

/*
 * call rel32, or FF /2 through a register, or through memory at rip + disp32,
 * register + disp8 or register + disp32, with a SIB byte or without.  That
 * other instructions may end in the same bytes makes the answer err on the safe
 * side.
 */
bool hpkm_arch_ends_in_call(const u8 *code)
{
	const u8 *end = code + HPKM_ARCH_CALL_MAX;

	return end[-5] == 0xe8 ||
	       (end[-2] == 0xff && (end[-1] & 0x38) == 0x10) ||
	       (end[-3] == 0xff && (end[-2] & 0x38) == 0x10) ||
	       (end[-4] == 0xff && (end[-3] & 0x38) == 0x10) ||
	       (end[-6] == 0xff && (end[-5] & 0x38) == 0x10) ||
	       (end[-7] == 0xff && (end[-6] & 0x38) == 0x10);
}

/* The kernel delivers no signal without SA_RESTORER. */
unsigned long hpkm_arch_restorer(const struct sigaction *action)
{
	if (!(READ_ONCE(action->sa_flags) & SA_RESTORER))
		return 0;
	return (unsigned long)READ_ONCE(action->sa_restorer);
}

/* struct rt_sigframe: the return address, then the ucontext. */
unsigned long hpkm_arch_frame_sp(void)
{
	return sizeof(u64) + offsetof(struct ucontext, uc_mcontext) +
	       offsetof(struct sigcontext_64, sp);
}

unsigned long hpkm_arch_frame_ip(void)
{
	return sizeof(u64) + offsetof(struct ucontext, uc_mcontext) +
	       offsetof(struct sigcontext_64, ip);
}

/* rt_sigreturn() sets orig_ax to -1 when it has restored the registers. */
bool hpkm_arch_in_signal_return(const struct pt_regs *regs)
{
	return regs->orig_ax == __NR_rt_sigreturn;
}

bool hpkm_arch_in_fork(const struct pt_regs *regs)
{
	return regs->orig_ax == __NR_clone || regs->orig_ax == __NR_clone3 ||
	       regs->orig_ax == __NR_fork || regs->orig_ax == __NR_vfork;
}

bool hpkm_arch_in_vfork(const struct pt_regs *regs)
{
	return regs->orig_ax == __NR_vfork;
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

unsigned long hpkm_arch_vdso(const struct mm_struct *mm)
{
	return (unsigned long)READ_ONCE(mm->context.vdso);
}
