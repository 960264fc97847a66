/* SPDX-License-Identifier: GPL-2.0 */
/* Unmapping what was reverted while it was in use. */
#ifndef _HPKM_RETIRE_H
#define _HPKM_RETIRE_H

void hpkm_retire_later(void);
void hpkm_retire_exit(void);

#endif /* _HPKM_RETIRE_H */
