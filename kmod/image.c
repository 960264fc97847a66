// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 6, validate: is an image what include/hpkm/image.h says it is?
 *
 * Pure: it reads the buffer and nothing else, so that the tools and the
 * fuzzer run these very lines.  All sizes are bounded by HPKM_*_MAX before
 * they are added up, so that no sum of 64-bit values can wrap.
 */
#ifdef __KERNEL__
#include <linux/elf.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/stdarg.h>
#include <linux/string.h>
#else
#include <elf.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define __printf(a, b) __attribute__((format(printf, a, b)))
#endif

#include "image.h"

#define ARRAY_COUNT(x) (sizeof(x) / sizeof((x)[0]))

struct check {
	const char *image;
	__u64 size;
	const struct hpkm_image_header *header;
	char *why;
	size_t why_size;
};

static __printf(2, 3) int bad(struct check *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->why, c->why_size, fmt, args);
	va_end(args);
	return -1;
}

/* Does [offset, offset + length) lie inside [0, limit)? */
static bool inside(__u64 offset, __u64 length, __u64 limit)
{
	return offset <= limit && length <= limit - offset;
}

static bool all_zero(const __u8 *bytes, size_t count)
{
	while (count--)
		if (*bytes++)
			return false;
	return true;
}

static bool power_of_two(__u64 x)
{
	return x && !(x & (x - 1));
}

static int check_header(struct check *c)
{
	const struct hpkm_image_header *h = c->header;

	if (c->size < sizeof(*h))
		return bad(c, "image: %llu bytes are too short for a header",
			   (unsigned long long)c->size);
	if (memcmp(h->magic, HPKM_IMAGE_MAGIC, sizeof(h->magic)))
		return bad(c, "image: no hpkm magic at its start");
	if (h->format != HPKM_IMAGE_FORMAT)
		return bad(c, "image: format %u, only %u is known", h->format,
			   HPKM_IMAGE_FORMAT);
	if (h->size != c->size || h->size > HPKM_IMAGE_SIZE_MAX)
		return bad(c, "image: size field %u, upload %llu, limit %u",
			   h->size, (unsigned long long)c->size,
			   HPKM_IMAGE_SIZE_MAX);
	if (h->flags & ~HPKM_IMAGE_REPLACE)
		return bad(c, "image: unknown flags 0x%x", h->flags);
	if (!power_of_two(h->align) || h->align < 4096 || h->align > 65536)
		return bad(c, "image: alignment %u", h->align);
	if (h->reserved)
		return bad(c, "image: reserved field is not 0");
	if (h->machine != EM_X86_64 && h->machine != EM_AARCH64)
		return bad(c, "image: machine %u is not known", h->machine);
	return 0;
}

static int check_tables(struct check *c)
{
	const struct hpkm_image_header *h = c->header;
	const struct {
		const char *name;
		const struct hpkm_image_table *table;
		size_t entry;
		__u32 min, max;
	} tables[] = {
		{ "objects", &h->objects, sizeof(struct hpkm_image_object),
		  1, HPKM_OBJECTS_MAX },
		{ "segments", &h->segments, sizeof(struct hpkm_image_segment),
		  1, HPKM_SEGMENTS_MAX },
		{ "funcs", &h->funcs, sizeof(struct hpkm_image_func),
		  1, HPKM_FUNCS_MAX },
		{ "parts", &h->parts, sizeof(struct hpkm_image_part),
		  0, HPKM_PARTS_MAX },
		{ "fixups", &h->fixups, sizeof(struct hpkm_image_fixup),
		  0, HPKM_IMAGE_SIZE_MAX },
		{ "externs", &h->externs, sizeof(struct hpkm_image_extern),
		  0, HPKM_EXTERNS_MAX },
		{ "depends", &h->depends, sizeof(__u32),
		  0, HPKM_DEPENDS_MAX },
		{ "hooks", &h->hooks, sizeof(struct hpkm_image_hook),
		  0, HPKM_OBJECTS_MAX },
		{ "strings", &h->strings, 1, 1, HPKM_IMAGE_SIZE_MAX },
	};

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		const struct hpkm_image_table *t = tables[i].table;

		if (t->count < tables[i].min || t->count > tables[i].max)
			return bad(c, "%s: %u entries", tables[i].name,
				   t->count);
		if (t->offset % 8 || t->offset < sizeof(*h) ||
		    !inside(t->offset, (__u64)t->count * tables[i].entry,
			    c->size))
			return bad(c, "%s: table at 0x%x is not in the image",
				   tables[i].name, t->offset);
	}
	return 0;
}

static const char *string(struct check *c, __u32 offset)
{
	return offset < c->header->strings.count ?
		c->image + c->header->strings.offset + offset : NULL;
}

/* A name is shown in /proc/PID/maps and typed in shells. */
static bool good_name(const char *name)
{
	size_t n;

	if (!name || *name == '.' || *name == '-')
		return false;
	for (n = 0; name[n]; n++) {
		char ch = name[n];

		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		      (ch >= '0' && ch <= '9') || strchr("_.+-", ch)))
			return false;
	}
	return n && n <= HPKM_NAME_MAX;
}

static int check_strings(struct check *c)
{
	const struct hpkm_image_header *h = c->header;
	const char *strings = c->image + h->strings.offset;
	const __u32 *depends = hpkm_image_depends(c->image);
	const char *text;

	if (strings[0] || strings[h->strings.count - 1])
		return bad(c, "strings: not framed by NUL bytes");
	if (!good_name(string(c, h->name)))
		return bad(c, "image: bad patch name");
	text = string(c, h->version);
	if (!text || strlen(text) > 255)
		return bad(c, "image: bad version string");
	text = string(c, h->description);
	if (!text || strlen(text) > 4095)
		return bad(c, "image: bad description string");
	for (__u32 i = 0; i < h->depends.count; i++)
		if (!good_name(string(c, depends[i])))
			return bad(c, "depends %u: bad patch name", i);
	return 0;
}

static int check_object(struct check *c, __u32 i)
{
	const struct hpkm_image_object *o = &hpkm_image_objects(c->image)[i];
	const char *name = string(c, o->name);

	if (!name || !*name || strlen(name) > 255 || strchr(name, '/'))
		return bad(c, "object %u: bad name", i);
	if (o->role != HPKM_OBJECT_ANCHOR && o->role != HPKM_OBJECT_REFERENCED)
		return bad(c, "object %u: role %u", i, o->role);
	if (o->flags & ~HPKM_OBJECT_FIXED || o->reserved)
		return bad(c, "object %u: unknown flags", i);
	if (!o->id_size || o->id_size > HPKM_ID_MAX ||
	    !all_zero(o->id + o->id_size, HPKM_ID_MAX - o->id_size))
		return bad(c, "object %u: id of %u bytes", i, o->id_size);
	/* Half of the user address space of every supported machine. */
	if (!o->size || o->size > 1ULL << 46)
		return bad(c, "object %u: size 0x%llx", i,
			   (unsigned long long)o->size);
	if (o->id_kind == HPKM_ID_BUILD_ID) {
		if (!inside(o->id_offset, o->id_size, o->size))
			return bad(c, "object %u: build-id lies outside", i);
	} else if (o->id_kind == HPKM_ID_PAGE_DIGEST) {
		if (o->id_offset || o->id_size != HPKM_DIGEST_SIZE ||
		    o->size < 4096)
			return bad(c, "object %u: bad page digest", i);
	} else {
		return bad(c, "object %u: id kind %u", i, o->id_kind);
	}
	if (!(o->flags & HPKM_OBJECT_FIXED) != !o->link_base ||
	    o->link_base % 4096 || o->link_base > 1ULL << 46)
		return bad(c, "object %u: bad link base", i);

	if (o->role == HPKM_OBJECT_REFERENCED) {
		if (o->span_size || o->span_distance)
			return bad(c, "object %u: referenced but has a span",
				   i);
		return 0;
	}
	if (!o->span_size || o->span_size % c->header->align ||
	    o->span_size > HPKM_SPAN_SIZE_MAX)
		return bad(c, "object %u: span of 0x%llx bytes", i,
			   (unsigned long long)o->span_size);
	if (o->span_distance % (int)c->header->align ||
	    o->span_distance > 1LL << 46 || o->span_distance < -(1LL << 46))
		return bad(c, "object %u: bad span distance", i);
	if (o->span_distance < 0 ?
	    o->span_distance + (__s64)o->span_size > 0 :
	    (__u64)o->span_distance < o->size)
		return bad(c, "object %u: its span overlaps it", i);
	return 0;
}

static int check_segment(struct check *c, __u32 i)
{
	const struct hpkm_image_segment *s = &hpkm_image_segments(c->image)[i];
	const struct hpkm_image_segment *before = i ? s - 1 : NULL;
	const struct hpkm_image_object *o;
	__u32 align = c->header->align;

	if (s->object >= c->header->objects.count)
		return bad(c, "segment %u: there is no object %u", i,
			   s->object);
	o = &hpkm_image_objects(c->image)[s->object];
	if (o->role != HPKM_OBJECT_ANCHOR)
		return bad(c, "segment %u: its object is no anchor", i);
	if (s->prot & ~(HPKM_PROT_READ | HPKM_PROT_WRITE | HPKM_PROT_EXEC |
			HPKM_PROT_FRESH) || !(s->prot & HPKM_PROT_READ))
		return bad(c, "segment %u: protection 0x%x", i, s->prot);
	if (s->prot & HPKM_PROT_FRESH &&
	    (!(s->prot & HPKM_PROT_WRITE) || s->data_size))
		return bad(c, "segment %u: fresh, but not writable zeros", i);
	if (s->prot & HPKM_PROT_WRITE && s->prot & HPKM_PROT_EXEC)
		return bad(c, "segment %u: writable and executable", i);
	if (!s->mem_size || s->mem_size % align || s->mem_offset % align ||
	    !inside(s->mem_offset, s->mem_size, o->span_size))
		return bad(c, "segment %u: outside of its span", i);
	if (s->data_size > s->mem_size ||
	    s->data_offset < sizeof(*c->header) ||
	    !inside(s->data_offset, s->data_size, c->size))
		return bad(c, "segment %u: data outside of the image", i);
	if (!before)
		return 0;
	if (before->object > s->object)
		return bad(c, "segment %u: not in order of objects", i);
	if (before->object == s->object &&
	    before->mem_offset + before->mem_size > s->mem_offset)
		return bad(c, "segment %u: overlaps the one before", i);
	return 0;
}

/* What a small image can make the kernel set aside is bounded, too. */
static int check_sums(struct check *c)
{
	const struct hpkm_image_segment *s = hpkm_image_segments(c->image);
	__u64 data = 0, mem = 0;

	for (__u32 i = 0; i < c->header->segments.count; i++) {
		data += s[i].data_size;
		mem += s[i].mem_size;
	}
	if (data > c->size)
		return bad(c, "segments: more data than the image has");
	if (mem > HPKM_SPAN_SIZE_MAX)
		return bad(c, "segments: 0x%llx bytes of memory",
			   (unsigned long long)mem);
	return 0;
}

/* The segment that holds all of [offset, offset + size) of a span. */
static const struct hpkm_image_segment *
segment_of(struct check *c, __u32 object, __u64 offset, __u64 size)
{
	const struct hpkm_image_segment *s = hpkm_image_segments(c->image);

	for (__u32 i = 0; i < c->header->segments.count; i++, s++)
		if (s->object == object && offset >= s->mem_offset &&
		    inside(offset - s->mem_offset, size, s->mem_size))
			return s;
	return NULL;
}

static int check_func(struct check *c, __u32 i)
{
	const struct hpkm_image_func *f = &hpkm_image_funcs(c->image)[i];
	const struct hpkm_image_func *before = i ? f - 1 : NULL;
	const struct hpkm_image_segment *s;
	const struct hpkm_image_object *o;
	const char *name = string(c, f->name);
	__u64 reach;

	if (f->object >= c->header->objects.count)
		return bad(c, "func %u: there is no object %u", i, f->object);
	o = &hpkm_image_objects(c->image)[f->object];
	if (o->role != HPKM_OBJECT_ANCHOR)
		return bad(c, "func %u: its object is no anchor", i);
	if (!name || !*name || strlen(name) > 4095)
		return bad(c, "func %u: bad name", i);
	if (!f->window_size || f->window_size > HPKM_WINDOW_MAX ||
	    !all_zero(f->window + f->window_size,
		      HPKM_WINDOW_MAX - f->window_size))
		return bad(c, "func %u: window of %u bytes", i,
			   f->window_size);
	if (f->flags & ~HPKM_FUNC_LOOPS)
		return bad(c, "func %u: unknown flags 0x%x", i, f->flags);
	if (!f->old_size || !inside(f->old_offset, f->old_size, o->size) ||
	    !inside(f->old_offset, f->window_size, o->size))
		return bad(c, "func %u: old code lies outside of its object",
			   i);
	s = f->new_size ? segment_of(c, f->object, f->new_offset,
				     f->new_size) : NULL;
	if (!s || !(s->prot & HPKM_PROT_EXEC))
		return bad(c, "func %u: new code is in no text segment", i);
	if (!before)
		return 0;
	/*
	 * In order and apart: two trampolines never touch the same bytes,
	 * and the bodies that are looked for on stacks never overlap.
	 */
	if (before->object > f->object)
		return bad(c, "func %u: not in order of objects", i);
	reach = before->old_size > before->window_size ?
		before->old_size : before->window_size;
	if (before->object == f->object &&
	    before->old_offset + reach > f->old_offset)
		return bad(c, "func %u: overlaps the one before", i);
	return 0;
}

/* How many funcs stand before an offset of an object.  They are in order. */
static __u32 funcs_before(struct check *c, __u32 object, __u64 offset)
{
	const struct hpkm_image_func *f = hpkm_image_funcs(c->image);
	__u32 low = 0, high = c->header->funcs.count;

	while (low < high) {
		__u32 mid = low + (high - low) / 2;

		if (f[mid].object < object || (f[mid].object == object &&
					       f[mid].old_offset < offset))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int check_part(struct check *c, __u32 i)
{
	const struct hpkm_image_func *f = hpkm_image_funcs(c->image), *last;
	const struct hpkm_image_part *p = &hpkm_image_parts(c->image)[i];
	const struct hpkm_image_part *before = i ? p - 1 : NULL;
	__u32 object, n;

	if (p->func >= c->header->funcs.count)
		return bad(c, "part %u: there is no func %u", i, p->func);
	object = f[p->func].object;
	if (p->reserved || !p->old_size ||
	    !inside(p->old_offset, p->old_size,
		    hpkm_image_objects(c->image)[object].size))
		return bad(c, "part %u: lies outside of its object", i);
	/* The last func that starts before the part's end. */
	n = funcs_before(c, object, p->old_offset + p->old_size);
	last = n ? &f[n - 1] : NULL;
	if (last && last->object == object &&
	    last->old_offset + last->old_size > p->old_offset)
		return bad(c, "part %u: overlaps a func", i);
	if (!before)
		return 0;
	if (f[before->func].object > object ||
	    (f[before->func].object == object &&
	     before->old_offset + before->old_size > p->old_offset))
		return bad(c, "part %u: not in order", i);
	return 0;
}

static int check_extern(struct check *c, __u32 i)
{
	const struct hpkm_image_extern *e = &hpkm_image_externs(c->image)[i];
	const char *name = string(c, e->name), *version = string(c, e->version);

	if (!name || !*name || strlen(name) > 4095)
		return bad(c, "extern %u: bad name", i);
	if (!version || strlen(version) > 255)
		return bad(c, "extern %u: bad version", i);
	if (e->flags & ~HPKM_EXTERN_WEAK)
		return bad(c, "extern %u: unknown flags 0x%x", i, e->flags);
	if (e->object >= c->header->objects.count ||
	    hpkm_image_objects(c->image)[e->object].role != HPKM_OBJECT_ANCHOR)
		return bad(c, "extern %u: its object is no anchor", i);
	return 0;
}

/* The bytes that a fixup writes, 0 when its kind is not known. */
static __u32 fixup_size(const struct hpkm_image_fixup *x)
{
	switch (x->kind) {
	case HPKM_FIXUP_ABS64:
	case HPKM_FIXUP_PC64:
	case HPKM_FIXUP_COPY64:
		return 8;
	case HPKM_FIXUP_ABS32:
	case HPKM_FIXUP_ABS32S:
	case HPKM_FIXUP_PC32:
		return 4;
	}
	return 0;
}

/* What a fixup counts from, and whether it may be that far away. */
static int check_base(struct check *c, __u32 i)
{
	const struct hpkm_image_fixup *x = &hpkm_image_fixups(c->image)[i];
	const struct hpkm_image_object *o;

	if (x->relative == HPKM_RELATIVE_EXTERN) {
		if (x->object >= c->header->externs.count)
			return bad(c, "fixup %u: there is no extern %u", i,
				   x->object);
		/* Libraries are anywhere. */
		if (x->kind != HPKM_FIXUP_ABS64)
			return bad(c, "fixup %u: an extern, kind %u", i,
				   x->kind);
		return 0;
	}
	if (x->object >= c->header->objects.count)
		return bad(c, "fixup %u: there is no object %u", i, x->object);
	o = &hpkm_image_objects(c->image)[x->object];
	if (x->relative != HPKM_RELATIVE_OBJECT &&
	    (x->relative != HPKM_RELATIVE_SPAN ||
	     o->role != HPKM_OBJECT_ANCHOR))
		return bad(c, "fixup %u: relative to what?", i);
	if (x->kind == HPKM_FIXUP_COPY64 &&
	    (x->relative != HPKM_RELATIVE_OBJECT || x->addend < 0 ||
	     !inside(x->addend, 8, o->size)))
		return bad(c, "fixup %u: copies from outside of its object",
			   i);
	return 0;
}

static int check_fixup(struct check *c, __u32 i)
{
	const struct hpkm_image_fixup *x = &hpkm_image_fixups(c->image)[i];
	const struct hpkm_image_fixup *before = i ? x - 1 : NULL;
	const struct hpkm_image_segment *s;
	__u32 size = fixup_size(x);

	if (!size)
		return bad(c, "fixup %u: kind %u", i, x->kind);
	if (check_base(c, i))
		return -1;
	if (x->segment >= c->header->segments.count)
		return bad(c, "fixup %u: there is no segment %u", i,
			   x->segment);
	s = &hpkm_image_segments(c->image)[x->segment];
	if (!inside(x->place, size, s->data_size))
		return bad(c, "fixup %u: place outside of its segment", i);
	/* A compiler may lean out of what it addresses ("table - 1000"). */
	if (x->addend < -(1LL << 47) || x->addend > 1LL << 47)
		return bad(c, "fixup %u: addend far outside of its object", i);
	if (before &&
	    (before->segment > x->segment ||
	     (before->segment == x->segment &&
	      (__u64)before->place + fixup_size(before) > x->place)))
		return bad(c, "fixup %u: not in order of places", i);
	return 0;
}

/* The words are written by code and kernel, so no fixup may touch them. */
static int check_hook(struct check *c, __u32 i)
{
	const struct hpkm_image_hook *k = &hpkm_image_hooks(c->image)[i];
	const struct hpkm_image_segment *s;

	if (k->object >= c->header->objects.count ||
	    hpkm_image_objects(c->image)[k->object].role != HPKM_OBJECT_ANCHOR)
		return bad(c, "hook %u: its object is no anchor", i);
	if (i && k[-1].object >= k->object)
		return bad(c, "hook %u: not in order of objects", i);
	if (!k->flags || k->flags & ~(HPKM_HOOK_APPLY | HPKM_HOOK_REVERT))
		return bad(c, "hook %u: flags 0x%x", i, k->flags);
	s = k->state % 8 ? NULL : segment_of(c, k->object, k->state, 8);
	if (!s || !(s->prot & HPKM_PROT_WRITE) || s->prot & HPKM_PROT_FRESH ||
	    k->state - s->mem_offset < s->data_size)
		return bad(c, "hook %u: bad place of its state", i);
	s = k->control % 8 ? NULL : segment_of(c, k->object, k->control, 16);
	if (!s || !(s->prot & HPKM_PROT_FRESH))
		return bad(c, "hook %u: bad place of its control words", i);
	return 0;
}

/*
 * Two spans must not be one: each anchor has a span of its own, with code in
 * it, and something to replace.
 */
static int check_anchor(struct check *c, __u32 i)
{
	const struct hpkm_image_func *f = hpkm_image_funcs(c->image);

	if (hpkm_image_objects(c->image)[i].role != HPKM_OBJECT_ANCHOR)
		return 0;
	for (__u32 k = 0; k < c->header->funcs.count; k++)
		if (f[k].object == i)
			return 0;
	return bad(c, "object %u: an anchor without funcs", i);
}

static int check_each(struct check *c, __u32 count,
		      int (*check)(struct check *c, __u32 i))
{
	for (__u32 i = 0; i < count; i++)
		if (check(c, i))
			return -1;
	return 0;
}

/**
 * hpkm_image_check() - is this image well formed?
 * @image: the image, 8-byte aligned, not changed by anybody meanwhile
 * @size: its bytes
 * @why: gets a text (NUL-terminated, one line) when it is not
 * @why_size: bytes at @why
 *
 * Says nothing of the machine that it runs on: the caller compares
 * header->machine, and the architecture checks each window.
 *
 * Context: Any.
 * Return: 0, or -1 when the image must be refused.
 */
int hpkm_image_check(const void *image, size_t size, char *why,
		     size_t why_size)
{
	struct check c = {
		.image = image,
		.size = size,
		.header = image,
		.why = why,
		.why_size = why_size,
	};

	if (check_header(&c) || check_tables(&c) || check_strings(&c) ||
	    check_each(&c, c.header->objects.count, check_object) ||
	    check_each(&c, c.header->segments.count, check_segment) ||
	    check_sums(&c) ||
	    check_each(&c, c.header->funcs.count, check_func) ||
	    check_each(&c, c.header->parts.count, check_part) ||
	    check_each(&c, c.header->externs.count, check_extern) ||
	    check_each(&c, c.header->fixups.count, check_fixup) ||
	    check_each(&c, c.header->hooks.count, check_hook) ||
	    check_each(&c, c.header->objects.count, check_anchor))
		return -1;
	return 0;
}
