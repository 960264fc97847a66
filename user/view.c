// SPDX-License-Identifier: GPL-2.0
/* Stage 1: the content of a file, mapped while it is looked at. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "view.h"

struct hpkm_view hpkm_view_open(const char *path)
{
	struct hpkm_view v = { 0 };
	struct stat st;
	void *p;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return v;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED)
			v = (struct hpkm_view){ p, st.st_size };
	}
	close(fd);
	return v;
}

void hpkm_view_close(struct hpkm_view *v)
{
	if (v->bytes)
		munmap(v->bytes, v->size);
}
