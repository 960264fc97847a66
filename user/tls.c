// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: the cells that accesses to thread-local variables go
 * through.
 *
 * General dynamic access takes a pair: the number of the object's module, and
 * the variable's offset in that module's block; local dynamic, one whose
 * offset is 0.  Initial exec takes the distance from the thread pointer.  All
 * are filled by the dynamic linker.  A slot whose relocation names no symbol
 * belongs to the object itself, so from any of those another is made: the
 * module is the same, and distances differ by what the offsets do.  The
 * argument of a descriptor is known to the dynamic linker only.
 */
#include <string.h>

#include "tls.h"

/* The second word of a pair without a name, as the linker left it. */
static bool pair_offset(const struct hpkm_anchor *a,
			const struct hpkm_anchor_slot *slot, uint64_t *offset)
{
	const uint8_t *bytes = hpkm_anchor_bytes(a, slot->addr + 8, 8);

	if (!bytes || hpkm_anchor_slot_at(a, slot->addr + 8))
		return false;
	*offset = hpkm_get64(bytes);
	return true;
}

bool hpkm_tls_offset(const struct hpkm_anchor *a, uint64_t addr,
		     uint64_t *offset)
{
	const struct hpkm_anchor_slot *slot = hpkm_anchor_slot_at(a, addr);

	if (!slot || *slot->name)
		return false;
	if (slot->type == a->arch->type_dtpmod64)
		return pair_offset(a, slot, offset);
	*offset = slot->value;
	return slot->type == a->arch->type_tpoff64 ||
		slot->type == a->arch->type_tlsdesc;
}

static uint32_t slot_type(const struct hpkm_arch *arch, enum hpkm_rel rel)
{
	return rel == HPKM_REL_GOT_TPOFF ? arch->type_tpoff64 :
		rel == HPKM_REL_TLSDESC ? arch->type_tlsdesc :
		arch->type_dtpmod64;
}

bool hpkm_tls_find(const struct hpkm_anchor *a, enum hpkm_rel rel,
		   const char *name, bool own, uint64_t offset,
		   struct hpkm_tls_cell *cell)
{
	uint32_t type = slot_type(a->arch, rel);
	const struct hpkm_anchor_slot *slot;
	uint64_t there;

	memset(cell, 0, sizeof(*cell));
	if (rel == HPKM_REL_TLSLD)
		offset = 0;
	else if ((slot = hpkm_anchor_slot(a, name, type)))
		cell->slot = slot->addr;
	for (size_t i = 0; own && !cell->slot && i < a->slot_count; i++) {
		slot = &a->slots[i];
		if (slot->type != type || *slot->name ||
		    !hpkm_tls_offset(a, slot->addr, &there))
			continue;
		if (there == offset)
			cell->slot = slot->addr;
		cell->copy = slot->addr;
		/* Of a pair, the module's number is copied. */
		cell->add = rel == HPKM_REL_GOT_TPOFF ? offset - there : 0;
	}
	return cell->slot || (cell->copy && rel != HPKM_REL_TLSDESC);
}
