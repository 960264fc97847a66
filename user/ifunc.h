/* SPDX-License-Identifier: GPL-2.0 */
/* Which implementation an IFUNC stands for in a process (before stage 5). */
#ifndef HPKM_IFUNC_H
#define HPKM_IFUNC_H

#include "linksym.h"

/*
 * The symbol is an IFUNC, defined by @object.
 * Return: the address of its implementation; 0 and, in @why, the reason.
 */
uint64_t hpkm_ifunc_resolve(const struct hpkm_linkmap *map,
			    const struct hpkm_linkmap_object *object,
			    const char *name,
			    const struct hpkm_linkmap_symbol *symbol,
			    char *why, size_t why_size);

#endif /* HPKM_IFUNC_H */
