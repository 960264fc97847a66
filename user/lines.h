/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 2, diff: functions in which only line numbers differ. */
#ifndef HPKM_LINES_H
#define HPKM_LINES_H

#include "object.h"

/*
 * Of two functions that are not the same: do they differ in nothing but the
 * line numbers that they hand to assertions and loggers?
 */
bool hpkm_lines_only(struct hpkm_item *old, struct hpkm_item *new,
		     bool *damaged);

#endif /* HPKM_LINES_H */
