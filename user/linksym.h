/* SPDX-License-Identifier: GPL-2.0 */
/* The symbols of the objects that a process has loaded (before stage 5). */
#ifndef HPKM_LINKSYM_H
#define HPKM_LINKSYM_H

#include "linkmap.h"

struct hpkm_linkmap_symbol {
	uint64_t value;		/* virtual address, as in the file */
	uint8_t type, bind;
	uint16_t section;
	const char *version;	/* "" where it has none */
};

/*
 * The definition that a reference would be bound to if it were looked for in
 * this object: of @version, or the default one when that is "".
 */
bool hpkm_linkmap_find(const struct hpkm_linkmap *map,
		       const struct hpkm_linkmap_object *object,
		       const char *name, const char *version,
		       struct hpkm_linkmap_symbol *symbol);
/* The version of an entry of an object's symbol table, defined or needed. */
const char *hpkm_linkmap_version(const struct hpkm_linkmap *map,
				 const struct hpkm_linkmap_object *object,
				 uint32_t index);

#endif /* HPKM_LINKSYM_H */
