/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call frame information of the files that a process runs (stage 10): for an
 * address of its code, how to get from a frame to its caller's.
 */
#ifndef HPKM_CFI_H
#define HPKM_CFI_H

#include <elfutils/libdw.h>
#include <stdint.h>

#include "memory.h"

struct hpkm_cfi;

/*
 * Open what process PID maps to run now, through /proc/PID/map_files: that
 * is the very file, be it deleted, replaced, or of another mount namespace.
 * Nothing is parsed yet.  Return: NULL with errno set.
 */
struct hpkm_cfi *hpkm_cfi_open(uint32_t pid);
void hpkm_cfi_close(struct hpkm_cfi *cfi);

/*
 * The row for one address; "memory" is for code that is in no file, the vDSO.
 * Return: to be freed with free(); NULL when the address is not covered.
 */
Dwarf_Frame *hpkm_cfi_find(struct hpkm_cfi *cfi, struct hpkm_memory *memory,
			   uint64_t address);

/* The name of what is mapped there; "" when nothing with a name is. */
const char *hpkm_cfi_name(const struct hpkm_cfi *cfi, uint64_t address);

#endif /* HPKM_CFI_H */
