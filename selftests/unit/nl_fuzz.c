// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer over datagrams of the kernel: parsed as every kind of reply, then
 * shown as text and as JSON.  Build it with clang -fsanitize=fuzzer, linked
 * like report_test.c.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/hpkm.h>

#include "failure.h"
#include "report.h"
#include "request.h"
#include "talk.h"

#define FAMILY	0x1c
#define SEQ	77

static void on_notice(struct hpkm_notice *notice, void *data)
{
	hpkm_report_notice(true, notice);
	hpkm_report_notice(false, notice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nlmsghdr request = { .nlmsg_len = NLMSG_HDRLEN };
	struct hpkm_loaded patch = { 0 };
	struct hpkm_outcome outcome = { 0 };
	struct hpkm_list patches = { 0 }, targets = { 0 }, doubts = { 0 };
	struct hpkm_failure failure = { 0 };
	struct hpkm_request options = { 0 };
	struct hpkm_talk talk = {
		.family = FAMILY,
		.seq = SEQ,
		.request = &request,
		.patch = &patch,
		.outcome = &outcome,
		.patches = &patches,
		.targets = &targets,
		.doubts = &doubts,
		.notice = on_notice,
	};
	void *copy = malloc(size);

	if (!stdout || fileno(stdout) == STDOUT_FILENO)
		stdout = fopen("/dev/null", "w");
	if (size && !copy)
		abort();
	memcpy(copy, data, size);
	hpkm_talk_input(&talk, copy, size);
	free(copy);
	hpkm_patched_sort(&targets);
	for (int json = 0; json < 2; json++) {
		options.json = json;
		hpkm_report_outcome(&options, &outcome, &failure);
		hpkm_report_list(json, &patches, &targets, targets.count,
				 &failure);
	}
	hpkm_reply_clear(&hpkm_loaded_record, &patch);
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
	hpkm_list_clear(&patches, &hpkm_loaded_record);
	hpkm_list_clear(&targets, &hpkm_patched_record);
	hpkm_list_clear(&doubts, &hpkm_doubt_record);
	return 0;
}
