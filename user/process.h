/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes as /proc shows them (stage 5): which of them a request is for,
 * and what a thread waits in (stage 11).
 */
#ifndef HPKM_PROCESS_H
#define HPKM_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/* The kernel allows comm 16 bytes; kernel threads' can be longer in /proc. */
#define HPKM_COMM_SIZE	65

struct hpkm_process {
	uint32_t pid;
	uint32_t tgid;		/* differs from pid: pid is a thread's id */
	uint64_t start_time;	/* field 22 of /proc/PID/stat */
	char comm[HPKM_COMM_SIZE];
};

/*
 * Fill comm and start_time from the text of /proc/PID/stat.  The name in it
 * may hold anything, ')' and line ends too, so it ends at the last ')'.
 * Return: 0, or -EINVAL.
 */
int hpkm_process_parse_stat(const char *text, struct hpkm_process *process);

/*
 * Return: 0; -ESRCH when there is no such process; -ENOSYS when there is no
 * /proc to look in; another negative errno.
 */
int hpkm_process_read(uint32_t pid, struct hpkm_process *process);

/*
 * The first word of a file of /proc/TID that tells what a thread does now,
 * "wchan" or "syscall"; allocated.  NULL when it can't be read or tells
 * nothing.
 */
char *hpkm_process_waits(uint32_t tid, const char *file);

/* Context switches of a thread so far.  Return: 0, or a negative errno. */
int hpkm_process_switches(uint32_t pid, uint32_t tid, uint64_t *switches);

/*
 * What a thread does: the letter of /proc/TID/stat, 'T' when it is stopped,
 * 't' when traced; 0 when that can't be read.
 */
char hpkm_process_state(uint32_t tid);

#endif /* HPKM_PROCESS_H */
