// SPDX-License-Identifier: GPL-2.0
/*
 * The objects that a process has loaded (before stage 5).  Nothing in the
 * memory of a process is trusted: sizes are bounded, what can't be read ends
 * a search.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <hpkm/image.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "linkmap.h"

#define PAGE		4096
#define OBJECTS_MAX	4096
#define DYNAMIC_MAX	1024
#define HEADERS_MAX	512

/* As <link.h> of the C library has them; ours hides that. */
struct debug {
	int32_t version;
	uint32_t pad;
	uint64_t map;		/* the first entry */
	uint64_t brk;
	uint32_t state;		/* 0: complete */
};

struct entry {
	uint64_t addr;		/* bias */
	uint64_t name;
	uint64_t dynamic;
	uint64_t next, prev;
};

bool hpkm_linkmap_get(const struct hpkm_linkmap *map, uint64_t address,
		      void *to, size_t size)
{
	size_t done = 0;

	if (address > INT64_MAX - size)
		return false;
	while (done < size) {
		ssize_t n = pread(map->mem, (char *)to + done, size - done,
				  address + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

const char *hpkm_linkmap_string(const struct hpkm_linkmap *map,
				uint64_t address)
{
	char text[4096];
	size_t used = 0;

	/* Up to the end of a page at a time: the next may not be there. */
	while (used < sizeof(text)) {
		size_t part = PAGE - (address + used) % PAGE;

		if (part > sizeof(text) - used)
			part = sizeof(text) - used;
		if (!hpkm_linkmap_get(map, address + used, text + used, part))
			return "";
		if (memchr(text + used, 0, part))
			return hpkm_arena_printf(map->arena, "%s", text);
		used += part;
	}
	return "";
}

bool hpkm_linkmap_same(const struct hpkm_linkmap *map, uint64_t address,
		       const char *text)
{
	size_t size = strlen(text) + 1;
	char there[256];

	while (size) {
		size_t part = size < sizeof(there) ? size : sizeof(there);

		if (!hpkm_linkmap_get(map, address, there, part) ||
		    memcmp(there, text, part))
			return false;
		address += part;
		text += part;
		size -= part;
	}
	return true;
}

/* ---- /proc/PID/maps ---- */

static int read_maps(struct hpkm_linkmap *map)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/maps", map->pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &room, f) > 0) {
		unsigned long long start, end, offset, inode;
		unsigned int major, minor;
		struct hpkm_mapping *m;
		char perms[5];
		int name = 0;

		if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start,
			   &end, perms, &offset, &major, &minor, &inode,
			   &name) < 7)
			continue;
		line[strcspn(line, "\n")] = 0;
		map->maps = hpkm_arena_push(map->arena, map->maps,
					    map->map_count, sizeof(*m));
		m = &map->maps[map->map_count++];
		*m = (struct hpkm_mapping){
			.start = start,
			.end = end,
			.offset = offset,
			.device = makedev(major, minor),
			.inode = inode,
			.executable = perms[2] == 'x',
			.path = hpkm_arena_printf(map->arena, "%s",
						  name ? line + name : ""),
		};
	}
	free(line);
	fclose(f);
	return map->map_count ? 0 : -ESRCH;
}

static const struct hpkm_mapping *mapping_at(const struct hpkm_linkmap *map,
					     uint64_t address)
{
	for (size_t i = 0; i < map->map_count; i++)
		if (address >= map->maps[i].start && address < map->maps[i].end)
			return &map->maps[i];
	return NULL;
}

/* The mapping of the start of the file that is mapped at an address. */
static const struct hpkm_mapping *first_mapping(const struct hpkm_linkmap *map,
						uint64_t address)
{
	const struct hpkm_mapping *at = mapping_at(map, address), *m;

	if (!at || !at->inode)
		return NULL;
	for (m = at; m >= map->maps; m--)
		if (m->inode == at->inode && m->device == at->device &&
		    !m->offset)
			return m;
	return NULL;
}

/* ---- one object ---- */

/* Where an object's program headers are; checks that it is an ELF file. */
static bool read_header(const struct hpkm_linkmap *map, uint64_t base,
			Elf64_Phdr *headers, size_t *count)
{
	Elf64_Ehdr ehdr;

	if (!hpkm_linkmap_get(map, base, &ehdr, sizeof(ehdr)) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) ||
	    ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_phentsize != sizeof(*headers) ||
	    ehdr.e_phnum > HEADERS_MAX || ehdr.e_phoff > INT32_MAX)
		return false;
	*count = ehdr.e_phnum;
	return hpkm_linkmap_get(map, base + ehdr.e_phoff, headers,
				ehdr.e_phnum * sizeof(*headers));
}

static bool read_note(const struct hpkm_linkmap *map,
		      struct hpkm_linkmap_object *o, const Elf64_Phdr *p)
{
	uint64_t step = p->p_align == 8 ? 8 : 4, at = 0;
	uint64_t start = o->bias + p->p_vaddr;
	Elf64_Nhdr note;
	char name[4];

	while (at + sizeof(note) <= p->p_memsz && at < 65536) {
		uint64_t desc;

		if (!hpkm_linkmap_get(map, start + at, &note, sizeof(note)))
			return false;
		desc = at + sizeof(note) + ((note.n_namesz + 3ULL) & ~3ULL);
		desc = (desc + step - 1) & ~(step - 1);
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    note.n_descsz && note.n_descsz <= sizeof(o->id) &&
		    hpkm_linkmap_get(map, start + at + sizeof(note), name, 4) &&
		    !memcmp(name, "GNU", 4) &&
		    hpkm_linkmap_get(map, start + desc, o->id,
				     note.n_descsz)) {
			o->id_kind = HPKM_ID_BUILD_ID;
			o->id_size = note.n_descsz;
			o->id_offset = start + desc - o->base;
			return true;
		}
		at = (desc + note.n_descsz + step - 1) & ~(step - 1);
	}
	return false;
}

static bool read_identity(const struct hpkm_linkmap *map,
			  struct hpkm_linkmap_object *o,
			  const Elf64_Phdr *headers, size_t count)
{
	struct sha256_ctx sha;
	uint8_t page[PAGE];

	for (size_t i = 0; i < count; i++)
		if (headers[i].p_type == PT_NOTE &&
		    read_note(map, o, &headers[i]))
			return true;
	if (!hpkm_linkmap_get(map, o->base, page, sizeof(page)))
		return false;
	sha256_init(&sha);
	sha256_update(&sha, sizeof(page), page);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, o->id);
	o->id_kind = HPKM_ID_PAGE_DIGEST;
	o->id_size = SHA256_DIGEST_SIZE;
	o->id_offset = 0;
	return true;
}

/* glibc adds the bias to addresses in dynamic sections, others do not. */
static uint64_t moved(const struct hpkm_linkmap_object *o, uint64_t value)
{
	return value < o->base ? value + o->bias : value;
}

static void read_dynamic(const struct hpkm_linkmap *map,
			 struct hpkm_linkmap_object *o, uint64_t address)
{
	uint64_t needed[DYNAMIC_MAX], soname = 0;
	Elf64_Dyn d;

	for (size_t i = 0; i < DYNAMIC_MAX; i++) {
		const struct { int64_t tag; uint64_t *to; bool moves; } fields[] = {
			{ DT_SYMTAB, &o->symtab, true },
			{ DT_STRTAB, &o->strtab, true },
			{ DT_STRSZ, &o->strsz, false },
			{ DT_GNU_HASH, &o->gnu_hash, true },
			{ DT_HASH, &o->hash, true },
			{ DT_VERSYM, &o->versym, true },
			{ DT_VERDEF, &o->verdef, true },
			{ DT_VERNEED, &o->verneed, true },
			{ DT_RELA, &o->rela, true },
			{ DT_RELASZ, &o->relasz, false },
			{ DT_JMPREL, &o->jmprel, true },
			{ DT_PLTRELSZ, &o->pltrelsz, false },
			{ DT_SONAME, &soname, false },
		};

		if (!hpkm_linkmap_get(map, address + i * sizeof(d), &d,
				      sizeof(d)) || d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_NEEDED)
			needed[o->needed_count++] = d.d_un.d_val;
		for (size_t k = 0; k < sizeof(fields) / sizeof(*fields); k++)
			if (d.d_tag == fields[k].tag)
				*fields[k].to = fields[k].moves ?
					moved(o, d.d_un.d_val) : d.d_un.d_val;
	}
	o->needed = hpkm_arena_alloc(map->arena, o->needed_count,
				     sizeof(*o->needed));
	for (size_t i = 0; i < o->needed_count; i++)
		o->needed[i] = hpkm_linkmap_string(map, o->strtab + needed[i]);
	o->soname = soname ? hpkm_linkmap_string(map, o->strtab + soname) : "";
}

/* The vdso has no file and is no object: false. */
static bool read_object(struct hpkm_linkmap *map, uint64_t bias,
			uint64_t dynamic)
{
	const struct hpkm_mapping *m = first_mapping(map, dynamic);
	struct hpkm_linkmap_object *o;
	Elf64_Phdr headers[HEADERS_MAX];
	const char *slash;
	size_t count;

	if (!m || !read_header(map, m->start, headers, &count))
		return false;
	map->objects = hpkm_arena_push(map->arena, map->objects,
				       map->object_count, sizeof(*o));
	o = &map->objects[map->object_count];
	memset(o, 0, sizeof(*o));
	slash = strrchr(m->path, '/');
	o->name = slash ? slash + 1 : m->path;
	o->bias = bias;
	o->base = m->start;
	for (size_t i = 0; i < count; i++)
		if (headers[i].p_type == PT_LOAD &&
		    bias + headers[i].p_vaddr + headers[i].p_memsz > o->end)
			o->end = bias + headers[i].p_vaddr +
				headers[i].p_memsz;
	if (!read_identity(map, o, headers, count))
		return false;
	read_dynamic(map, o, dynamic);
	map->object_count++;
	return true;
}

static void read_vdso(struct hpkm_linkmap *map)
{
	struct hpkm_linkmap_object *o = &map->vdso;
	Elf64_Phdr headers[HEADERS_MAX];
	size_t count;

	memset(o, 0, sizeof(*o));
	o->name = o->soname = "[vdso]";
	for (size_t i = 0; i < map->map_count; i++) {
		const struct hpkm_mapping *m = &map->maps[i];

		if (m->inode || strcmp(m->path, "[vdso]"))
			continue;
		o->base = o->bias = m->start;
		o->end = m->end;
		if (!read_header(map, m->start, headers, &count) ||
		    !read_identity(map, o, headers, count))
			o->base = 0;
	}
}

/* ---- the list ---- */

/* DT_DEBUG of an executable, where its linker has left the list's address. */
static uint64_t find_debug(const struct hpkm_linkmap *map)
{
	Elf64_Phdr headers[HEADERS_MAX];
	size_t count;

	for (size_t i = 0; i < map->map_count; i++) {
		const struct hpkm_mapping *m = &map->maps[i];
		uint64_t bias, dynamic = 0;
		Elf64_Dyn d;

		if (m->offset || !m->inode ||
		    !read_header(map, m->start, headers, &count))
			continue;
		bias = m->start;
		for (size_t k = count; k--;)
			if (headers[k].p_type == PT_LOAD)
				bias = m->start - (headers[k].p_vaddr &
						   ~(uint64_t)(PAGE - 1));
		for (size_t k = 0; k < count; k++)
			if (headers[k].p_type == PT_DYNAMIC)
				dynamic = bias + headers[k].p_vaddr;
		for (size_t k = 0; dynamic && k < DYNAMIC_MAX; k++) {
			if (!hpkm_linkmap_get(map, dynamic + k * sizeof(d), &d,
					      sizeof(d)) ||
			    d.d_tag == DT_NULL)
				break;
			if (d.d_tag == DT_DEBUG && d.d_un.d_ptr)
				return d.d_un.d_ptr;
		}
	}
	return 0;
}

static bool is_consistent(const struct hpkm_linkmap *map, uint64_t debug,
			  struct debug *list)
{
	return hpkm_linkmap_get(map, debug, list, sizeof(*list)) &&
		list->version > 0 && list->map &&
		!list->state;
}

/* Return: false when the list was being changed. */
static bool read_list(struct hpkm_linkmap *map, uint64_t debug)
{
	struct debug before, after;
	uint64_t at;

	map->objects = NULL;
	map->object_count = 0;
	read_vdso(map);
	if (!is_consistent(map, debug, &before))
		return false;
	at = before.map;
	for (size_t i = 0; at && i < OBJECTS_MAX; i++) {
		struct entry entry;

		if (!hpkm_linkmap_get(map, at, &entry, sizeof(entry)))
			return false;
		if (entry.dynamic)
			read_object(map, entry.addr, entry.dynamic);
		at = entry.next;
	}
	return !at && is_consistent(map, debug, &after) &&
		after.map == before.map && map->object_count;
}

static bool has_name(const struct hpkm_linkmap_object *o, const char *needed)
{
	const char *slash = strrchr(needed, '/');

	return !strcmp(o->soname, needed) ||
		!strcmp(o->name, slash ? slash + 1 : needed);
}

static size_t find_named(const struct hpkm_linkmap *map, const char *needed)
{
	size_t i = 0;

	while (i < map->object_count && !has_name(&map->objects[i], needed))
		i++;
	return i;
}

size_t hpkm_linkmap_closure(const struct hpkm_linkmap *map, size_t object,
			    bool *seen, size_t *list)
{
	size_t count = 0;

	if (!seen[object]) {
		seen[object] = true;
		list[count++] = object;
	}
	for (size_t at = 0; at < count; at++) {
		const struct hpkm_linkmap_object *o = &map->objects[list[at]];

		for (size_t i = 0; i < o->needed_count; i++) {
			size_t k = find_named(map, o->needed[i]);

			if (k == map->object_count || seen[k])
				continue;
			seen[k] = true;
			list[count++] = k;
		}
	}
	return count;
}

/*
 * What was loaded when the program started is searched for every reference:
 * the executable, what LD_PRELOAD names, which stands between it and the first
 * library that it needs, and what those need.
 */
static void mark_global(struct hpkm_linkmap *map)
{
	const struct hpkm_linkmap_object *exe = &map->objects[0];
	size_t first = map->object_count, *list;
	bool *seen;

	for (size_t i = 0; i < exe->needed_count; i++) {
		size_t k = find_named(map, exe->needed[i]);

		if (k < first)
			first = k;
	}
	/* It needs none: then only what it is itself is known. */
	if (first == map->object_count)
		first = 1;
	seen = hpkm_arena_alloc(map->arena, map->object_count, sizeof(*seen));
	list = hpkm_arena_alloc(map->arena, map->object_count, sizeof(*list));
	for (size_t i = 0; i < first; i++)
		hpkm_linkmap_closure(map, i, seen, list);
	for (size_t i = 0; i < map->object_count; i++)
		map->objects[i].global = seen[i];
}

int hpkm_linkmap_read(struct hpkm_linkmap *map, struct hpkm_arena *arena,
		      uint32_t pid)
{
	uint64_t debug;
	char path[64];
	int ret;

	*map = (struct hpkm_linkmap){ .arena = arena, .pid = pid };
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	map->mem = open(path, O_RDONLY | O_CLOEXEC);
	ret = map->mem < 0 ? -errno : read_maps(map);
	if (ret) {
		snprintf(map->why, sizeof(map->why),
			 "the memory of the process can't be read: %s",
			 strerror(-ret));
		return ret == -ENOENT ? -ESRCH : ret;
	}
	debug = find_debug(map);
	if (!debug) {
		snprintf(map->why, sizeof(map->why),
			 "the process has no dynamic linker, or it is just starting");
		return -ENOENT;
	}
	/* A library may be being loaded just now. */
	for (int tries = 0; tries < 50; tries++) {
		if (read_list(map, debug)) {
			mark_global(map);
			return 0;
		}
		usleep(20000);
		map->maps = NULL;
		map->map_count = 0;
		ret = read_maps(map);
		if (ret)
			break;
	}
	snprintf(map->why, sizeof(map->why),
		 "the list of the libraries it has loaded can't be read, or keeps changing");
	return ret ? ret : -EBUSY;
}

void hpkm_linkmap_close(struct hpkm_linkmap *map)
{
	if (map->mem >= 0)
		close(map->mem);
	map->mem = -1;
}

bool hpkm_linkmap_is_code(const struct hpkm_linkmap *map,
			  const struct hpkm_linkmap_object *object,
			  uint64_t address)
{
	const struct hpkm_mapping *m = mapping_at(map, address);

	return m && m->executable && address >= object->base &&
		address < object->end;
}

const struct hpkm_linkmap_object *
hpkm_linkmap_owner(const struct hpkm_linkmap *map, uint64_t address)
{
	const struct hpkm_linkmap_object *o = &map->vdso;

	if (o->base && address >= o->base && address < o->end)
		return o;
	for (size_t i = 0; i < map->object_count; i++) {
		o = &map->objects[i];
		if (address >= o->base && address < o->end)
			return o;
	}
	return NULL;
}
