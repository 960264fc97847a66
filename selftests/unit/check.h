/* SPDX-License-Identifier: GPL-2.0 */
/* What tests of messages do: TAP, captured output, talks that are fed. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "talk.h"

struct nl_msg;

/* Where to keep each message, as a seed for nl_fuzz; NULL: nowhere. */
extern const char *seeds;

void ok(bool good, const char *name);
void same(const char *got, const char *want, const char *name);
/* Closes the TAP; the status of the program. */
int finish(void);

/* Standard output into a string, which is the caller's to free. */
void capture_start(void);
char *capture_end(void);

/* Takes a message to its end, as part of the talk FAMILY, SEQ. */
int feed(struct hpkm_talk *talk, struct nl_msg *message);

#endif /* CHECK_H */
