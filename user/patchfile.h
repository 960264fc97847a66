/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A patch object on its way to the kernel (stage 5): the open file, and
 * where in it the image lies.  What the image says is the kernel's to judge.
 */
#ifndef HPKM_PATCHFILE_H
#define HPKM_PATCHFILE_H

#include <stddef.h>
#include <stdint.h>

struct hpkm_patchfile {
	int fd;
	uint64_t offset;
	uint64_t size;
	/*
	 * As the image gives them, "" where it can't be read: for messages
	 * about a patch that the kernel did not accept.
	 */
	char name[64];
	char version[64];
};

/*
 * Return: 0, the caller closes; -1, the reason is in "why".
 */
int hpkm_patchfile_open(struct hpkm_patchfile *file, const char *path,
			char *why, size_t why_size);
/*
 * The image, if it has externs that have to be looked for; NULL when it has
 * none, or is not valid, which the kernel will say.  For free().
 */
void *hpkm_patchfile_externs(const struct hpkm_patchfile *file);
void hpkm_patchfile_close(struct hpkm_patchfile *file);

#endif /* HPKM_PATCHFILE_H */
