/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 1, at its end: the objects of both builds, side by side. */
#ifndef HPKM_PAIRING_H
#define HPKM_PAIRING_H

#include "build.h"
#include "members.h"

/*
 * Adds to the build's pairs what differs between @old and @new, the objects
 * that one target was linked from, and the others to its rest; refuses objects
 * of -flto.  @original: the tree as it was given.  Returns 0, or -1 after a
 * message.
 */
int hpkm_pairing(struct hpkm_build *build, size_t target,
		 const struct hpkm_members *old,
		 const struct hpkm_members *new, const char *original);

#endif /* HPKM_PAIRING_H */
