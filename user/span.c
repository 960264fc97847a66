// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 3, link: where a patch stands in a process: at a distance from each of
 * its anchors that depends on what is linked only.
 */
#include <hpkm/image.h>
#include <nettle/sha2.h>
#include <string.h>

#include "hpkm.h"
#include "span.h"

#define GRAIN		(64ULL << 10)
/* Addresses below a program are small numbers: let them not be round ones. */
#define NOT_ROUND	(11ULL << 12)
#define MMAP_MIN_ADDR	(64ULL << 10)
#define BELOW_SIZE	(1ULL << 30)
/* Above a non-PIE stands its heap, which may start 32 MiB further up. */
#define HEAP_GAP	(512ULL << 20)
/* ±2 GiB, less what an addend may lean out. */
#define REACH		((2ULL << 30) - (16ULL << 20))

/* Depends on what is linked only: the same input gives the same place. */
static uint64_t content_hash(const struct hpkm_link *link,
			     const struct hpkm_link_span *span)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, span->anchor->id_size, span->anchor->id);
	for (size_t i = 0; i < link->piece_count; i++) {
		const struct hpkm_link_piece *p = link->pieces[i];

		if (p->span != span)
			continue;
		sha256_update(&sha, strlen(p->name) + 1,
			      (const uint8_t *)p->name);
		if (p->data)
			sha256_update(&sha, p->size, p->data);
		for (size_t k = 0; k < p->reloc_count; k++) {
			const struct hpkm_link_reloc *r = &p->relocs[k];
			uint64_t words[] = { r->offset, r->type, r->value,
					     (uint64_t)r->addend };

			sha256_update(&sha, sizeof(words),
				      (const uint8_t *)words);
		}
	}
	sha256_digest(&sha, sizeof(digest), digest);
	return hpkm_get64(digest);
}

static int choose_distance(const struct hpkm_link *link,
			   struct hpkm_link_span *span)
{
	const struct hpkm_anchor *a = span->anchor;
	uint64_t object = a->end - a->base, size = 0, room, low;
	uint64_t hash = content_hash(link, span);

	for (size_t i = 0; i < link->piece_count; i++)
		if (link->pieces[i]->span == span)
			size += link->pieces[i]->size + link->pieces[i]->align;
	size = hpkm_span_align(size, GRAIN) + HPKM_LINK_KINDS * GRAIN;
	if (size > HPKM_SPAN_SIZE_MAX) {
		hpkm_error("the patch would take %llu MiB in a process, more than %u",
			   (unsigned long long)size >> 20,
			   HPKM_SPAN_SIZE_MAX >> 20);
		return -1;
	}
	if (object > REACH - BELOW_SIZE / 8) {
		hpkm_error("%s: too big to be patched: %llu MiB", a->name,
			   (unsigned long long)object >> 20);
		return -1;
	}
	if (!a->fixed) {
		room = REACH - object;
		if (room > BELOW_SIZE)
			room = BELOW_SIZE;
		/* size is far below room. */
		span->distance = -(int64_t)
			(size + hash % ((room - size) / GRAIN) * GRAIN);
		return 0;
	}
	/* The space below a non-PIE, and else above it and its heap. */
	if (a->base > MMAP_MIN_ADDR + NOT_ROUND + size) {
		room = (a->base - size - NOT_ROUND - MMAP_MIN_ADDR) / GRAIN + 1;
		low = MMAP_MIN_ADDR + hash % room * GRAIN + NOT_ROUND;
		span->distance = low - a->base;
		return 0;
	}
	low = hpkm_span_align(a->end, GRAIN) + HEAP_GAP;
	if (low + size + GRAIN > REACH) {
		hpkm_error("%s: there is no room near it for a patch",
			   a->name);
		return -1;
	}
	room = (REACH - size - low) / GRAIN;
	span->distance = low + hash % room * GRAIN - a->base;
	return 0;
}

/* The anchors with pieces are the objects of the image. */
int hpkm_span_place(struct hpkm_link *link)
{
	for (size_t i = 0; i < link->span_count; i++)
		if (link->spans[i].piece_count)
			link->spans[i].object = link->object_count++;
	for (size_t i = 0; i < link->span_count; i++)
		if (link->spans[i].piece_count &&
		    choose_distance(link, &link->spans[i]))
			return -1;
	return 0;
}
