/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The image: what is uploaded to the kernel, byte for byte the section
 * ".hpkm.image" of a patch object.  Shared by the module and the tools;
 * described for people in Documentation/image-format.rst.
 *
 * Everything is little-endian and of fixed width; there are offsets only,
 * never pointers.  Three kinds of offsets occur:
 *
 *   image offset   bytes from the first byte of the image (tables, data)
 *   object offset  bytes from the base of an object.  The base is where the
 *                  page of file offset 0 (the ELF header) is mapped.
 *   span offset    bytes from the start of an object's span.  A span is the
 *                  address range that an image takes up near one anchor.
 *
 * A reader trusts nothing here before hpkm_image_check() (kernel) or
 * image_check() (tools) has accepted the whole image.
 */
#ifndef _HPKM_IMAGE_H
#define _HPKM_IMAGE_H

#include <linux/types.h>

#define HPKM_IMAGE_SECTION	".hpkm.image"
/* SHA-256 of that section's content. */
#define HPKM_DIGEST_SECTION	".hpkm.digest"
#define HPKM_IMAGE_MAGIC	"\177hpkm\r\n\032"
#define HPKM_IMAGE_FORMAT	1

/* Limits.  They bound what a validator has to look at. */
#define HPKM_IMAGE_SIZE_MAX	(64U << 20)
#define HPKM_SPAN_SIZE_MAX	(256U << 20)
#define HPKM_OBJECTS_MAX	64
#define HPKM_SEGMENTS_MAX	256
#define HPKM_FUNCS_MAX		131072
#define HPKM_PARTS_MAX		131072
#define HPKM_DEPENDS_MAX	64
#define HPKM_EXTERNS_MAX	1024
#define HPKM_ID_MAX		64
#define HPKM_DIGEST_SIZE	32	/* SHA-256 */
#define HPKM_WINDOW_MAX		16
#define HPKM_NAME_MAX		63	/* [A-Za-z0-9_.+-], not starting with . or - */

/* A table of fixed-size entries; its offset is a multiple of 8. */
struct hpkm_image_table {
	__u32 offset;		/* image offset */
	__u32 count;		/* entries (strings: bytes) */
};

enum hpkm_image_flags {
	/* When enabled, every other patch of the target is reverted. */
	HPKM_IMAGE_REPLACE	= 1 << 0,
};

struct hpkm_image_header {
	__u8 magic[8];
	__u32 format;		/* HPKM_IMAGE_FORMAT */
	__u32 size;		/* of the whole image */
	__u16 machine;		/* ELF e_machine */
	__u16 flags;		/* enum hpkm_image_flags */
	__u32 align;		/* segments' mem_offset and mem_size: a power of two */
	__u32 name;		/* string: HPKM_NAME_MAX */
	__u32 version;		/* string, free text on one line */
	__u32 description;	/* string, free text */
	__u32 reserved;		/* 0 */
	struct hpkm_image_table objects;
	struct hpkm_image_table segments;
	struct hpkm_image_table funcs;
	struct hpkm_image_table parts;
	struct hpkm_image_table fixups;
	struct hpkm_image_table externs;
	struct hpkm_image_table depends;	/* __u32 strings: patch names */
	struct hpkm_image_table hooks;
	struct hpkm_image_table strings;	/* NUL-terminated; the first one is "" */
};

enum hpkm_object_role {
	HPKM_OBJECT_ANCHOR	= 1,	/* has funcs, and segments near it */
	HPKM_OBJECT_REFERENCED	= 2,	/* fixups refer to it */
};

enum hpkm_id_kind {
	/* id is the descriptor of NT_GNU_BUILD_ID, found at id_offset. */
	HPKM_ID_BUILD_ID	= 1,
	/* id is the SHA-256 of the object's first 4096 bytes; id_offset is 0. */
	HPKM_ID_PAGE_DIGEST	= 2,
};

enum hpkm_object_flags {
	/* Linked for one address (ET_EXEC): base must equal link_base. */
	HPKM_OBJECT_FIXED	= 1 << 0,
};

struct hpkm_image_object {
	__u32 name;		/* string: file name without directories, for messages */
	__u16 role;		/* enum hpkm_object_role */
	__u16 flags;		/* enum hpkm_object_flags */
	__u16 id_kind;		/* enum hpkm_id_kind */
	__u16 id_size;		/* bytes used of id, 1 to HPKM_ID_MAX */
	__u32 reserved;		/* 0 */
	__u8 id[HPKM_ID_MAX];
	__u64 id_offset;	/* object offset of the identifying bytes */
	__u64 size;		/* object offset of the end of its last segment */
	__u64 link_base;	/* HPKM_OBJECT_FIXED: the base; else 0 */
	__u64 span_size;	/* anchor: a multiple of align; referenced: 0 */
	/*
	 * Where the image was linked to stand: span start minus base.  At that
	 * distance PC-relative references to the anchor are right as they are,
	 * and the text pages can be shared by all processes.
	 */
	__s64 span_distance;
};

enum hpkm_prot {
	HPKM_PROT_READ		= 1 << 0,
	HPKM_PROT_WRITE		= 1 << 1,	/* never with EXEC */
	HPKM_PROT_EXEC		= 1 << 2,
	/*
	 * A forked child does not inherit what was written here, but gets
	 * zeros.  With READ and WRITE only; data_size is 0.
	 */
	HPKM_PROT_FRESH		= 1 << 3,
};

/* Segments of one object stand in ascending, non-overlapping mem_offset. */
struct hpkm_image_segment {
	__u32 object;		/* index; that object is an anchor */
	__u32 prot;		/* enum hpkm_prot; READ always */
	__u32 data_offset;	/* image offset of the initial content */
	__u32 data_size;	/* the rest of mem_size is zero */
	__u64 mem_offset;	/* span offset, a multiple of align */
	__u64 mem_size;		/* a multiple of align, not 0 */
};

enum hpkm_func_flags {
	/*
	 * The old code leads back to its first instruction by other ways than
	 * calls.  Who is there need not have been called, and may be in the
	 * middle of a loop.
	 */
	HPKM_FUNC_LOOPS		= 1 << 0,
};

/*
 * Funcs stand in ascending (object, old_offset); what they change (the longer
 * of old_size and window_size) does not overlap.
 */
struct hpkm_image_func {
	__u32 object;		/* index; that object is an anchor */
	__u32 name;		/* string: symbol, with "@file" when it is not unique */
	__u64 old_offset;	/* object offset of the first instruction */
	__u64 old_size;		/* bytes of the old body; see digest */
	__u64 new_offset;	/* span offset; inside an executable segment */
	__u64 new_size;
	/*
	 * The window: the bytes from old_offset on that the trampoline takes
	 * up, landing pad included.  It may be longer than old_size where
	 * padding follows.
	 */
	__u32 window_size;	/* 1 to HPKM_WINDOW_MAX */
	__u32 flags;		/* enum hpkm_func_flags */
	__u8 window[HPKM_WINDOW_MAX];
	__u8 digest[HPKM_DIGEST_SIZE];	/* SHA-256 of the old_size old bytes */
};

/*
 * A part of an old body that the compiler moved away from it (".cold").  Nothing
 * is written there; but a thread that is in it is in the old function.  Parts
 * stand in ascending (object, old_offset); they overlap neither funcs nor parts.
 */
struct hpkm_image_part {
	__u32 func;		/* index */
	__u32 reserved;		/* 0 */
	__u64 old_offset;	/* object offset, in the func's object */
	__u64 old_size;
};

/*
 * A symbol that the anchors did not import: it is looked for by name when the
 * patch is applied, among the objects that the process has loaded, and bound
 * to a place in one of them.
 */
enum hpkm_extern_flags {
	HPKM_EXTERN_WEAK	= 1 << 0,	/* may stay unbound: then 0 */
};

struct hpkm_image_extern {
	__u32 name;		/* string: symbol */
	__u32 version;		/* string: symbol version; "": the default */
	__u32 flags;		/* enum hpkm_extern_flags */
	__u32 object;		/* index: the anchor that refers to it */
};

/*
 * What is added at apply time.  In psABI letters: S + A is the base that
 * "relative" and "object" name plus addend, P is the address of the place.
 */
enum hpkm_fixup_kind {
	HPKM_FIXUP_ABS64	= 1,	/* S + A, 64 bits */
	HPKM_FIXUP_ABS32	= 2,	/* S + A, 32 bits, zero-extended */
	HPKM_FIXUP_ABS32S	= 3,	/* S + A, 32 bits, sign-extended */
	HPKM_FIXUP_PC32		= 4,	/* S + A - P, 32 bits, signed */
	HPKM_FIXUP_PC64		= 5,	/* S + A - P, 64 bits */
	/* The 8 bytes at S + A, a slot that the dynamic linker has filled,
	 * plus the 8 bytes that the image has at the place.
	 */
	HPKM_FIXUP_COPY64	= 6,
};

enum hpkm_fixup_relative {
	HPKM_RELATIVE_OBJECT	= 1,	/* S = base of the object */
	HPKM_RELATIVE_SPAN	= 2,	/* S = start of the object's span */
	HPKM_RELATIVE_EXTERN	= 3,	/* S = what the extern is bound to */
};

/* Fixups stand in ascending (segment, place) and do not overlap. */
struct hpkm_image_fixup {
	__u16 kind;		/* enum hpkm_fixup_kind */
	__u16 relative;		/* enum hpkm_fixup_relative */
	__u32 object;		/* index of what S is the base of, or extern */
	__u32 segment;		/* index: where the place is */
	__u32 place;		/* bytes from the segment's start, inside its data */
	__s64 addend;
};

enum hpkm_hook_flags {
	HPKM_HOOK_APPLY		= 1 << 0,	/* has an apply hook */
	HPKM_HOOK_REVERT	= 1 << 1,	/* has a revert hook */
};

/*
 * The hooks of one object: where their words are, which new code and kernel
 * share (include/hpkm/hook.h).  At most one for an object; they stand in
 * ascending object.
 */
struct hpkm_image_hook {
	__u32 object;		/* index; that object is an anchor */
	__u32 flags;		/* enum hpkm_hook_flags, not 0 */
	__u64 state;		/* span offset, writable segment, 8 bytes */
	__u64 control;		/* span offset, FRESH segment, 16 bytes */
};

#endif /* _HPKM_IMAGE_H */
