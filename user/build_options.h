/* SPDX-License-Identifier: GPL-2.0 */
/* What hpkm-build was asked for: its command line. */
#ifndef HPKM_BUILD_OPTIONS_H
#define HPKM_BUILD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "pack.h"

struct hpkm_options {
	/* An executable or library, as it runs: each -t. */
	struct hpkm_option_target {
		const char *path, *debug;
		const char *rebuilt;	/* where it is written, fixed */
	} *targets;
	size_t target_count;
	/* What stands behind a -t belongs to that target. */
	struct hpkm_option_object {
		const char *path;
		size_t target;
	} *objects;
	size_t object_count;
	const char *output, *keep;
	struct hpkm_pack_info info;
	bool all_functions, json;
	const char *source;
	const char **fixes;
	size_t fix_count;
	char **command;		/* NULL: the default */
	const char **layouts;	/* types that may change */
	size_t layout_count;
};

/*
 * @o is all zero.  Strings of @argv are kept.  Returns -1 to go on, else an
 * exit status: after a message, or the usage.
 */
int hpkm_build_parse(struct hpkm_arena *arena, struct hpkm_options *o,
		     int argc, char **argv);

#endif /* HPKM_BUILD_OPTIONS_H */
