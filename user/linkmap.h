/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The objects that a process has loaded, as its own dynamic linker knows them
 * (before stage 5).  All of it is read from the process's memory, which is
 * what that linker goes by: so it makes no difference in which namespace or
 * root the process lives, or whether its files still exist.
 */
#ifndef HPKM_LINKMAP_H
#define HPKM_LINKMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/* A line of /proc/PID/maps. */
struct hpkm_mapping {
	uint64_t start, end, offset;
	uint64_t device, inode;
	bool executable;
	const char *path;
};

/* Addresses are the process's. */
struct hpkm_linkmap_object {
	const char *name;	/* file name without directories */
	const char *soname;
	uint64_t bias;		/* address minus virtual address in the file */
	uint64_t base, end;	/* base: of the page of file offset 0 */
	uint16_t id_kind;	/* enum hpkm_id_kind */
	uint64_t id_offset;	/* from base */
	uint8_t id[64];
	size_t id_size;
	/* Tables of its dynamic section, 0 where it has none. */
	uint64_t symtab, strtab, strsz, gnu_hash, hash;
	uint64_t versym, verdef, verneed;
	uint64_t rela, relasz, jmprel, pltrelsz;
	const char **needed;
	size_t needed_count;
	bool global;		/* its symbols are for every object */
};

struct hpkm_linkmap {
	struct hpkm_arena *arena;
	uint32_t pid;
	int mem;
	struct hpkm_mapping *maps;
	size_t map_count;
	struct hpkm_linkmap_object *objects;	/* in the linker's order */
	size_t object_count;
	/* The kernel's, which is in no list; base 0 when there is none. */
	struct hpkm_linkmap_object vdso;
	char why[160];		/* when something failed */
};

/*
 * Return: 0; -ENOENT when the process has no dynamic linker; another negative
 * errno.  map->why says what is wrong.
 */
int hpkm_linkmap_read(struct hpkm_linkmap *map, struct hpkm_arena *arena,
		      uint32_t pid);
void hpkm_linkmap_close(struct hpkm_linkmap *map);

/* Return: whether all @size bytes could be read. */
bool hpkm_linkmap_get(const struct hpkm_linkmap *map, uint64_t address,
		      void *to, size_t size);
/* A string of at most 4095 bytes; "" where there is none. */
const char *hpkm_linkmap_string(const struct hpkm_linkmap *map,
				uint64_t address);

/* Is this text there, with its end? */
bool hpkm_linkmap_same(const struct hpkm_linkmap *map, uint64_t address,
		       const char *text);

bool hpkm_linkmap_is_code(const struct hpkm_linkmap *map,
			  const struct hpkm_linkmap_object *object,
			  uint64_t address);
/* The object that an address lies in, or NULL; the vdso, too. */
const struct hpkm_linkmap_object *
hpkm_linkmap_owner(const struct hpkm_linkmap *map, uint64_t address);
/*
 * The object and those that it needs, breadth first, without those that are
 * marked in @seen already (one flag for each object), which get marked.
 */
size_t hpkm_linkmap_closure(const struct hpkm_linkmap *map, size_t object,
			    bool *seen, size_t *list);

#endif /* HPKM_LINKMAP_H */
