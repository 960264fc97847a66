/* SPDX-License-Identifier: GPL-2.0 */
/* Questions of the kernel about words on stacks (stage 10). */
#ifndef HPKM_DOUBT_H
#define HPKM_DOUBT_H

#include "reply.h"

/*
 * Unwind the threads that a list of struct hpkm_doubt is about.  Words that do
 * not count are marked stale; doubts where one counts get their "why".  Takes
 * a few seconds at most, whatever the processes are like.
 */
void hpkm_doubts_settle(struct hpkm_list *doubts);

#endif /* HPKM_DOUBT_H */
