/* SPDX-License-Identifier: GPL-2.0 */
/* Work on what somebody hostile may have written (stage 10). */
#ifndef HPKM_CONFINE_H
#define HPKM_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hpkm_confined {
	/* Opens what is needed; false: there is nothing to work on. */
	bool (*open)(void *data);
	/* Without privileges; writes the answer to "out". */
	void (*work)(void *data, int out);
	void *data;
};

/*
 * Both run in a child, which has lost all privileges and its other descriptors
 * before work() begins, and is killed when it takes too long.
 * Return: bytes of the answer that came, be they fewer than "size"; or a
 * negative errno.
 */
ssize_t hpkm_confine(const struct hpkm_confined *work, void *answer,
		     size_t size, int timeout_ms);

#endif /* HPKM_CONFINE_H */
