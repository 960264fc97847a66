// SPDX-License-Identifier: GPL-2.0
/*
 * rsync's daemon protocol as far as the list of modules: a connection, and so a
 * process, for each request.  The argument is a line to send first.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"

static enum load_result rsync_step(struct load_conn *c)
{
	static const char hello[] = "@RSYNCD: 31.0 md5\n#list\n";
	char line[256];

	load_connect(c);
	if (*load_argument &&
	    (!load_send(c, load_argument, strlen(load_argument)) ||
	     !load_send(c, "\r\n", 2)))
		return LOAD_LOST;
	if (!load_line(c, line, sizeof(line)))
		return LOAD_LOST;
	if (strncmp(line, "@RSYNCD: 3", 10))
		return load_complain(c, "'%s' for a greeting", line);
	if (!load_send(c, hello, sizeof(hello) - 1) ||
	    !load_line(c, line, sizeof(line)))
		return LOAD_LOST;
	if (strncmp(line, "files ", 6))
		return load_complain(c, "'%s' for a list", line);
	if (!load_line(c, line, sizeof(line)))
		return LOAD_LOST;
	return strcmp(line, "@RSYNCD: EXIT") ?
		load_complain(c, "'%s' for an end", line) : LOAD_RIGHT;
}

const struct load_protocol load_rsync = {
	.name = "rsync",
	.step = rsync_step,
};
