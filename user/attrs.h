/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 5: the attributes of a message become the fields of a struct. */
#ifndef HPKM_ATTRS_H
#define HPKM_ATTRS_H

#include "reply.h"

struct nlattr;

/*
 * Fills the struct at @data, which @record describes, from @length bytes of
 * attributes.  Returns 0 or a negative errno: -EBADMSG, when one is not of its
 * kind.  Attributes that the record does not have are a newer kernel's, and
 * left out.
 */
int hpkm_attrs_parse(const struct hpkm_record *record, void *data,
		     struct nlattr *attrs, int length);

#endif /* HPKM_ATTRS_H */
