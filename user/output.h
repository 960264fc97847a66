/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 4: files that are written under a name that the user gave. */
#ifndef HPKM_OUTPUT_H
#define HPKM_OUTPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Replaces a file by a new one, which gets that mode; a device or pipe is
 * written to.  Returns 0, or -1 after a message: then what was there is there.
 */
int hpkm_output_write(const char *path, const uint8_t *bytes, size_t size,
		      mode_t mode);

#endif /* HPKM_OUTPUT_H */
