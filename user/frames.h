/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 4: how to unwind the new functions, for debuggers. */
#ifndef HPKM_FRAMES_H
#define HPKM_FRAMES_H

#include "buffer.h"
#include "patch.h"

/*
 * The content of a .debug_frame section (DWARF 4, 6.4.1) for the new functions
 * as they were linked; empty when the objects say nothing of them.
 */
void hpkm_frames(const struct hpkm_patch *patch, struct hpkm_buffer *frames);

#endif /* HPKM_FRAMES_H */
