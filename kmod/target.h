/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 7: a process, its memory, and the objects that are mapped in it. */
#ifndef _HPKM_TARGET_H
#define _HPKM_TARGET_H

#include <linux/list.h>
#include <linux/sched.h>

#include "patch.h"

struct hpkm_place;

/**
 * struct hpkm_target - the address space that is to be patched
 * @node: in the claims, see hpkm_target_claim()
 * @mm: holds mm_users: its mappings stay while we look at them, even when
 *	every thread has gone
 * @group: the thread group it was found by
 * @pid: of that, in the initial pid namespace
 * @start_time: when it started, as in /proc/PID/stat
 * @comm: name of its leader
 * @named: by the operator, who knows what it runs: pages of its files may be
 *	waited for even if a process has to bring them
 */
struct hpkm_target {
	struct hlist_node node;
	struct mm_struct *mm;
	struct pid *group;
	pid_t pid;
	u64 start_time;
	char comm[TASK_COMM_LEN];
	bool named;
};

/* Is what a patch is for mapped in a process? */
enum hpkm_maps {
	HPKM_MAPS_NOT,
	HPKM_MAPS_ALL,
	HPKM_MAPS_SERVED,	/* it is, from files that a process serves */
};

int hpkm_target_open(struct hpkm_target *target, struct pid *group,
		     u64 start_time, char *why, size_t why_size);
void hpkm_target_leave(struct hpkm_target *target);
void hpkm_target_close(struct hpkm_target *target);
bool hpkm_target_alive(const struct hpkm_target *target);

bool hpkm_target_claim(struct hpkm_target *target);
void hpkm_target_unclaim(struct hpkm_target *target);

int hpkm_target_read(const struct hpkm_target *target, unsigned long address,
		     void *to, size_t size);
int hpkm_target_write(const struct hpkm_target *target, unsigned long address,
		      const void *from, size_t size);
int hpkm_target_pin(const struct hpkm_target *target, unsigned long address,
		    unsigned int flags, struct page **page);

int hpkm_target_resolve(const struct hpkm_target *target,
			struct hpkm_place *place, char *why, size_t why_size);
int hpkm_target_find(const struct hpkm_target *target,
		     const struct hpkm_image_object *o, unsigned long *base);
bool hpkm_target_in_object(const struct hpkm_target *target,
			   unsigned long base, u64 offset);
int hpkm_target_is_at(const struct hpkm_target *target,
		      const struct hpkm_image_object *object,
		      unsigned long base);
enum hpkm_maps hpkm_target_maps(const struct hpkm_target *target,
				const struct hpkm_patch *patch);
int hpkm_target_check_text(const struct hpkm_target *target,
			   unsigned long start, size_t size);

pid_t *hpkm_target_pids(size_t *count);

#endif /* _HPKM_TARGET_H */
