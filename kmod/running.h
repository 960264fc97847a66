/* SPDX-License-Identifier: GPL-2.0 */
/* The requests that run, in kernel workers. */
#ifndef _HPKM_RUNNING_H
#define _HPKM_RUNNING_H

#include "request.h"

/* How long the first sleep between two attempts is. */
#define HPKM_BACKOFF_MIN_MS	1

int hpkm_running_queue(struct hpkm_request *request);
void hpkm_running_cancel(u32 portid);
int hpkm_running_answer(u32 portid, u32 seq, const struct hpkm_stale *stale,
			u32 count);
void hpkm_running_take_answers(struct hpkm_request *request);
bool hpkm_running_back_off(struct hpkm_request *request, unsigned long deadline,
			   unsigned int *delay_ms);
void hpkm_running_end(struct hpkm_request *request);

int hpkm_running_init(void);
void hpkm_running_exit(void);

#endif /* _HPKM_RUNNING_H */
