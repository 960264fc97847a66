// SPDX-License-Identifier: GPL-2.0
/*
 * A test of images without the kernel: linked into each test program, it maps
 * the image of a patch into its own process as the module would, applies the
 * fixups and writes the trampolines, following include/hpkm/image.h.  There
 * is one thread, which stands in none of the functions, so nothing has to stop.
 *
 *   PROGRAM                    runs the case twice, prints the second answers
 *   PROGRAM IMAGE near|far     patches itself in between; "far" places the
 *                              image elsewhere than where it was linked to be
 *   PROGRAM live               waits in between for a line of input, so that
 *                              hpkm-apply can patch it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <hpkm/image.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The case; what it prints goes to out. */
void run_case(FILE *out);

static const char *image;
static const struct hpkm_image_header *header;
static const struct hpkm_image_object *objects;
static uint64_t base[HPKM_OBJECTS_MAX], span[HPKM_OBJECTS_MAX];

#define die(...) do { \
	fprintf(stderr, "loader: " __VA_ARGS__); \
	fputc('\n', stderr); \
	exit(99); \
} while (0)

static void read_image(const char *path)
{
	FILE *f = fopen(path, "r");
	char *bytes = calloc(1, 1 << 24);
	size_t n = f && bytes ? fread(bytes, 1, 1 << 24, f) : 0;

	if (n < sizeof(*header))
		die("cannot read %s", path);
	fclose(f);
	image = bytes;
	header = (const void *)bytes;
	objects = (const void *)(bytes + header->objects.offset);
}

/* Objects are told by their identity, not by their names. */
static int find_object(struct dl_phdr_info *info, size_t size, void *data)
{
	uint64_t start = 0, end = 0;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (!end)
			start = info->dlpi_addr + (p->p_vaddr & ~4095ULL);
		end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
	}
	for (uint32_t i = 0; end && i < header->objects.count; i++) {
		const struct hpkm_image_object *o = &objects[i];

		if (end - start == o->size &&
		    o->id_kind == HPKM_ID_BUILD_ID &&
		    !memcmp((void *)(start + o->id_offset), o->id, o->id_size))
			base[i] = start;
	}
	return 0;
}

static void *map_at(uint64_t address, uint64_t size)
{
	return mmap((void *)address, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

/* A free place of that size within reach of object @i. */
static uint64_t find_place(uint32_t i, uint64_t size, uint64_t from)
{
	for (int64_t step = 0; step < 512; step++) {
		uint64_t below = base[i] - from - step * 0x200000;
		uint64_t above = base[i] + (objects[i].size & ~4095ULL) + from +
			step * 0x200000;
		uint64_t at = objects[i].flags & HPKM_OBJECT_FIXED ? above :
			below;

		if (map_at(at, size) != MAP_FAILED)
			return at;
	}
	die("there is no room for 0x%llx bytes", (unsigned long long)size);
}

/* Returns whether it could not be placed where it was linked to be. */
static int place(int far)
{
	const struct hpkm_image_segment *s =
		(const void *)(image + header->segments.offset);

	for (uint32_t i = 0; i < header->objects.count; i++) {
		uint64_t size = objects[i].span_size;

		if (!size)
			continue;
		span[i] = base[i] + objects[i].span_distance;
		if (far || map_at(span[i], size) == MAP_FAILED) {
			far = 1;
			span[i] = find_place(i, size, 0x10000000);
		}
	}
	for (uint32_t i = 0; i < header->segments.count; i++)
		memcpy((void *)(span[s[i].object] + s[i].mem_offset),
		       image + s[i].data_offset, s[i].data_size);
	return far;
}

/* What an extern stands for: here the dynamic linker itself can be asked. */
static uint64_t extern_value(uint32_t i)
{
	const struct hpkm_image_extern *e =
		(const void *)(image + header->externs.offset);
	const char *strings = image + header->strings.offset;
	void *found = NULL;

	e += i;
#ifndef STATIC
	found = strings[e->version] ?
		dlvsym(RTLD_DEFAULT, strings + e->name, strings + e->version) :
		dlsym(RTLD_DEFAULT, strings + e->name);
#endif
	if (!found && !(e->flags & HPKM_EXTERN_WEAK))
		die("nothing has %s", strings + e->name);
	return (uint64_t)found;
}

static uint64_t fixup_base(const struct hpkm_image_fixup *x)
{
	switch (x->relative) {
	case HPKM_RELATIVE_SPAN:
		return span[x->object];
	case HPKM_RELATIVE_EXTERN:
		return extern_value(x->object);
	default:
		return base[x->object];
	}
}

static void fix(int far)
{
	const struct hpkm_image_segment *s =
		(const void *)(image + header->segments.offset);
	const struct hpkm_image_fixup *x =
		(const void *)(image + header->fixups.offset);

	for (uint32_t i = 0; i < header->fixups.count; i++, x++) {
		uint64_t p = span[s[x->segment].object] +
			s[x->segment].mem_offset + x->place;
		uint64_t v = fixup_base(x) + x->addend;
		int size = 4, right;

		switch (x->kind) {
		case HPKM_FIXUP_COPY64:
			v = *(uint64_t *)v + *(uint64_t *)p;
			size = 8;
			break;
		case HPKM_FIXUP_PC64:
			v -= p;
			/* fall through */
		case HPKM_FIXUP_ABS64:
			size = 8;
			break;
		case HPKM_FIXUP_PC32:
			v -= p;
			/* fall through */
		case HPKM_FIXUP_ABS32S:
			if ((int64_t)v != (int32_t)v)
				die("fixup %u overflows", i);
			break;
		case HPKM_FIXUP_ABS32:
			if (v != (uint32_t)v)
				die("fixup %u overflows", i);
		}
		right = !memcmp((void *)p, &v, size);
		/* Where it was linked to stand nothing changes. */
		if (!far && !right && (x->kind == HPKM_FIXUP_PC32 ||
				       x->kind == HPKM_FIXUP_PC64 ||
				       (x->relative != HPKM_RELATIVE_EXTERN &&
					x->kind != HPKM_FIXUP_COPY64 &&
					objects[x->object].flags &
					HPKM_OBJECT_FIXED)))
			die("fixup %u was not right at its own distance", i);
		memcpy((void *)p, &v, size);
	}
	for (uint32_t i = 0; i < header->segments.count; i++)
		mprotect((void *)(span[s[i].object] + s[i].mem_offset),
			 s[i].mem_size,
			 (s[i].prot & HPKM_PROT_WRITE ? PROT_WRITE : 0) |
			 (s[i].prot & HPKM_PROT_EXEC ? PROT_EXEC : 0) |
			 PROT_READ);
}

/* For cases that look at them: the words of the first object with hooks. */
uint64_t *loader_hook_state, *loader_hook_control;
uint64_t loader_text, loader_text_end;
int loader_patched;

static void find_hooks(void)
{
	const struct hpkm_image_segment *s =
		(const void *)(image + header->segments.offset);
	const struct hpkm_image_hook *h =
		(const void *)(image + header->hooks.offset);

	for (uint32_t i = header->segments.count; i--;) {
		if (s[i].prot & HPKM_PROT_EXEC) {
			loader_text = span[s[i].object] + s[i].mem_offset;
			loader_text_end = loader_text + s[i].mem_size;
		}
		if (s[i].prot & HPKM_PROT_FRESH &&
		    madvise((void *)(span[s[i].object] + s[i].mem_offset),
			    s[i].mem_size, MADV_WIPEONFORK))
			die("fork can't be made to wipe memory");
	}
	loader_patched = 1;
	if (!header->hooks.count)
		return;
	loader_hook_state = (void *)(span[h->object] + h->state);
	loader_hook_control = (void *)(span[h->object] + h->control);
}

static void write_trampolines(void)
{
	const struct hpkm_image_func *f =
		(const void *)(image + header->funcs.offset);
	uint64_t *slots[HPKM_OBJECTS_MAX];

	for (uint32_t i = 0; i < header->objects.count; i++)
		slots[i] = (void *)find_place(i, 0x10000, 0x20000000);
	for (uint32_t i = 0; i < header->funcs.count; i++, f++) {
		unsigned char *at = (void *)(base[f->object] + f->old_offset);
		uint64_t *slot = &slots[f->object][i];
		uint64_t page = (uint64_t)at & ~4095ULL;
		int64_t distance;
		int32_t rel;

		if (memcmp(at, f->window, f->window_size))
			die("func %u: its window is not as expected", i);
		if (f->window_size != 6 && f->window_size != 10)
			die("func %u: window of %u bytes", i, f->window_size);
		if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE |
			     PROT_EXEC) &&
		    mprotect((void *)page, 4096, PROT_READ | PROT_WRITE |
			     PROT_EXEC))
			die("cannot make the text writable");
		*slot = span[f->object] + f->new_offset;
		at += f->window_size - 6;
		distance = (int64_t)slot - (int64_t)(at + 6);
		rel = distance;
		if (rel != distance)
			die("the slots are too far away");
		at[0] = 0xff;
		at[1] = 0x25;
		memcpy(at + 2, &rel, 4);
		__builtin___clear_cache((char *)page, (char *)page + 8192);
	}
}

int main(int argc, char **argv)
{
	FILE *null = fopen("/dev/null", "w");

	run_case(null);
	if (argc == 2 && !strcmp(argv[1], "live")) {
		puts("ready");
		fflush(stdout);
		getchar();
	} else if (argc > 2) {
		int far = !strcmp(argv[2], "far");

		read_image(argv[1]);
		dl_iterate_phdr(find_object, NULL);
		for (uint32_t i = 0; i < header->objects.count; i++)
			if (!base[i])
				die("object %u of the image is not loaded", i);
		fix(place(far));
		find_hooks();
		write_trampolines();
	}
	run_case(stdout);
	return 0;
}
