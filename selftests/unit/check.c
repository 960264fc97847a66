// SPDX-License-Identifier: GPL-2.0
/* What tests of messages do: TAP, captured output, talks that are fed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "messages.h"

static int tests, failures;

void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

void same(const char *got, const char *want, const char *name)
{
	ok(!strcmp(got, want), name);
	if (strcmp(got, want))
		printf("# got:\n%s\n# want:\n%s\n", got, want);
}

int finish(void)
{
	printf("1..%d\n", tests);
	return failures != 0;
}

static FILE *real_stdout;
static char *captured;
static size_t captured_size;

void capture_start(void)
{
	real_stdout = stdout;
	stdout = open_memstream(&captured, &captured_size);
}

char *capture_end(void)
{
	fclose(stdout);
	stdout = real_stdout;
	return captured;
}

const char *seeds;

static void keep_seed(const struct nlmsghdr *header)
{
	static int number;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%d", seeds,
		 program_invocation_short_name, number++);
	file = fopen(path, "w");
	if (!file)
		return;
	fwrite(header, header->nlmsg_len, 1, file);
	fclose(file);
}

int feed(struct hpkm_talk *talk, struct nl_msg *message)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	int error;

	if (seeds)
		keep_seed(header);
	talk->family = FAMILY;
	talk->seq = SEQ;
	error = hpkm_talk_input(talk, header, header->nlmsg_len);
	nlmsg_free(message);
	return error;
}
