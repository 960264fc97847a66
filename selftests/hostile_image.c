// SPDX-License-Identifier: GPL-2.0
/*
 * Images that were tampered with.  Each must be refused by the module, with
 * words; afterwards the one that they were made from is still welcome.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <hpkm/image.h>

#include "genl.h"
#include "tap.h"

#define FLIPS	400

static struct genl genl;
static char *good;
static size_t good_size;

/* The image that is being made, and its tables. */
static struct hpkm_image_header *h;
static size_t size;

static void *table(const struct hpkm_image_table *t)
{
	return (char *)h + t->offset;
}

static struct hpkm_image_object *object(void)
{
	return table(&h->objects);
}

static struct hpkm_image_segment *segment(int i)
{
	return (struct hpkm_image_segment *)table(&h->segments) + i;
}

static struct hpkm_image_func *func(int i)
{
	return (struct hpkm_image_func *)table(&h->funcs) + i;
}

static char *strings(void)
{
	return table(&h->strings);
}

/* Another copy of the first entry of a table, at the end of the image. */
static void *move_table(struct hpkm_image_table *t, size_t entry, uint32_t count)
{
	void *to = (char *)h + size;

	memcpy(to, table(t), entry * (t->count < count ? t->count : count));
	t->offset = size;
	t->count = count;
	size += entry * count;
	h->size = size;
	return to;
}

static struct hpkm_image_fixup *add_fixup(void)
{
	struct hpkm_image_fixup *x;

	h->fixups.count = 0;
	x = move_table(&h->fixups, sizeof(*x), 1);
	*x = (struct hpkm_image_fixup){
		.kind = HPKM_FIXUP_ABS64,
		.relative = HPKM_RELATIVE_OBJECT,
	};
	return x;
}

/* Behind all old code, where nothing else is. */
static struct hpkm_image_part *add_parts(uint32_t count)
{
	struct hpkm_image_part *p;

	h->parts.count = 0;
	p = move_table(&h->parts, sizeof(*p), count);
	for (uint32_t i = 0; i < count; i++)
		p[i] = (struct hpkm_image_part){
			.old_offset = object()->size - 64 + 16 * i,
			.old_size = 16,
		};
	return p;
}

static struct hpkm_image_segment *add_segment(void)
{
	struct hpkm_image_segment *s;
	uint32_t n = h->segments.count;

	object()->span_size += 2 * h->align;
	object()->span_distance -= 2 * h->align;
	s = move_table(&h->segments, sizeof(*s), n + 1);
	s[n] = s[n - 1];
	s[n].mem_offset += s[n].mem_size;
	return &s[n];
}

/* Behind its table: strings are looked for in theirs. */
static struct hpkm_image_extern *add_extern(void)
{
	struct hpkm_image_extern *e;

	h->externs.count = 0;
	e = move_table(&h->externs, sizeof(*e), 1);
	*e = (struct hpkm_image_extern){ .name = h->name };
	return e;
}

static struct hpkm_image_fixup *add_extern_fixup(void)
{
	struct hpkm_image_fixup *x;

	add_extern();
	x = add_fixup();
	x->relative = HPKM_RELATIVE_EXTERN;
	return x;
}

static struct hpkm_image_fixup *add_copy(void)
{
	struct hpkm_image_fixup *x = add_fixup();

	x->kind = HPKM_FIXUP_COPY64;
	return x;
}

/* One more segment, of zeros, that words of hooks may stand in. */
static struct hpkm_image_segment *add_zeros(uint32_t prot)
{
	struct hpkm_image_segment *s = add_segment();

	s->prot = HPKM_PROT_READ | prot;
	s->data_size = 0;
	s->mem_size = h->align;
	return s;
}

static struct hpkm_image_hook *add_hook(void)
{
	uint64_t state = add_zeros(HPKM_PROT_WRITE)->mem_offset;
	uint64_t control = add_zeros(HPKM_PROT_WRITE |
				     HPKM_PROT_FRESH)->mem_offset;
	struct hpkm_image_hook *k;

	h->hooks.count = 0;
	k = move_table(&h->hooks, sizeof(*k), 1);
	*k = (struct hpkm_image_hook){
		.flags = HPKM_HOOK_APPLY | HPKM_HOOK_REVERT,
		.state = state,
		.control = control,
	};
	return k;
}

static struct hpkm_image_segment *last_segment(void)
{
	return segment(h->segments.count - 1);
}

#define CHANGE(name, statement) \
	static void name(void) { statement; }

CHANGE(no_change, )
CHANGE(magic, h->magic[0] ^= 1)
CHANGE(format, h->format++)
CHANGE(format_zero, h->format = 0)
CHANGE(size_small, h->size--)
CHANGE(size_big, h->size++)
CHANGE(size_huge, h->size = UINT32_MAX)
CHANGE(machine, h->machine = 0)
CHANGE(machine_other, h->machine = 183)
CHANGE(flags, h->flags = 2)
CHANGE(align_zero, h->align = 0)
CHANGE(align_odd, h->align = 4097)
CHANGE(align_small, h->align = 1024)
CHANGE(align_huge, h->align = 1U << 31)
CHANGE(reserved, h->reserved = 1)
CHANGE(name_outside, h->name = h->strings.count)
CHANGE(name_far, h->name = UINT32_MAX)
CHANGE(name_empty, h->name = 0)
CHANGE(name_slash, strings()[h->name] = '/')
CHANGE(name_dot, strings()[h->name] = '.')
CHANGE(name_control, strings()[h->name] = 7)
CHANGE(name_utf8, strings()[h->name] = (char)0xe4)
CHANGE(name_long, char *s = move_table(&h->strings, 1, 200); h->name = 1;
       memset(s + 1, 'a', 198); s[0] = 0; s[199] = 0)
CHANGE(version_far, h->version = UINT32_MAX)
CHANGE(description_far, h->description = UINT32_MAX)
CHANGE(strings_open, strings()[h->strings.count - 1] = 'a')
CHANGE(strings_first, strings()[0] = 'a')
CHANGE(objects_far, h->objects.offset = UINT32_MAX - 7)
CHANGE(objects_end, h->objects.offset = size)
CHANGE(objects_odd, h->objects.offset++)
CHANGE(objects_in_header, h->objects.offset = 0)
CHANGE(objects_none, h->objects.count = 0)
CHANGE(objects_many, h->objects.count = UINT32_MAX)
CHANGE(segments_far, h->segments.offset = UINT32_MAX - 7)
CHANGE(segments_none, h->segments.count = 0)
CHANGE(segments_many, h->segments.count = 0x80000000)
CHANGE(funcs_far, h->funcs.offset = UINT32_MAX - 7)
CHANGE(funcs_none, h->funcs.count = 0)
CHANGE(funcs_many, h->funcs.count = UINT32_MAX)
CHANGE(fixups_far, h->fixups.offset = UINT32_MAX - 7; h->fixups.count = 1)
CHANGE(fixups_many, h->fixups.count = UINT32_MAX)
CHANGE(depends_far, h->depends.offset = UINT32_MAX - 7; h->depends.count = 1)
CHANGE(depends_many, h->depends.count = UINT32_MAX)
CHANGE(depends_name, uint32_t *d = move_table(&h->depends, 8, 1);
       h->depends.count = 1; *d = UINT32_MAX)
CHANGE(strings_far, h->strings.offset = UINT32_MAX - 7)
CHANGE(strings_none, h->strings.count = 0)
CHANGE(strings_many, h->strings.count = UINT32_MAX)
CHANGE(object_name, object()->name = UINT32_MAX)
CHANGE(object_slash, object()->name = h->name; strings()[h->name] = '/')
CHANGE(object_role, object()->role = 3)
CHANGE(object_no_anchor, object()->role = HPKM_OBJECT_REFERENCED)
CHANGE(object_flags, object()->flags = 0x80)
CHANGE(object_reserved, object()->reserved = 1)
CHANGE(object_id_kind, object()->id_kind = 9)
CHANGE(object_id_none, object()->id_size = 0)
CHANGE(object_id_long, object()->id_size = 65)
CHANGE(object_id_tail, object()->id[HPKM_ID_MAX - 1] = 1)
CHANGE(object_id_far, object()->id_offset = UINT64_MAX)
CHANGE(object_id_end, object()->id_offset = object()->size)
CHANGE(object_size_zero, object()->size = 0)
CHANGE(object_size_huge, object()->size = UINT64_MAX)
CHANGE(object_base, object()->link_base = 0x400000)
CHANGE(object_fixed, object()->flags = HPKM_OBJECT_FIXED)
CHANGE(span_zero, object()->span_size = 0)
CHANGE(span_odd, object()->span_size++)
CHANGE(span_huge, object()->span_size = 1ULL << 40)
CHANGE(span_wraps, object()->span_size = 0ULL - h->align)
CHANGE(span_overlaps, object()->span_distance = 0)
CHANGE(span_touches, object()->span_distance = h->align - object()->span_size)
CHANGE(span_odd_distance, object()->span_distance += 8)
CHANGE(span_far, object()->span_distance = INT64_MIN)
CHANGE(segment_object, segment(0)->object = 1)
CHANGE(segment_prot_none, segment(0)->prot = 0)
CHANGE(segment_prot_unknown, segment(0)->prot |= 16)
CHANGE(segment_w_x, segment(0)->prot = 7)
CHANGE(segment_x_only, segment(0)->prot = HPKM_PROT_EXEC)
CHANGE(segment_data_far, segment(0)->data_offset = UINT32_MAX)
CHANGE(segment_data_header, segment(0)->data_offset = 0)
CHANGE(segment_data_long, segment(0)->data_size = UINT32_MAX)
CHANGE(segment_data_more, segment(0)->data_size = segment(0)->mem_size + 1)
CHANGE(segment_size_zero, segment(0)->mem_size = 0)
CHANGE(segment_size_odd, segment(0)->mem_size -= 8)
CHANGE(segment_size_huge, segment(0)->mem_size = 0ULL - h->align)
CHANGE(segment_outside, segment(0)->mem_offset = object()->span_size)
CHANGE(segment_wraps, segment(0)->mem_offset = 0ULL - h->align)
CHANGE(segment_odd, segment(0)->mem_offset = 8)
CHANGE(segments_overlap, struct hpkm_image_segment *s = add_segment();
       s->mem_offset = segment(0)->mem_offset)
CHANGE(segments_order, struct hpkm_image_segment *s = add_segment();
       segment(0)->mem_offset = s->mem_offset; s->mem_offset = 0)
CHANGE(func_object, func(0)->object = UINT32_MAX)
CHANGE(func_name, func(0)->name = UINT32_MAX)
CHANGE(func_nameless, func(0)->name = 0)
CHANGE(func_old_far, func(0)->old_offset = UINT64_MAX)
CHANGE(func_old_end, func(0)->old_offset = object()->size)
CHANGE(func_old_empty, func(0)->old_size = 0)
CHANGE(func_old_long, func(0)->old_size = UINT64_MAX)
CHANGE(func_new_far, func(0)->new_offset = UINT64_MAX)
CHANGE(func_new_outside, func(0)->new_offset = object()->span_size)
CHANGE(func_new_empty, func(0)->new_size = 0)
CHANGE(func_new_long, func(0)->new_size = UINT64_MAX)
CHANGE(func_new_not_text, segment(0)->prot = HPKM_PROT_READ)
CHANGE(func_new_data, segment(0)->prot = HPKM_PROT_READ | HPKM_PROT_WRITE)
CHANGE(window_none, func(0)->window_size = 0)
CHANGE(window_short, func(0)->window_size = 5; func(0)->window[5] = 0)
CHANGE(window_long, func(0)->window_size = 7)
CHANGE(window_huge, func(0)->window_size = UINT32_MAX)
CHANGE(window_tail, func(0)->window[HPKM_WINDOW_MAX - 1] = 1)
CHANGE(func_flags, func(0)->flags = HPKM_FUNC_LOOPS << 1)
CHANGE(funcs_same, func(1)->old_offset = func(0)->old_offset)
CHANGE(funcs_overlap, func(1)->old_offset = func(0)->old_offset + 1)
CHANGE(funcs_order, func(0)->old_offset = func(1)->old_offset + 64)
CHANGE(parts_far, h->parts.offset = UINT32_MAX - 7; h->parts.count = 1)
CHANGE(parts_many, h->parts.count = UINT32_MAX)
CHANGE(part_func, add_parts(1)->func = h->funcs.count)
CHANGE(part_reserved, add_parts(1)->reserved = 1)
CHANGE(part_far, add_parts(1)->old_offset = UINT64_MAX)
CHANGE(part_outside, add_parts(1)->old_size = 65)
CHANGE(part_empty, add_parts(1)->old_size = 0)
CHANGE(part_in_func, add_parts(1)->old_offset = func(0)->old_offset + 4)
CHANGE(part_in_other, add_parts(1)->old_offset = func(1)->old_offset + 4)
CHANGE(parts_order, struct hpkm_image_part *p = add_parts(2);
       p[0].old_offset = p[1].old_offset + 16)
CHANGE(parts_overlap, add_parts(2)[0].old_size = 17)
CHANGE(parts_of_two, struct hpkm_image_part *p = add_parts(2);
       p[1].func = 1; p[1].old_offset = p[0].old_offset)
CHANGE(fixup_kind, add_fixup()->kind = 99)
CHANGE(fixup_relative, add_fixup()->relative = 3)
CHANGE(fixup_object, add_fixup()->object = 1)
CHANGE(fixup_segment, add_fixup()->segment = UINT32_MAX)
CHANGE(fixup_place, add_fixup()->place = segment(0)->data_size - 7)
CHANGE(fixup_place_far, add_fixup()->place = UINT32_MAX)
CHANGE(fixup_addend, add_fixup()->addend = INT64_MAX)
CHANGE(fixup_addend_low, add_fixup()->addend = INT64_MIN)
CHANGE(externs_far, h->externs.offset = UINT32_MAX - 7; h->externs.count = 1)
CHANGE(externs_many, h->externs.count = UINT32_MAX)
CHANGE(extern_name, add_extern()->name = UINT32_MAX)
CHANGE(extern_nameless, add_extern()->name = 0)
CHANGE(extern_version, add_extern()->version = UINT32_MAX)
CHANGE(extern_flags, add_extern()->flags = 2)
CHANGE(extern_object, add_extern()->object = 1)
CHANGE(fixup_extern, add_extern_fixup()->object = 1)
CHANGE(fixup_extern_kind, add_extern_fixup()->kind = HPKM_FIXUP_PC32)
CHANGE(fixup_extern_copy, add_extern_fixup()->kind = HPKM_FIXUP_COPY64)
CHANGE(fixup_extern_none, add_extern_fixup(); h->externs.count = 0)
CHANGE(copy_below, add_copy()->addend = -1)
CHANGE(copy_outside, add_copy()->addend = object()->size - 7)
CHANGE(copy_span, add_copy()->relative = HPKM_RELATIVE_SPAN)
CHANGE(copy_place, add_copy()->place = segment(0)->data_size - 7)
CHANGE(fresh_text, segment(0)->prot |= HPKM_PROT_FRESH)
CHANGE(fresh_read_only, add_zeros(HPKM_PROT_FRESH))
CHANGE(fresh_data, add_zeros(HPKM_PROT_WRITE | HPKM_PROT_FRESH)->data_size = 1)
CHANGE(hooks_far, h->hooks.offset = UINT32_MAX - 7; h->hooks.count = 1)
CHANGE(hooks_many, h->hooks.count = UINT32_MAX)
CHANGE(hook_object, add_hook()->object = 1)
CHANGE(hook_flags, add_hook()->flags = 4)
CHANGE(hook_flags_none, add_hook()->flags = 0)
CHANGE(hook_state_odd, add_hook()->state += 4)
CHANGE(hook_state_end, add_hook()->state += h->align - 4)
CHANGE(hook_state_far, add_hook()->state = UINT64_MAX - 7)
CHANGE(hook_state_text, add_hook()->state = segment(0)->mem_offset)
CHANGE(hook_state_fresh, struct hpkm_image_hook *k = add_hook();
       k->state = k->control)
CHANGE(hook_state_data, add_hook(); last_segment()[-1].data_size = 1)
CHANGE(hook_control_odd, add_hook()->control += 4)
CHANGE(hook_control_end, add_hook()->control += h->align - 8)
CHANGE(hook_control_far, add_hook()->control = UINT64_MAX - 15)
CHANGE(hook_control_kept, struct hpkm_image_hook *k = add_hook();
       k->control = k->state)
CHANGE(hooks_of_one, struct hpkm_image_hook *k = add_hook();
       k = move_table(&h->hooks, sizeof(*k), 2); k[1] = k[0])

#define CASE(name) { #name, name }

static const struct {
	const char *name;
	void (*change)(void);
} changes[] = {
	CASE(magic), CASE(format), CASE(format_zero), CASE(size_small),
	CASE(size_big), CASE(size_huge), CASE(machine), CASE(machine_other),
	CASE(flags), CASE(align_zero), CASE(align_odd), CASE(align_small),
	CASE(align_huge), CASE(reserved), CASE(name_outside), CASE(name_far),
	CASE(name_empty), CASE(name_slash), CASE(name_dot),
	CASE(name_control), CASE(name_utf8), CASE(name_long),
	CASE(version_far), CASE(description_far), CASE(strings_open),
	CASE(strings_first), CASE(objects_far), CASE(objects_end),
	CASE(objects_odd), CASE(objects_in_header), CASE(objects_none),
	CASE(objects_many), CASE(segments_far), CASE(segments_none),
	CASE(segments_many), CASE(funcs_far), CASE(funcs_none),
	CASE(funcs_many), CASE(fixups_far), CASE(fixups_many),
	CASE(depends_far), CASE(depends_many), CASE(depends_name),
	CASE(strings_far), CASE(strings_none), CASE(strings_many),
	CASE(object_name), CASE(object_slash), CASE(object_role),
	CASE(object_no_anchor), CASE(object_flags), CASE(object_reserved),
	CASE(object_id_kind), CASE(object_id_none), CASE(object_id_long),
	CASE(object_id_tail), CASE(object_id_far), CASE(object_id_end),
	CASE(object_size_zero), CASE(object_size_huge), CASE(object_base),
	CASE(object_fixed), CASE(span_zero), CASE(span_odd), CASE(span_huge),
	CASE(span_wraps), CASE(span_overlaps), CASE(span_touches),
	CASE(span_odd_distance), CASE(span_far), CASE(segment_object),
	CASE(segment_prot_none), CASE(segment_prot_unknown),
	CASE(segment_w_x), CASE(segment_x_only), CASE(segment_data_far),
	CASE(segment_data_header), CASE(segment_data_long),
	CASE(segment_data_more), CASE(segment_size_zero),
	CASE(segment_size_odd), CASE(segment_size_huge),
	CASE(segment_outside), CASE(segment_wraps), CASE(segment_odd),
	CASE(segments_overlap), CASE(segments_order), CASE(func_object),
	CASE(func_name), CASE(func_nameless), CASE(func_old_far),
	CASE(func_old_end), CASE(func_old_empty), CASE(func_old_long),
	CASE(func_new_far), CASE(func_new_outside), CASE(func_new_empty),
	CASE(func_new_long), CASE(func_new_not_text), CASE(func_new_data),
	CASE(window_none), CASE(window_short), CASE(window_long),
	CASE(window_huge), CASE(window_tail), CASE(func_flags),
	CASE(funcs_same), CASE(funcs_overlap), CASE(funcs_order),
	CASE(parts_far), CASE(parts_many), CASE(part_func),
	CASE(part_reserved), CASE(part_far), CASE(part_outside),
	CASE(part_empty), CASE(part_in_func), CASE(part_in_other),
	CASE(parts_order), CASE(parts_overlap), CASE(parts_of_two),
	CASE(fixup_kind), CASE(fixup_relative), CASE(fixup_object),
	CASE(fixup_segment), CASE(fixup_place), CASE(fixup_place_far),
	CASE(fixup_addend), CASE(fixup_addend_low), CASE(externs_far),
	CASE(externs_many), CASE(extern_name), CASE(extern_nameless),
	CASE(extern_version), CASE(extern_flags), CASE(extern_object),
	CASE(fixup_extern), CASE(fixup_extern_kind), CASE(fixup_extern_copy),
	CASE(fixup_extern_none), CASE(copy_below), CASE(copy_outside),
	CASE(copy_span), CASE(copy_place), CASE(fresh_text),
	CASE(fresh_read_only), CASE(fresh_data), CASE(hooks_far),
	CASE(hooks_many), CASE(hook_object), CASE(hook_flags),
	CASE(hook_flags_none), CASE(hook_state_odd), CASE(hook_state_end),
	CASE(hook_state_far), CASE(hook_state_text), CASE(hook_state_fresh),
	CASE(hook_state_data), CASE(hook_control_odd),
	CASE(hook_control_end), CASE(hook_control_far),
	CASE(hook_control_kept), CASE(hooks_of_one),
};

#define CHANGES	(sizeof(changes) / sizeof(*changes))

static void begin(void)
{
	memcpy(h, good, good_size);
	memset((char *)h + good_size, 0, 65536);
	size = good_size;
}

static bool refused(const char *what)
{
	int ret = genl_load(&genl, h, size);

	if (ret < 0 && genl.words[0])
		return true;
	tap_note("%s: %s (%d) '%s'", what, ret ? strerror(-ret) : "accepted",
		 ret, genl.words);
	return false;
}

/* Nothing may be loaded by the time that the socket is closed. */
static bool accepted(const char *what, void (*change)(void))
{
	int ret;

	begin();
	change();
	ret = genl_load(&genl, h, size);
	genl_close(&genl);
	if (!genl_open(&genl))
		return false;
	if (ret)
		tap_note("%s: %d '%s'", what, ret, genl.words);
	return !ret;
}

static void good_fixup(void)
{
	add_fixup();
}

static void good_extern(void)
{
	add_extern_fixup();
}

static void good_copy(void)
{
	add_copy()->addend = object()->size - 8;
}

static void good_hook(void)
{
	add_hook();
}

static void good_parts(void)
{
	add_parts(2);
}

static void good_segment(void)
{
	add_segment();
}

static bool flip_bits(void)
{
	int refusals = 0;
	bool fine = true;

	srand(1);
	for (int i = 0; i < FLIPS; i++) {
		size_t at = rand() % good_size;
		int ret;

		begin();
		((char *)h)[at] ^= 1 << rand() % 8;
		ret = genl_load(&genl, h, size);
		if (ret && !genl.words[0]) {
			tap_note("byte %zu: %s without words", at,
				 strerror(-ret));
			fine = false;
		}
		refusals += ret < 0;
		/* What was accepted must not be in the way of the next. */
		genl_close(&genl);
		fine = genl_open(&genl) && fine;
	}
	tap_note("%d of %d refused", refusals, FLIPS);
	return fine && refusals > FLIPS / 4;
}

static bool truncate_all(void)
{
	bool fine = true;

	for (size_t n = 0; n < good_size; n += n < 200 ? 7 : 31) {
		begin();
		size = n;
		fine = refused("truncated") && fine;
		/* And with a size that admits it. */
		if (n < 16)
			continue;
		h->size = n;
		fine = refused("truncated, size adapted") && fine;
	}
	return fine;
}

int main(void)
{
	good = read_whole(built_path("pie/v2.image"), &good_size);
	if (!good)
		tap_skip_all("pie/v2.image is missing");
	if (!genl_open(&genl))
		tap_skip_all("the module is not loaded");
	h = malloc(good_size + 65536);
	tap_plan(CHANGES + 10);
	tap_result(accepted("good", no_change), "the image itself is accepted");
	tap_result(accepted("fixup", good_fixup),
		   "so is one with a good fixup");
	tap_result(accepted("extern", good_extern),
		   "and one with a good extern");
	tap_result(accepted("copy", good_copy), "and one with a good copy");
	tap_result(accepted("hook", good_hook), "and one with a good hook");
	tap_result(accepted("parts", good_parts), "and one with good parts");
	tap_result(accepted("segment", good_segment),
		   "and one with another segment");
	for (size_t i = 0; i < CHANGES; i++) {
		bool good;

		begin();
		changes[i].change();
		good = refused(changes[i].name);
		tap_result(good, "%s is refused: %s", changes[i].name,
			   genl.words);
	}
	tap_result(truncate_all(), "truncated images are refused");
	tap_result(flip_bits(), "flipped bits do no harm");
	tap_result(accepted("good", no_change), "the image is still accepted");
	return tap_exit();
}
