/* SPDX-License-Identifier: GPL-2.0 */
/*
 * After stage 2: types that the running process has data of must not change
 * their layout.
 */
#ifndef HPKM_LAYOUT_H
#define HPKM_LAYOUT_H

#include "patch.h"

/*
 * Compares the types that the objects of each changed pair describe.  What
 * differs is refused, naming type and member, but for the types whose names
 * are in @allowed.
 */
void hpkm_layout_check(struct hpkm_patch *patch, const char *const *allowed,
		       size_t allowed_count);

#endif /* HPKM_LAYOUT_H */
