/* SPDX-License-Identifier: GPL-2.0 */
/* The hooks of patches: words in the target that its own threads work by. */
#ifndef _HPKM_KMOD_HOOK_H
#define _HPKM_KMOD_HOOK_H

#include "state.h"
#include "target.h"

struct hpkm_transition;

bool hpkm_hook_state(const struct hpkm_target *target,
		     const struct hpkm_place *place, u32 object, u32 *state);
bool hpkm_hook_pending(const struct hpkm_target *target,
		       const struct hpkm_place *place);

int hpkm_hook_want(struct hpkm_transition *t, const char *name);
void hpkm_hook_give_up(struct hpkm_transition *t);
void hpkm_hook_take_back(struct hpkm_transition *t, const char *name);
int hpkm_hook_guard(struct hpkm_transition *t, const char *name);

#endif /* _HPKM_KMOD_HOOK_H */
