// SPDX-License-Identifier: GPL-2.0
/* Where the symbol table of a stripped anchor is.  Before stage 2. */
#include <dlfcn.h>
#include <libgen.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "hpkm.h"
#include "symbols.h"

#define HEX_SIZE	(2 * 64 + 1)
/* What .gnu_debugdata may need and become. */
#define UNPACK_MEMORY	(256ULL << 20)
#define UNPACKED_MAX	((size_t)256 << 20)

/* @crc: of the whole file, as .gnu_debuglink has it; NULL: not known. */
static bool belongs(const struct hpkm_anchor *a, const uint32_t *crc)
{
	const uint8_t *id;
	uint64_t addr;
	size_t size;

	if (a->id_is_digest)
		return !crc || crc32_z(0, a->debug.bytes, a->debug.size) ==
			*crc;
	id = hpkm_elf_build_id(&a->debug, &size, &addr);
	return id && size == a->id_size && !memcmp(id, a->id, size);
}

static bool take(struct hpkm_anchor *a, const char *path, const uint32_t *crc,
		 bool asked)
{
	if (hpkm_elf_open(a->arena, &a->debug, path)) {
		/* It has been said why. */
	} else if (!belongs(a, crc)) {
		hpkm_error("%s: not the debug file of %s: their %s differ",
			   path, a->elf.path,
			   a->id_is_digest ? "checksums" : "build-ids");
	} else if (a->debug.symtab.count > 1) {
		return true;
	} else if (asked) {
		hpkm_error("%s: it has no symbol table", path);
	}
	memset(&a->debug, 0, sizeof(a->debug));
	return false;
}

static bool take_if_there(struct hpkm_anchor *a, const char *path,
			  const uint32_t *crc)
{
	return !access(path, R_OK) && take(a, path, crc, false);
}

static bool build_id_hex(const struct hpkm_anchor *a, char hex[HEX_SIZE])
{
	if (a->id_is_digest || a->id_size < 2)
		return false;
	for (size_t i = 0; i < a->id_size; i++)
		snprintf(hex + 2 * i, 3, "%02x", a->id[i]);
	return true;
}

static bool by_build_id(struct hpkm_anchor *a)
{
	char hex[HEX_SIZE];

	return build_id_hex(a, hex) &&
		take_if_there(a, hpkm_arena_printf
			      (a->arena,
			       "/usr/lib/debug/.build-id/%.2s/%s.debug", hex,
			       hex + 2), NULL);
}

/* A name, NUL bytes up to a multiple of 4, the checksum. */
static bool by_link(struct hpkm_anchor *a)
{
	static const char *const forms[] = {
		"%s/%s", "%s/.debug/%s", "/usr/lib/debug%s/%s",
	};
	const struct hpkm_elf_section *link;
	char *dir, *copy;
	const char *name;
	uint32_t crc;
	size_t at;

	link = hpkm_elf_section(&a->elf, ".gnu_debuglink");
	if (!link || !link->data || !memchr(link->data, 0, link->size))
		return false;
	name = (const char *)link->data;
	at = (strlen(name) + 4) & ~(size_t)3;
	if (!*name || strchr(name, '/') || !hpkm_inside(at, 4, link->size))
		return false;
	crc = hpkm_get32(link->data + at);
	copy = realpath(a->elf.path, NULL);
	dir = dirname(hpkm_arena_printf(a->arena, "%s",
					copy ? copy : a->elf.path));
	free(copy);
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		char *path = NULL;
		bool found;

		/* The forms differ in their words only. */
		if (asprintf(&path, forms[i], dir, name) < 0)
			return false;
		found = take_if_there(a, hpkm_arena_printf(a->arena, "%s",
							   path), &crc);
		free(path);
		if (found)
			return true;
	}
	return false;
}

/*
 * debuginfod's library is looked for when servers are configured, and is not
 * needed otherwise.
 */
static bool by_server(struct hpkm_anchor *a)
{
	int (*find)(void *client, const unsigned char *id, int size,
		    char **path);
	const char *urls = getenv("DEBUGINFOD_URLS");
	void *(*begin)(void), (*end)(void *client);
	void *library, *client;
	bool found = false;
	char *path = NULL;
	int fd;

	if (a->id_is_digest || !urls || !*urls)
		return false;
	library = dlopen("libdebuginfod.so.1", RTLD_NOW);
	if (!library) {
		hpkm_warn("DEBUGINFOD_URLS is set, but libdebuginfod.so.1 is not installed");
		return false;
	}
	begin = (void *(*)(void))dlsym(library, "debuginfod_begin");
	end = (void (*)(void *))dlsym(library, "debuginfod_end");
	find = (int (*)(void *, const unsigned char *, int, char **))
		dlsym(library, "debuginfod_find_debuginfo");
	client = begin && end && find ? begin() : NULL;
	if (client) {
		fd = find(client, a->id, a->id_size, &path);
		if (fd >= 0) {
			found = take(a, hpkm_arena_printf(a->arena, "%s",
							  path), NULL, false);
			close(fd);
		}
		free(path);
		end(client);
	}
	dlclose(library);
	return found;
}

/* An ELF file with a small symbol table, packed by xz, in a section. */
static bool from_itself(struct hpkm_anchor *a)
{
	const struct hpkm_elf_section *s;
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t room, size = 0;
	uint8_t *bytes = NULL;
	lzma_ret ret;
	bool good;

	s = hpkm_elf_section(&a->elf, ".gnu_debugdata");
	if (!s || !s->data)
		return false;
	ret = lzma_stream_decoder(&stream, UNPACK_MEMORY, 0);
	stream.next_in = s->data;
	stream.avail_in = s->size;
	for (room = 1 << 20; ret == LZMA_OK && room <= UNPACKED_MAX;
	     room *= 2) {
		uint8_t *more = realloc(bytes, room);

		if (!more)
			break;
		bytes = more;
		stream.next_out = bytes + size;
		stream.avail_out = room - size;
		ret = lzma_code(&stream, LZMA_FINISH);
		size = room - stream.avail_out;
		/* All was read, and there is room, but no end: cut off. */
		if (ret == LZMA_OK && stream.avail_out)
			ret = LZMA_DATA_ERROR;
	}
	lzma_end(&stream);
	good = ret == LZMA_STREAM_END &&
		!hpkm_elf_parse(a->arena, &a->debug, a->elf.path,
				hpkm_arena_copy(a->arena, bytes, size), size) &&
		a->debug.symtab.count > 1;
	free(bytes);
	if (!good) {
		hpkm_warn("%s: its section .gnu_debugdata is damaged",
			  a->elf.path);
		memset(&a->debug, 0, sizeof(a->debug));
	}
	a->partial = good;
	return good;
}

int hpkm_symbols_find(struct hpkm_anchor *a, const char *path)
{
	if (path)
		return take(a, path, NULL, true) ? 0 : -1;
	if (a->elf.symtab.count > 1 || by_build_id(a) || by_link(a) ||
	    by_server(a) || from_itself(a))
		return 0;
	hpkm_error("%s: it has no symbol table", a->elf.path);
	hpkm_detail("give the file that has it with -g, or install the package with its debug symbols");
	return -1;
}
