// SPDX-License-Identifier: GPL-2.0
/*
 * cycle PID IMAGE NAME COUNT: apply and revert, so many times, and load the
 * image anew each time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "genl.h"
#include "patience.h"

static int transition(struct genl *genl, int command, const char *name,
		      int pid, int want)
{
	struct message m;
	int ret, status = -1;

	message_begin(&m, command);
	message_text(&m, HPKM_A_PATCH_NAME, name);
	message_target(&m, pid, 0);
	message_u32(&m, HPKM_A_WAIT, patience() * 1000);
	ret = genl_ask(genl, &m, 0);
	if (!ret)
		ret = genl_outcome(genl, &status);
	if (status == want)
		return 0;
	printf("command %d: status %d, %d, %s\n", command, ret, status,
	       genl->words);
	return 1;
}

int main(int argc, char **argv)
{
	struct genl genl;
	size_t size;
	void *image;
	int pid;

	if (argc != 5)
		return 2;
	pid = atoi(argv[1]);
	image = read_whole(argv[2], &size);
	if (!image)
		return 2;
	for (int i = atoi(argv[4]); i--;) {
		if (!genl_open(&genl) || genl_load(&genl, image, size) ||
		    transition(&genl, HPKM_CMD_APPLY, argv[3], pid,
			       HPKM_STATUS_APPLIED) ||
		    transition(&genl, HPKM_CMD_REVERT, argv[3], pid,
			       HPKM_STATUS_REVERTED))
			return 1;
		genl_close(&genl);
	}
	return 0;
}
