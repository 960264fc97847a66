/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Thread-local variables: what the anchor has that an access to one can go by
 * (psABI, "ELF Handling For Thread-Local Storage").
 */
#ifndef HPKM_TLS_H
#define HPKM_TLS_H

#include "anchor.h"

struct hpkm_tls_cell {
	uint64_t slot;		/* a slot or pair that is right as it is; or 0 */
	uint64_t copy;		/* else one to be copied, ... */
	uint64_t add;		/* ... and what is to be added to it */
};

/*
 * For the models that go through cells: HPKM_REL_TLSGD, TLSLD, TLSDESC and
 * GOT_TPOFF.  @own: the variable is the anchor's, at @offset of its block.
 */
bool hpkm_tls_find(const struct hpkm_anchor *anchor, enum hpkm_rel rel,
		   const char *name, bool own, uint64_t offset,
		   struct hpkm_tls_cell *cell);
/* The offset in the anchor's own block that a nameless slot stands for. */
bool hpkm_tls_offset(const struct hpkm_anchor *anchor, uint64_t slot,
		     uint64_t *offset);

#endif /* HPKM_TLS_H */
