/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record of a build (stage 1): what its compilers and linkers did, one
 * line of JSON for each step, in the order in which the steps ended.  Written
 * by compiler.c in the processes of the build, read by steps.c.
 */
#ifndef HPKM_RECORD_H
#define HPKM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

enum hpkm_done_kind {
	HPKM_DONE_TRANSLATE,	/* source -> assembler, by GCC's cc1 */
	HPKM_DONE_OBJECT,	/* -> object file */
	HPKM_DONE_DRIVE,	/* a command that compiles and links (clang) */
	HPKM_DONE_LINK,		/* objects -> program, library or object */
	HPKM_DONE_KINDS,
};

struct hpkm_done {
	enum hpkm_done_kind kind;
	int64_t driver;		/* process whose command it belongs to */
	const char *directory;	/* where that was called */
	const char **command;	/* its words */
	size_t command_count;
	const char *source;	/* as given; NULL: not known */
	const char *output;	/* absolute; translate: as given */
	const char *saved;	/* copy of the output, absolute, or NULL */
	/* Tells the output from other files, wherever it is moved to. */
	const char *identity;
	/* Link: what went into it, absolute.  Drive: the sources. */
	const char **inputs;
	size_t input_count;
	/* Link: copies of inputs that vanish, by index; NULL: none. */
	const char **input_saved;
	const char **input_identities;
	bool lto;
};

struct hpkm_record {
	struct hpkm_done *steps;
	size_t count;
};

/* @dir is the directory of the record.  All return 0, or -1 with errno. */
int hpkm_record_add(const char *dir, const struct hpkm_done *step);
/* Copies a file into the record; the copy's absolute path is put in @saved. */
int hpkm_record_save(struct hpkm_arena *arena, const char *dir,
		     const char *path, const char **saved);
int hpkm_record_save_bytes(struct hpkm_arena *arena, const char *dir,
			   const uint8_t *bytes, size_t size,
			   const char **saved);
/* Copies one of these to where it is to be. */
int hpkm_record_restore(const char *saved, const char *path);

/* Returns 0, or -1 after a message. */
int hpkm_record_read(struct hpkm_arena *arena, const char *dir,
		     struct hpkm_record *record);
/* How many objects have been compiled up to now: for showing progress. */
size_t hpkm_record_progress(const char *dir);

#endif /* HPKM_RECORD_H */
