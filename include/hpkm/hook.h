/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words that hooks of a patch are run by.  New code (user/arch/x86_hook.S)
 * and the kernel module (kmod/hook.c) share them; both include this, and so
 * does assembler source.  Authors of patches include hpkm/patch.h instead.
 *
 * Every function of an object with hooks is entered through a gate, which
 * lets a thread pass while "state" is READY.  In any other state the thread
 * goes through hpkm_x86_hook_enter(), which does what the table says, and passes
 * then.  Work is done holding "owner": 0, or the thread pointer of the thread
 * that does it.  A thread that owns it already passes at once (a hook calls a
 * function of the patch, or a signal handler that interrupted it does);
 * another one waits.
 *
 * state       who moves it on          to          when
 * ---------   ----------------------   ---------   ------------------------------
 * PENDING     a thread, as owner       APPLYING    it has come first
 * APPLYING    the owner                READY       its apply hooks have returned
 *             a thread, as owner       PENDING     there was no owner (see below)
 * READY       the kernel               WANTED      a revert is asked for
 * WANTED      a thread, as owner       REVERTING   "wanted" is set
 *             a thread, as owner       READY       it is not: taken back
 * REVERTING   the owner                REVERTED    its revert hooks have returned
 *             a thread, as owner       PENDING     there was no owner
 * REVERTED    the kernel               -           the patch is reverted
 *             a thread, as owner       PENDING     "wanted" is not set any more
 *
 * In REVERTED threads pass while "wanted" is set.  An object without apply
 * hooks goes from PENDING to READY all the same: READY says that new code may
 * have run, and only then there is something for a revert hook to undo.
 *
 * "state" is inherited by fork.  "owner" and "wanted" are not: in a child they
 * are 0.  So a child whose parent was just running a hook in another thread
 * finds a state that is being worked at, and no owner.  The hook was cut off
 * there; it is run again from its start.  And a revert that was wanted of the
 * parent is not wanted of the child.
 *
 * The kernel sets "wanted" before it moves "state", and moves it by a
 * compare-and-exchange, from READY only.  Taking back is clearing "wanted".
 */
#ifndef _HPKM_HOOK_H
#define _HPKM_HOOK_H

/* The word "state", 8 bytes; zero to begin with. */
#define HPKM_HOOK_PENDING	0
#define HPKM_HOOK_APPLYING	1
#define HPKM_HOOK_READY		2
#define HPKM_HOOK_WANTED	3
#define HPKM_HOOK_REVERTING	4
#define HPKM_HOOK_REVERTED	5

/* The control words, 8 bytes each, zero to begin with. */
#define HPKM_HOOK_OWNER		0	/* offset */
#define HPKM_HOOK_WANT		8	/* offset */

#endif /* _HPKM_HOOK_H */
