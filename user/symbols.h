/* SPDX-License-Identifier: GPL-2.0 */
/* Where the symbol table of a stripped anchor is.  Before stage 2. */
#ifndef HPKM_SYMBOLS_H
#define HPKM_SYMBOLS_H

#include "anchor.h"

/*
 * Fill in anchor->debug unless the anchor has a symbol table itself.
 * @path: the file that has it; or NULL: then, in this order, the debug file
 * that is installed for its build-id, the one that .gnu_debuglink names, what
 * debuginfod servers have (DEBUGINFOD_URLS), and its own .gnu_debugdata.
 * Return: 0, or -1 after a message.
 */
int hpkm_symbols_find(struct hpkm_anchor *anchor, const char *path);

#endif /* HPKM_SYMBOLS_H */
