/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DWARF of a relocatable file, read by libdw: line numbers and the
 * functions that static variables belong to.  For stage 2.
 */
#ifndef HPKM_DEBUGINFO_H
#define HPKM_DEBUGINFO_H

#include <elfutils/libdw.h>

#include "object.h"

/*
 * Opens what the object has, once; hpkm_debuginfo_close() ends that.  Returns
 * false when it has none that can be read.
 */
bool hpkm_debuginfo_open(struct hpkm_object *object);
void hpkm_debuginfo_close(struct hpkm_object *object);

/* For reading types; NULL when it is not open. */
Dwarf *hpkm_debuginfo_dwarf(const struct hpkm_object *object);
/* The source line of an instruction, 0 when that is not known. */
unsigned int hpkm_debuginfo_line(struct hpkm_object *object,
				 uint32_t section, uint64_t offset);
/* Sets the scope of static variables: "function:variable". */
void hpkm_debuginfo_scopes(struct hpkm_object *object);
/* What an address of the DWARF is; false: of no section. */
bool hpkm_debuginfo_place(struct hpkm_object *object, Dwarf_Addr addr,
			  uint32_t *section, uint64_t *offset);

#endif /* HPKM_DEBUGINFO_H */
