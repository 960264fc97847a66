/* SPDX-License-Identifier: GPL-2.0 */
/* How long a test waits for what must come. */
#ifndef PATIENCE_H
#define PATIENCE_H

#include <stdlib.h>

/* Seconds: HPKM_PATIENCE, or a minute.  Some kernels are slow. */
static inline int patience(void)
{
	const char *text = getenv("HPKM_PATIENCE");

	return text && atoi(text) > 0 ? atoi(text) : 60;
}

#endif /* PATIENCE_H */
