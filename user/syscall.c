// SPDX-License-Identifier: GPL-2.0
/*
 * Names of system calls (stage 11).  syscalls.inc is made from the C library's
 * headers by make-syscalls.
 */
#include <stddef.h>
#include <sys/syscall.h>

#include "syscall.h"

#define SYSCALL(name)	[SYS_##name] = #name,

static const char *const names[] = {
#include "syscalls.inc"
};

const char *hpkm_syscall_name(unsigned long number)
{
	return number < sizeof(names) / sizeof(*names) ? names[number] : NULL;
}
