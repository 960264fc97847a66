/* SPDX-License-Identifier: GPL-2.0 */
/* Source trees (stage 1): copied, made fit for building, removed. */
#ifndef HPKM_TREE_H
#define HPKM_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "arena.h"

/* All return 0, or -1 after a message (or when interrupted). */

/* @to must not exist.  Times, links and modes are kept. */
int hpkm_tree_copy(const char *from, const char *to, const char *log);
/*
 * What an earlier build has left in a copy is made older than any source, so
 * that it is made again; directories are made writable.
 */
int hpkm_tree_age(const char *tree);
/*
 * Build directories that CMake has configured for @source itself: their
 * makefiles would build there, so they are taken out of the copy, with a
 * warning.
 */
int hpkm_tree_unconfigure(const char *tree, const char *source);
/*
 * Files changed since @since get one and the same time: which of them was
 * patched first says nothing of which is made from which.
 */
int hpkm_tree_level(const char *tree, time_t since);
/* Is there a file of that name, anywhere, with that SHA-256? */
bool hpkm_tree_has(const char *tree, const char *name,
		   const uint8_t *digest);
/* It need not exist.  Silent. */
void hpkm_tree_remove(const char *path);

#endif /* HPKM_TREE_H */
