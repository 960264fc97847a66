/* SPDX-License-Identifier: GPL-2.0 */
/* Stages 8 to 10 for the targets of one request. */
#ifndef _HPKM_ROUND_H
#define _HPKM_ROUND_H

#include "request.h"

bool hpkm_round_run(struct hpkm_request *request, unsigned long deadline);
void hpkm_round_give_up(struct hpkm_request *request);
void hpkm_round_take_back_hooks(struct hpkm_request *request);

#endif /* _HPKM_ROUND_H */
