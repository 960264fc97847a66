// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 4, pack.  The image is written table by table; the patch object is
 * what ld wrote, with the image in one more section, so that readelf and
 * objdump show code and symbols.  Nothing of the time, the user or the
 * directories gets in: the same input gives the same bytes.
 */
#include <nettle/sha2.h>
#include <string.h>

#include "buffer.h"
#include "frames.h"
#include "hook.h"
#include "hpkm.h"
#include "image.h"
#include "output.h"
#include "pack.h"

/* ---- the image ---- */

/* Each string once. */
struct strings {
	struct hpkm_buffer text;
	/* Open addressing: offsets plus 1, 0 is free; a power of two. */
	uint32_t *cells;
	size_t cell_count, used;
};

static uint32_t *find_cell(const struct strings *s, const char *text)
{
	size_t hash = 5381;

	for (const uint8_t *p = (const uint8_t *)text; *p; p++)
		hash = hash * 33 + *p;
	for (;; hash++) {
		uint32_t *cell = &s->cells[hash & (s->cell_count - 1)];

		if (!*cell || !strcmp((char *)s->text.bytes + *cell - 1, text))
			return cell;
	}
}

static void grow_strings(struct strings *s)
{
	struct strings old = *s;

	s->cell_count = old.cell_count ? 2 * old.cell_count : 256;
	s->cells = hpkm_arena_alloc(s->text.arena, s->cell_count,
				    sizeof(*s->cells));
	for (size_t i = 0; i < old.cell_count; i++)
		if (old.cells[i])
			*find_cell(s, (char *)s->text.bytes + old.cells[i] -
				   1) = old.cells[i];
}

static uint32_t add_string(struct strings *s, const char *text)
{
	uint32_t *cell;

	if (2 * s->used >= s->cell_count)
		grow_strings(s);
	cell = find_cell(s, text);
	if (!*cell) {
		*cell = hpkm_buffer_append(&s->text, text, strlen(text) + 1) + 1;
		s->used++;
	}
	return *cell - 1;
}

static void add_table(struct hpkm_buffer *image, struct hpkm_image_table *table,
		      const struct hpkm_buffer *from, size_t entry)
{
	table->offset = hpkm_buffer_align(image, 8);
	table->count = from->size / entry;
	hpkm_buffer_append(image, from->bytes, from->size);
}

static void add_anchor(const struct hpkm_link_span *span,
		       struct hpkm_buffer *objects, struct strings *strings)
{
	const struct hpkm_anchor *a = span->anchor;
	struct hpkm_image_object o = {
		.name = add_string(strings, a->name),
		.role = HPKM_OBJECT_ANCHOR,
		.flags = a->fixed ? HPKM_OBJECT_FIXED : 0,
		.id_kind = a->id_is_digest ? HPKM_ID_PAGE_DIGEST :
			HPKM_ID_BUILD_ID,
		.id_size = a->id_size,
		.id_offset = a->id_offset,
		.size = a->end - a->base,
		.link_base = a->fixed ? a->base : 0,
		.span_size = span->size,
		.span_distance = span->distance,
	};

	memcpy(o.id, a->id, a->id_size);
	hpkm_buffer_append(objects, &o, sizeof(o));
}

static void add_segments(const struct hpkm_link *link,
			 struct hpkm_buffer *image,
			 struct hpkm_buffer *segments)
{
	static const uint32_t prot[HPKM_LINK_KINDS] = {
		[HPKM_LINK_TEXT] = HPKM_PROT_READ | HPKM_PROT_EXEC,
		[HPKM_LINK_RODATA] = HPKM_PROT_READ,
		[HPKM_LINK_DATA] = HPKM_PROT_READ | HPKM_PROT_WRITE,
		[HPKM_LINK_FRESH] = HPKM_PROT_READ | HPKM_PROT_WRITE |
			HPKM_PROT_FRESH,
	};

	for (size_t i = 0; i < link->segment_count; i++) {
		const struct hpkm_link_segment *from = &link->segments[i];
		struct hpkm_image_segment s = {
			.object = from->span->object,
			.prot = prot[from->kind],
			.data_offset = hpkm_buffer_align(image, 16),
			.data_size = from->data_size,
			.mem_offset = from->mem_offset,
			.mem_size = from->mem_size,
		};

		hpkm_buffer_append(image, from->data, from->data_size);
		hpkm_buffer_append(segments, &s, sizeof(s));
	}
}

static void add_func(const struct hpkm_patch_func *from,
		     struct hpkm_buffer *funcs, struct strings *strings)
{
	const struct hpkm_item *old = from->old, *new = from->new;
	const struct hpkm_anchor *a = old->object->anchor;
	struct hpkm_image_func f = {
		.object = new->piece->span->object,
		.name = add_string(strings, from->name),
		.old_offset = old->live - a->base,
		.old_size = old->live_size,
		.new_offset = new->piece->span_offset +
			new->piece->item_offset,
		.new_size = new->size,
		.window_size = from->window_size,
		.flags = from->loops ? HPKM_FUNC_LOOPS : 0,
	};
	struct sha256_ctx sha;

	/* A thread that waits in the gate is in this version, too. */
	if (from->gate) {
		f.new_size += f.new_offset - from->gate->span_offset;
		f.new_offset = from->gate->span_offset;
	}
	memcpy(f.window, hpkm_anchor_bytes(a, old->live, from->window_size),
	       from->window_size);
	sha256_init(&sha);
	sha256_update(&sha, old->live_size,
		      hpkm_anchor_bytes(a, old->live, old->live_size));
	sha256_digest(&sha, HPKM_DIGEST_SIZE, f.digest);
	hpkm_buffer_append(funcs, &f, sizeof(f));
}

static void add_hook(const struct hpkm_hooks *from, struct hpkm_buffer *hooks)
{
	struct hpkm_image_hook h = {
		.object = from->state->span->object,
		.flags = (from->apply.count ? HPKM_HOOK_APPLY : 0) |
			(from->revert.count ? HPKM_HOOK_REVERT : 0),
		.state = from->state->span_offset,
		.control = from->control->span_offset,
	};

	hpkm_buffer_append(hooks, &h, sizeof(h));
}

static void add_part(const struct hpkm_patch_part *from,
		     struct hpkm_buffer *parts)
{
	struct hpkm_image_part p = {
		.func = from->func,
		.old_offset = from->old->live - from->old->object->anchor->base,
		.old_size = from->old->live_size,
	};

	hpkm_buffer_append(parts, &p, sizeof(p));
}

uint8_t *hpkm_pack_image(const struct hpkm_patch *patch,
			 const struct hpkm_link *link,
			 const struct hpkm_pack_info *info, size_t *size)
{
	struct hpkm_buffer image = { .arena = patch->arena };
	struct hpkm_buffer objects = image, segments = image, funcs = image;
	struct hpkm_buffer parts = image, fixups = image, depends = image;
	struct hpkm_buffer externs = image, hooks = image;
	struct strings strings = { .text = image };
	struct hpkm_image_header h = {
		.magic = HPKM_IMAGE_MAGIC,
		.format = HPKM_IMAGE_FORMAT,
		.machine = link->arch->machine,
		.flags = info->replace ? HPKM_IMAGE_REPLACE : 0,
		.align = link->arch->align,
	};
	char why[256];

	hpkm_buffer_append(&image, &h, sizeof(h));
	add_string(&strings, "");
	h.name = add_string(&strings, info->name);
	h.version = add_string(&strings, info->version);
	h.description = add_string(&strings, info->description);
	for (size_t i = 0; i < link->span_count; i++)
		if (link->spans[i].piece_count)
			add_anchor(&link->spans[i], &objects, &strings);
	for (size_t i = 0; i < patch->func_count; i++)
		add_func(&patch->funcs[i], &funcs, &strings);
	for (size_t i = 0; i < patch->part_count; i++)
		add_part(&patch->parts[i], &parts);
	for (size_t i = 0; i < link->fixup_count; i++) {
		const struct hpkm_link_fixup *from = &link->fixups[i];
		struct hpkm_image_fixup x = {
			.kind = from->kind,
			.relative = from->relative,
			.object = from->object,
			.segment = from->segment,
			.place = from->place,
			.addend = from->addend,
		};

		hpkm_buffer_append(&fixups, &x, sizeof(x));
	}
	for (size_t i = 0; i < link->extern_count; i++) {
		const struct hpkm_link_extern *from = &link->externs[i];
		struct hpkm_image_extern e = {
			.name = add_string(&strings, from->name),
			.version = add_string(&strings, from->version),
			.flags = from->weak ? HPKM_EXTERN_WEAK : 0,
			.object = from->span->object,
		};

		hpkm_buffer_append(&externs, &e, sizeof(e));
	}
	for (size_t i = 0; i < info->depend_count; i++) {
		uint32_t at = add_string(&strings, info->depends[i]);

		hpkm_buffer_append(&depends, &at, sizeof(at));
	}
	for (size_t i = 0; i < patch->anchor_count; i++)
		if (patch->hooks[i].state)
			add_hook(&patch->hooks[i], &hooks);
	add_segments(link, &image, &segments);
	add_table(&image, &h.objects, &objects, sizeof(struct hpkm_image_object));
	add_table(&image, &h.segments, &segments,
		  sizeof(struct hpkm_image_segment));
	add_table(&image, &h.funcs, &funcs, sizeof(struct hpkm_image_func));
	add_table(&image, &h.parts, &parts, sizeof(struct hpkm_image_part));
	add_table(&image, &h.fixups, &fixups, sizeof(struct hpkm_image_fixup));
	add_table(&image, &h.externs, &externs,
		  sizeof(struct hpkm_image_extern));
	add_table(&image, &h.depends, &depends, sizeof(uint32_t));
	add_table(&image, &h.hooks, &hooks, sizeof(struct hpkm_image_hook));
	add_table(&image, &h.strings, &strings.text, 1);
	hpkm_buffer_align(&image, 8);
	if (image.size > HPKM_IMAGE_SIZE_MAX) {
		hpkm_error("the patch has %zu bytes, more than %u",
			   image.size, HPKM_IMAGE_SIZE_MAX);
		return NULL;
	}
	h.size = image.size;
	memcpy(image.bytes, &h, sizeof(h));
	*size = image.size;
	if (hpkm_image_check(image.bytes, image.size, why, sizeof(why))) {
		hpkm_error("internal error: the image that was made is not valid: %s",
			   why);
		return NULL;
	}
	return image.bytes;
}

/* ---- the patch object ---- */

/* A patch object being written: what ld wrote, and sections behind it. */
struct output {
	struct hpkm_buffer bytes, names;
	Elf64_Shdr *table;
	size_t count;
};

/* A section that nobody loads. */
static Elf64_Shdr *add_section(struct output *o, const char *name,
			       uint64_t align, const void *bytes, size_t size)
{
	Elf64_Shdr *s = &o->table[o->count++];

	hpkm_buffer_align(&o->bytes, align);
	*s = (Elf64_Shdr){
		.sh_name = hpkm_buffer_append(&o->names, name,
					      strlen(name) + 1),
		.sh_type = SHT_PROGBITS,
		.sh_offset = hpkm_buffer_append(&o->bytes, bytes, size),
		.sh_size = size,
		.sh_addralign = align,
	};
	return s;
}

#define SECTIONS_ADDED	4

static void digest_of(const uint8_t *bytes, size_t size, uint8_t *digest)
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, size, bytes);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, digest);
}

static void add_sections(struct output *o, const struct hpkm_patch *patch,
			 const uint8_t *image, size_t size)
{
	static const char comment[] = "hpkm-build " HPKM_VERSION;
	struct hpkm_buffer frames = { .arena = patch->arena };
	uint8_t digest[SHA256_DIGEST_SIZE];
	Elf64_Shdr *s;

	add_section(o, HPKM_IMAGE_SECTION, 8, image, size);
	digest_of(image, size, digest);
	add_section(o, HPKM_DIGEST_SECTION, 1, digest, sizeof(digest));
	hpkm_frames(patch, &frames);
	if (frames.size)
		add_section(o, ".debug_frame", 8, frames.bytes, frames.size);
	s = add_section(o, ".comment", 1, comment, sizeof(comment));
	s->sh_flags = SHF_MERGE | SHF_STRINGS;
	s->sh_entsize = 1;
}

/*
 * The section headers and their names move to the end, behind what is added.
 */
int hpkm_pack_write(const struct hpkm_patch *patch,
		    const struct hpkm_link *link, const uint8_t *image,
		    size_t size, const char *path)
{
	struct output o = {
		.bytes.arena = patch->arena, .names.arena = patch->arena,
	};
	const struct hpkm_elf *elf = &link->elf;
	const struct hpkm_elf_section *names;
	Elf64_Ehdr ehdr;

	memcpy(&ehdr, elf->bytes, sizeof(ehdr));
	o.count = ehdr.e_shnum;
	if (!hpkm_inside(ehdr.e_shoff, o.count * sizeof(*o.table), elf->size) ||
	    ehdr.e_shstrndx >= elf->section_count ||
	    !elf->sections[ehdr.e_shstrndx].data) {
		hpkm_error("the linker's output has no section table");
		return -1;
	}
	names = &elf->sections[ehdr.e_shstrndx];
	o.table = hpkm_arena_alloc(patch->arena, o.count + SECTIONS_ADDED,
				   sizeof(*o.table));
	memcpy(o.table, elf->bytes + ehdr.e_shoff, o.count * sizeof(*o.table));

	/* All that the old tables stood behind of. */
	hpkm_buffer_append(&o.bytes, elf->bytes, ehdr.e_shoff);
	hpkm_buffer_append(&o.names, names->data, names->size);
	add_sections(&o, patch, image, size);

	o.table[ehdr.e_shstrndx].sh_size = o.names.size;
	o.table[ehdr.e_shstrndx].sh_offset =
		hpkm_buffer_append(&o.bytes, o.names.bytes, o.names.size);
	ehdr.e_shoff = hpkm_buffer_align(&o.bytes, 8);
	ehdr.e_shnum = o.count;
	/* Position independent, unless an anchor is not. */
	ehdr.e_type = ET_DYN;
	for (size_t i = 0; i < link->span_count; i++)
		if (link->spans[i].piece_count && link->spans[i].anchor->fixed)
			ehdr.e_type = ET_EXEC;
	hpkm_buffer_append(&o.bytes, o.table, o.count * sizeof(*o.table));
	memcpy(o.bytes.bytes, &ehdr, sizeof(ehdr));
	return hpkm_output_write(path, o.bytes.bytes, o.bytes.size, 0644);
}

/* Whether the image is not the one that was written. */
static bool is_damaged(const struct hpkm_elf *elf,
		       const struct hpkm_elf_section *image)
{
	const struct hpkm_elf_section *s;
	uint8_t digest[SHA256_DIGEST_SIZE];

	s = hpkm_elf_section(elf, HPKM_DIGEST_SECTION);
	if (!s)
		return false;
	digest_of(image->data, image->size, digest);
	return !s->data || s->size != sizeof(digest) ||
		memcmp(s->data, digest, sizeof(digest));
}

uint8_t *hpkm_pack_read(struct hpkm_arena *arena, const char *path,
			size_t *size)
{
	const struct hpkm_elf_section *s;
	struct hpkm_elf elf;
	uint8_t *bytes;
	char why[256];

	bytes = hpkm_file_read(arena, path, size);
	if (!bytes)
		return NULL;
	if (*size < 8 || memcmp(bytes, HPKM_IMAGE_MAGIC, 8)) {
		if (hpkm_elf_parse(arena, &elf, path, bytes, *size))
			return NULL;
		s = hpkm_elf_section(&elf, HPKM_IMAGE_SECTION);
		if (!s || !s->data) {
			hpkm_error("%s: not a patch object: it has no section %s",
				   path, HPKM_IMAGE_SECTION);
			return NULL;
		}
		if (is_damaged(&elf, s)) {
			hpkm_error("%s: it is damaged: its image is not the one that was built",
				   path);
			return NULL;
		}
		*size = s->size;
		/* A copy, for its alignment. */
		bytes = hpkm_arena_copy(arena, s->data, s->size);
	}
	if (hpkm_image_check(bytes, *size, why, sizeof(why))) {
		hpkm_error("%s: not a valid patch: %s", path, why);
		return NULL;
	}
	return bytes;
}
