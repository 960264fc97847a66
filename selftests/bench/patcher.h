/* SPDX-License-Identifier: GPL-2.0 */
/* hpkm, asked directly: a program of the bench is a client like hpkm-apply. */
#ifndef PATCHER_H
#define PATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../genl.h"

#define PATCHER_NAME	"bench-0000"

struct patcher {
	struct genl genl;
	char *image;
	size_t size;
};

/* One transition, from the request to the outcome. */
struct patcher_figures {
	uint64_t pause_ns;	/* as the module says */
	uint64_t scanned;	/* words of stacks, inside the stop */
	uint64_t time_ns;	/* of the request, with the upload for an apply */
	uint32_t attempts;
	uint32_t targets;
};

/* @image: a file that make-target made. */
void patcher_open(struct patcher *patcher, const char *image);
void patcher_close(struct patcher *patcher);

/*
 * Load patch number @number, and apply it to @pid, or to all processes if that
 * is 0; revert it.  What is not applied or reverted ends the program.
 */
void patcher_apply(struct patcher *patcher, int number, uint32_t pid,
		   struct patcher_figures *figures);
void patcher_revert(struct patcher *patcher, int number, uint32_t pid,
		    struct patcher_figures *figures);

/* An empty stop of the machine: ns that the kernel measured. */
uint64_t patcher_floor(void);

#endif /* PATCHER_H */
