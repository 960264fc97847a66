/* SPDX-License-Identifier: GPL-2.0 */
/* Between stages 2 and 3, of a proof: where the fields of both codes lead. */
#ifndef HPKM_PROOF_REF_H
#define HPKM_PROOF_REF_H

#include "proof.h"

/*
 * Does what was matched lead to what a relocation of the item's section names?
 * The instructions of both are in @p's lists by then.  May set p->damaged, and
 * notes in p->found where something is.
 */
bool hpkm_proof_ref(struct hpkm_proof *p, size_t reloc,
		    const struct hpkm_match *m);
/* Without a relocation: to the function itself, or another of its section. */
bool hpkm_proof_near(struct hpkm_proof *p, const struct hpkm_insn *o,
		     const struct hpkm_insn *t);

#endif /* HPKM_PROOF_REF_H */
