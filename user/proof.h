/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between stages 2 and 3: the comparison of a function of an old object with
 * the code at one address of the anchor.
 */
#ifndef HPKM_PROOF_H
#define HPKM_PROOF_H

#include "patch.h"

/* Where the anchor has something that the code refers to. */
struct hpkm_evidence {
	struct hpkm_item *item;
	uint64_t addr;
};

/* The comparison of one function at one address. */
struct hpkm_proof {
	struct hpkm_patch *patch;
	const struct hpkm_anchor *anchor;
	struct hpkm_object *object;
	struct hpkm_item *item;
	uint64_t addr, size;
	const struct hpkm_code *o_code;
	struct hpkm_code t_code;
	const uint8_t *o_bytes, *t_bytes;	/* section, function */
	/* Parallel: the instructions that are no padding. */
	uint32_t *o_list, *t_list;
	size_t list_count;
	struct hpkm_evidence *found;
	size_t found_count;
	bool damaged;
	const char *why;
	char details[1024];
};

/*
 * patch, item, addr and size are set.  Returns whether it is the same code; if
 * not, why and details say where it differs.  p->damaged: so is the file.
 */
bool hpkm_proof_run(struct hpkm_proof *p);
/* It is this one: sets where the item, and what it refers to, is. */
void hpkm_proof_accept(struct hpkm_proof *p);

#endif /* HPKM_PROOF_H */
