// SPDX-License-Identifier: GPL-2.0
/*
 * Archives of objects (stage 1).  libelf reads them, but not the thin ones,
 * whose members are files of their own.
 */
#include <ar.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "elffile.h"
#include "hpkm.h"

static const char thin_magic[] = "!<thin>\n";

static bool is_thin(const uint8_t *bytes, size_t size)
{
	return size >= SARMAG && !memcmp(bytes, thin_magic, SARMAG);
}

bool hpkm_archive_is(const uint8_t *bytes, size_t size)
{
	return is_thin(bytes, size) ||
		(size >= SARMAG && !memcmp(bytes, ARMAG, SARMAG));
}

/* A decimal field that blanks fill up. */
static uint64_t number(const char *field, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width && field[i] >= '0' && field[i] <= '9'; i++)
		value = value * 10 + field[i] - '0';
	return value;
}

/* In the table of long names, each ends in "/\n". */
static const char *long_name(struct hpkm_arena *arena, const char *names,
			     size_t size, uint64_t at)
{
	size_t n = 0;

	if (at >= size)
		return NULL;
	while (at + n < size && names[at + n] != '\n')
		n++;
	if (n && names[at + n - 1] == '/')
		n--;
	return hpkm_arena_printf(arena, "%.*s", (int)n, names + at);
}

static const char *short_name(struct hpkm_arena *arena, const char *name)
{
	size_t n = 0;

	while (n < 16 && name[n] != '/')
		n++;
	return hpkm_arena_printf(arena, "%.*s", (int)n, name);
}

static const char *from_there(struct hpkm_arena *arena, const char *path,
			      const char *name)
{
	const char *slash = strrchr(path, '/');
	char *full, *real;

	if (*name == '/' || !slash)
		return name;
	full = hpkm_arena_printf(arena, "%.*s/%s", (int)(slash - path), path,
				 name);
	real = realpath(full, NULL);
	if (real)
		full = hpkm_arena_printf(arena, "%s", real);
	free(real);
	return full;
}

int hpkm_archive_read(struct hpkm_arena *arena, const char *path,
		      const uint8_t *bytes, size_t size,
		      struct hpkm_archive_member **members, size_t *count)
{
	bool thin = is_thin(bytes, size), table;
	const char *names = NULL, *name;
	size_t names_size = 0;
	uint64_t at = SARMAG, length, stored;

	*members = NULL;
	*count = 0;
	for (; hpkm_inside(at, sizeof(struct ar_hdr), size);
	     at += stored + (stored & 1)) {
		const struct ar_hdr *h = (const void *)(bytes + at);
		const char *field = h->ar_name;

		at += sizeof(*h);
		length = number(h->ar_size, sizeof(h->ar_size));
		/* The index of symbols; the long names. */
		table = !memcmp(field, "/ ", 2) || !memcmp(field, "// ", 3) ||
			!memcmp(field, "/SYM64/ ", 8);
		stored = thin && !table ? 0 : length;
		if (memcmp(h->ar_fmag, ARFMAG, 2) ||
		    !hpkm_inside(at, stored, size))
			goto damaged;
		if (!memcmp(field, "// ", 3)) {
			names = (const char *)bytes + at;
			names_size = length;
		}
		if (table)
			continue;
		name = *field == '/' ?
			long_name(arena, names, names_size,
				  number(field + 1, 15)) :
			short_name(arena, field);
		if (!name)
			goto damaged;
		*members = hpkm_arena_push(arena, *members, *count,
					   sizeof(**members));
		(*members)[(*count)++] = (struct hpkm_archive_member){
			.name = thin ? from_there(arena, path, name) : name,
			.data = thin ? NULL : bytes + at,
			.size = length,
		};
	}
	return 0;
damaged:
	hpkm_error("%s: damaged archive, at offset %llu", path,
		   (unsigned long long)at);
	return -1;
}
