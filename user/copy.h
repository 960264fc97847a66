/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HPKM_COPY_H
#define HPKM_COPY_H

/*
 * Copies all of a file.  Both are closed in any case, so they may be what
 * open() has returned, -1 included.  Returns 0, or -1 with errno set.
 */
int hpkm_copy(int from, int to);

#endif /* HPKM_COPY_H */
