/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Standing in for compilers and linkers while a program is built (stage 1).
 *
 * A directory with the names of cc1, cc1plus, as, ld, clang and their like,
 * each a symbolic link to hpkm, comes first in PATH and in COMPILER_PATH. The
 * latter is where every GCC driver looks for the programs it runs, and clang
 * for the linker, under whatever name or path the driver itself was called.
 * Called by such a name, hpkm runs the program that would have been run, with
 * the flags added that patching needs, and writes down what it did.
 */
#ifndef HPKM_COMPILER_H
#define HPKM_COMPILER_H

#include <stdbool.h>

/* The environment of a build. */
#define HPKM_BUILD_RECORD	"HPKM_BUILD_RECORD"	/* the record's directory */
#define HPKM_BUILD_WORK		"HPKM_BUILD_WORK"	/* all stages' directory */
#define HPKM_BUILD_TREE		"HPKM_BUILD_TREE"	/* where it is built */
/* What its path is to be in names that are compiled in; unset: itself. */
#define HPKM_BUILD_NAME		"HPKM_BUILD_NAME"
/* What it is a copy of, when the build could reach that. */
#define HPKM_BUILD_SOURCE	"HPKM_BUILD_SOURCE"
/*
 * The record of the first build, whose objects may be used again by the second;
 * empty: they may not.
 */
#define HPKM_BUILD_REUSE	"HPKM_BUILD_REUSE"
/* COMPILER_PATH as the user has set it. */
#define HPKM_BUILD_COMPILER_PATH "HPKM_BUILD_COMPILER_PATH"

/* Is that the name of a program that is stood in for? */
bool hpkm_compiler_name(const char *name);
/* The same, and a build is under way. */
bool hpkm_compiler_wanted(const char *name);
/* Runs it; returns the exit status, if at all. */
int hpkm_compiler_run(const char *name, int argc, char **argv);

/*
 * Ends the process, which stands in for a compiler, when a path (absolute) lies in
 * what the tree is a copy of.  @who: the message's beginning.
 */
void hpkm_compiler_in_copy(const char *path, const char *who);

#endif /* HPKM_COMPILER_H */
