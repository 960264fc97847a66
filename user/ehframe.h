/* SPDX-License-Identifier: GPL-2.0 */
/* What the .eh_frame of a relocatable file says of its functions. */
#ifndef HPKM_EHFRAME_H
#define HPKM_EHFRAME_H

#include <elfutils/libdw.h>

#include "object.h"

/* An FDE (psABI, 4.2.4), and the CIE that it refers to. */
struct hpkm_eh_frame {
	Dwarf_CIE cie;
	const struct hpkm_item *item;	/* what it is about ... */
	uint64_t offset, length;	/* ... and which part of that */
	const uint8_t *instructions, *end;
};

/* Calls @visit for each one; those that can't be read are left out. */
void hpkm_eh_frames(struct hpkm_object *object,
		    void (*visit)(const struct hpkm_eh_frame *, void *),
		    void *data);

#endif /* HPKM_EHFRAME_H */
