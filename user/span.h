/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 3, link: where a patch stands in a process. */
#ifndef HPKM_SPAN_H
#define HPKM_SPAN_H

#include "link.h"

/*
 * Numbers the anchors that have pieces and chooses their spans' distances.
 * Returns 0, or -1 after a message.
 */
int hpkm_span_place(struct hpkm_link *link);

/* Where a span starts for ld. */
static inline uint64_t hpkm_span_start(const struct hpkm_link_span *span)
{
	return span->base + span->distance;
}

static inline uint64_t hpkm_span_align(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

#endif /* HPKM_SPAN_H */
