/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the tools shares: exit statuses, messages, commands.
 */
#ifndef HPKM_H
#define HPKM_H

#include <stdbool.h>
#include <stddef.h>

/* The exit statuses that scripts rely on; 4 is left unused. */
enum hpkm_exit {
	HPKM_EXIT_OK		= 0,	/* done, or already in the wanted state */
	HPKM_EXIT_ERROR		= 1,
	HPKM_EXIT_USAGE		= 2,
	HPKM_EXIT_NOTHING	= 3,	/* no matching process, no function changed */
	HPKM_EXIT_REFUSED	= 5,	/* not patchable, or not this build */
	HPKM_EXIT_BUSY		= 6,	/* not safe within --wait; nothing changed */
};

/*
 * A command takes its own name in argv[0] ("hpkm-apply") and returns an
 * enum hpkm_exit.
 */
int cmd_apply(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_revert(int argc, char **argv);

/* message.c: diagnostics on standard error, each line led by the tool's name. */
void hpkm_message_name(const char *tool);
void hpkm_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void hpkm_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* An indented line that belongs to the error before it. */
void hpkm_detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* HPKM_H */
