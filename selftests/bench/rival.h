/* SPDX-License-Identifier: GPL-2.0 */
/* The least that a patcher built on ptrace has to do. */
#ifndef RIVAL_H
#define RIVAL_H

#include <stdint.h>

#include "subject.h"

/*
 * Seize and interrupt every thread of every process, wait until all stand
 * still, read their registers, write a jump at each function, let all go.
 * Returns the time from the first interrupt to the last detach, ns, and with
 * it @whole, that of the whole from the first seize.
 */
uint64_t rival_patch(struct subject *subject, uint64_t *whole);

/* What the functions had before, written behind the target's back. */
void rival_undo(struct subject *subject);

#endif /* RIVAL_H */
