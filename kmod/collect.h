/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 7 for one request: which processes it is about. */
#ifndef _HPKM_COLLECT_H
#define _HPKM_COLLECT_H

#include "request.h"

int hpkm_collect_wanted(struct hpkm_request *request);
int hpkm_collect_all(struct hpkm_request *request);
void hpkm_transition_free_doubts(struct hpkm_transition *t);
void hpkm_transition_free(struct hpkm_transition *t);

#endif /* _HPKM_COLLECT_H */
