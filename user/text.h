/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Strings of others, made fit to be shown (stage 11).  The name of a process
 * is chosen by the process: it can hold any bytes, such as those that steer
 * a terminal.
 */
#ifndef HPKM_TEXT_H
#define HPKM_TEXT_H

#include <stddef.h>

/* The room that a string of so many bytes can need at most. */
#define HPKM_PRINTABLE(size)	(4 * (size))

/*
 * For a terminal: control characters and bytes that are no UTF-8 as \xNN.
 * Return: "to".
 */
char *hpkm_text_printable(char *to, size_t size, const char *from);

/*
 * For JSON: what is no UTF-8 becomes U+FFFD.  Return: an allocated string,
 * or NULL when memory is short.
 */
char *hpkm_text_utf8(const char *from);

#endif /* HPKM_TEXT_H */
