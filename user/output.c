// SPDX-License-Identifier: GPL-2.0
/* Stage 4: files that are written under a name that the user gave. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hpkm.h"
#include "output.h"

/* A device or pipe that is named is written to, and stays what it is. */
static int write_special(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *f = fopen(path, "we");
	bool failed = !f || fwrite(bytes, 1, size, f) != size || fflush(f);

	if (failed)
		hpkm_error("cannot write %s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	return failed ? -1 : 0;
}

int hpkm_output_write(const char *path, const uint8_t *bytes, size_t size,
		      mode_t mode)
{
	char *temporary = NULL;
	struct stat st;
	int fd = -1;
	FILE *f;

	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return write_special(path, bytes, size);
	/* Never half of it under the name that was asked for. */
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -1;
	fd = mkstemp(temporary);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f || fwrite(bytes, 1, size, f) != size ||
	    fchmod(fd, mode) || fflush(f) || rename(temporary, path)) {
		hpkm_error("cannot write %s: %s", path, strerror(errno));
		if (fd >= 0)
			unlink(temporary);
		if (f)
			fclose(f);
		else if (fd >= 0)
			close(fd);
		free(temporary);
		return -1;
	}
	fclose(f);
	free(temporary);
	return 0;
}
