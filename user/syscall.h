/* SPDX-License-Identifier: GPL-2.0 */
/* Names of system calls (stage 11). */
#ifndef HPKM_SYSCALL_H
#define HPKM_SYSCALL_H

/* NULL for one that was not known when this was built. */
const char *hpkm_syscall_name(unsigned long number);

#endif /* HPKM_SYSCALL_H */
