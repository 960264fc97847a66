/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For authors of patches: hooks and shadow variables.  A fix includes this
 * header in the files that it changes; hpkm-build finds what the macros leave
 * in the object files.  Documentation/patch-author-guide.rst has examples.
 *
 * It compiles as C89 and later and as C++, with gcc and clang, with or without
 * -fPIC.  What it defines is local to each object file, but for the table of
 * shadow variables, of which there is one in each patched program or library.
 *
 *
 * Hooks
 * =====
 *
 *	static void convert(void) { ... }
 *	HPKM_APPLY_HOOK(convert);
 *
 * An apply hook runs in the patched process, in the first thread that calls
 * one of the patch's functions, before that call is let through.  Other threads
 * that call one meanwhile wait.  So no new code of this program (or library)
 * runs before its apply hooks have returned.
 *
 * A revert hook runs when the patch is to be reverted, in the same way: the
 * next thread that calls one of the patch's functions runs it, before the old
 * functions are put back.  From there to the switch new code still runs, so
 * what a revert hook leaves must be fit for both.
 *
 *	state		apply hook	revert hook	new code
 *	-------------	-------------	-------------	----------------------
 *	pending		not run yet	-		none has run
 *	applying	runs now	-		waits
 *	ready		has run		-		runs
 *	wanted		has run		not run yet	runs; the next call
 *							starts the revert hook
 *	reverting	has run		runs now	waits
 *	reverted	has run		has run		runs, until the switch
 *
 * A patch that is reverted in state "pending" is reverted without its revert
 * hook: there is nothing to undo.  If a revert is given up, the state goes from
 * "wanted" back to "ready", and from "reverted" back to "pending": the apply
 * hook runs again before any new code does.
 *
 * Each process runs them for itself.  A child that was forked while the patch
 * was pending runs its own; one that was forked later has inherited what
 * the hook did.  A child forked, by another thread, just while a hook runs, starts
 * it anew: hooks of programs that do this must bear to be cut off and run again.
 *
 * The rules of a hook:
 *
 * - It runs within the call that it holds up: on that thread's stack, with
 *   whatever locks the caller holds.  It must not take a lock that a caller of
 *   any of the patch's functions may hold; threads that wait hold theirs.
 * - It may read and write the program's data and call its functions, those of
 *   the patch too: its own calls, and those of a signal handler that interrupts
 *   it, pass at once.
 * - It must return: no longjmp, no exception, no pthread_exit, no
 *   cancellation.  It must not fork and let the child go on in it.
 * - It should be short.  Waiting threads spin, which a thread of higher real-time
 *   priority on the same CPU does for ever.
 * - All registers are saved around it, but not errno.
 * - The tile registers of AMX are not saved.
 *
 * There may be several; apply hooks run in the order of object files and
 * lines, revert hooks in the reverse order.
 *
 *
 * Shadow variables
 * ================
 *
 * They add a member to a structure that the running program has allocated
 * already: a piece of memory that belongs to an object (any pointer) and an id.
 * Names and meaning are those of kernel livepatch.
 *
 * They are freed with hpkm_shadow_free(), where the object is, or all of an id
 * with hpkm_shadow_free_all(), from a revert hook.  What is not freed then is
 * lost.  Each patch has a table of its own: one does not find the shadow
 * variables of another.
 *
 * hpkm_shadow_get() may be called from signal handlers; the others may not, for
 * malloc() may not.  Constructors are called with a lock held, and must not
 * wait for another thread that may use shadow variables.  A forked child has
 * its parent's shadow variables.
 */
#ifndef _HPKM_PATCH_AUTHOR_H
#define _HPKM_PATCH_AUTHOR_H

#include <stddef.h>
#include <stdlib.h>

/* A compiler may turn their order round; the line tells it. */
struct hpkm__record {
	void (*fn)(void);
	unsigned long line;
};

#define HPKM__RECORD(kind, fn) \
	static const struct hpkm__record hpkm__##kind##_##fn \
	__attribute__((__used__, __section__(".hpkm." #kind))) = \
	{ fn, __LINE__ }

/* void fn(void) */
#define HPKM_APPLY_HOOK(fn)	HPKM__RECORD(apply, fn)
#define HPKM_REVERT_HOOK(fn)	HPKM__RECORD(revert, fn)

/*
 * Replace this function although it does not change: a call of it is then an
 * occasion for the hooks to run.  In C++ the name is the mangled one.
 */
#define HPKM_REPLACE(fn) \
	static const char hpkm__replace_##fn[] \
	__attribute__((__used__, __section__(".hpkm.replace"))) = #fn

/*
 * Where memory of shadow variables comes from: zeroed, and aligned as malloc()
 * does.  A program that has another allocator defines both before it
 * includes this header.
 */
#ifndef HPKM_SHADOW_CALLOC
#define HPKM_SHADOW_CALLOC(size)	calloc(1, size)
#define HPKM_SHADOW_FREE(memory)	free(memory)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a shadow variable what it shall be; not 0: there shall be none. */
typedef int (*hpkm_shadow_ctor_t)(void *obj, void *shadow_data,
				  void *ctor_data);
/* Called before the memory is freed. */
typedef void (*hpkm_shadow_dtor_t)(void *obj, void *shadow_data);

#define HPKM__SHADOW_BITS	12
#define HPKM__SHADOW_LOCKS	64
/* Room for the struct below; keeps the alignment of malloc(). */
#define HPKM__SHADOW_HEAD	32

struct hpkm__shadow {
	struct hpkm__shadow *next;
	void *obj;
	unsigned long id;
};

/*
 * One definition of these is taken into a patch.  A lock is 0 or the thread
 * pointer of who holds it; in a forked child all are 0.  Lists are changed by
 * single stores, so that a child finds them whole at any time.
 */
#define HPKM__SHARED __attribute__((__weak__, __visibility__("hidden")))

extern struct hpkm__shadow *hpkm__shadow_table[1 << HPKM__SHADOW_BITS]
	HPKM__SHARED;
extern unsigned long hpkm__shadow_locks[HPKM__SHADOW_LOCKS] HPKM__SHARED;

struct hpkm__shadow *hpkm__shadow_table[1 << HPKM__SHADOW_BITS] HPKM__SHARED;
unsigned long hpkm__shadow_locks[HPKM__SHADOW_LOCKS] HPKM__SHARED
	__attribute__((__section__(".bss.hpkm.fresh")));

static __inline__ unsigned long hpkm__self(void)
{
	unsigned long self;

#if defined(__x86_64__) && !defined(__ILP32__)
	__asm__("{movq %%fs:0, %0|mov %0, qword ptr fs:0}" : "=r" (self));
#else
#error "hpkm/patch.h: not for this architecture"
#endif
	return self;
}

static __inline__ void hpkm__pause(void)
{
	__asm__ __volatile__("pause" : : : "memory");
}

static __inline__ unsigned long hpkm__shadow_hash(void *obj, unsigned long id)
{
	return (((unsigned long)obj ^ id) * 0x9e3779b97f4a7c15UL) >>
		(64 - HPKM__SHADOW_BITS);
}

/* Returns 0 when this thread has the lock already: a handler, a constructor. */
static __inline__ int hpkm__shadow_lock(unsigned long hash)
{
	unsigned long *lock = &hpkm__shadow_locks[hash % HPKM__SHADOW_LOCKS];
	unsigned long self = hpkm__self(), nobody = 0;

	if (__atomic_load_n(lock, __ATOMIC_RELAXED) == self)
		return 0;
	while (!__atomic_compare_exchange_n(lock, &nobody, self, 0,
					    __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		nobody = 0;
		hpkm__pause();
	}
	return 1;
}

static __inline__ void hpkm__shadow_unlock(unsigned long hash, int locked)
{
	if (locked)
		__atomic_store_n(&hpkm__shadow_locks
				 [hash % HPKM__SHADOW_LOCKS], 0,
				 __ATOMIC_RELEASE);
}

/* The pointer that leads to it, or to the end of the list. */
static __inline__ struct hpkm__shadow **hpkm__shadow_find(unsigned long hash,
							  void *obj,
							  unsigned long id)
{
	struct hpkm__shadow **at = &hpkm__shadow_table[hash];

	while (*at && ((*at)->obj != obj || (*at)->id != id))
		at = &(*at)->next;
	return at;
}

static __inline__ void *hpkm__shadow_data(struct hpkm__shadow *shadow)
{
	return shadow ? (void *)((char *)shadow + HPKM__SHADOW_HEAD) :
		(void *)0;
}

/* The shadow variable of an object, or NULL. */
static __inline__ void *hpkm_shadow_get(void *obj, unsigned long id)
{
	unsigned long hash = hpkm__shadow_hash(obj, id);
	int locked = hpkm__shadow_lock(hash);
	struct hpkm__shadow *shadow = *hpkm__shadow_find(hash, obj, id);

	hpkm__shadow_unlock(hash, locked);
	return hpkm__shadow_data(shadow);
}

static __inline__ void *hpkm__shadow_add(void *obj, unsigned long id,
					 size_t size, hpkm_shadow_ctor_t ctor,
					 void *ctor_data, int or_get)
{
	unsigned long hash = hpkm__shadow_hash(obj, id);
	struct hpkm__shadow *fresh, *there;
	void *data = hpkm_shadow_get(obj, id);
	int locked;

	if (data)
		return or_get ? data : (void *)0;
	if (size > (size_t)-1 - HPKM__SHADOW_HEAD)
		return (void *)0;
	fresh = (struct hpkm__shadow *)
		HPKM_SHADOW_CALLOC(size + HPKM__SHADOW_HEAD);
	if (!fresh)
		return (void *)0;
	fresh->obj = obj;
	fresh->id = id;
	data = hpkm__shadow_data(fresh);

	locked = hpkm__shadow_lock(hash);
	there = *hpkm__shadow_find(hash, obj, id);
	if (!there && (!ctor || !ctor(obj, data, ctor_data))) {
		fresh->next = hpkm__shadow_table[hash];
		__atomic_store_n(&hpkm__shadow_table[hash], fresh,
				 __ATOMIC_RELEASE);
		hpkm__shadow_unlock(hash, locked);
		return data;
	}
	hpkm__shadow_unlock(hash, locked);
	HPKM_SHADOW_FREE(fresh);
	return or_get ? hpkm__shadow_data(there) : (void *)0;
}

/*
 * A new shadow variable of @size bytes, zeroed, then passed to @ctor (if any)
 * with @ctor_data.  NULL when there is one already, memory is short, or @ctor
 * fails.
 */
static __inline__ void *hpkm_shadow_alloc(void *obj, unsigned long id,
					  size_t size, hpkm_shadow_ctor_t ctor,
					  void *ctor_data)
{
	return hpkm__shadow_add(obj, id, size, ctor, ctor_data, 0);
}

/* The same, but gives the one that is there already. */
static __inline__ void *hpkm_shadow_get_or_alloc(void *obj, unsigned long id,
						 size_t size,
						 hpkm_shadow_ctor_t ctor,
						 void *ctor_data)
{
	return hpkm__shadow_add(obj, id, size, ctor, ctor_data, 1);
}

/* Free the shadow variable of an object, after calling @dtor (if any). */
static __inline__ void hpkm_shadow_free(void *obj, unsigned long id,
					hpkm_shadow_dtor_t dtor)
{
	unsigned long hash = hpkm__shadow_hash(obj, id);
	int locked = hpkm__shadow_lock(hash);
	struct hpkm__shadow **at = hpkm__shadow_find(hash, obj, id);
	struct hpkm__shadow *shadow = *at;

	if (shadow)
		__atomic_store_n(at, shadow->next, __ATOMIC_RELEASE);
	hpkm__shadow_unlock(hash, locked);
	if (!shadow)
		return;
	if (dtor)
		dtor(obj, hpkm__shadow_data(shadow));
	HPKM_SHADOW_FREE(shadow);
}

/* The first one of that id in a list, taken out of it, or NULL. */
static __inline__ struct hpkm__shadow *hpkm__shadow_take(unsigned long hash,
							 unsigned long id)
{
	int locked = hpkm__shadow_lock(hash);
	struct hpkm__shadow **at = &hpkm__shadow_table[hash];
	struct hpkm__shadow *shadow;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	shadow = *at;
	if (shadow)
		__atomic_store_n(at, shadow->next, __ATOMIC_RELEASE);
	hpkm__shadow_unlock(hash, locked);
	return shadow;
}

/* Free all shadow variables of that id, whatever object they belong to. */
static __inline__ void hpkm_shadow_free_all(unsigned long id,
					    hpkm_shadow_dtor_t dtor)
{
	struct hpkm__shadow *shadow;
	unsigned long hash;

	for (hash = 0; hash < 1UL << HPKM__SHADOW_BITS; hash++) {
		while ((shadow = hpkm__shadow_take(hash, id))) {
			if (dtor)
				dtor(shadow->obj, hpkm__shadow_data(shadow));
			HPKM_SHADOW_FREE(shadow);
		}
	}
}

#ifdef __cplusplus
}
#endif

#endif /* _HPKM_PATCH_AUTHOR_H */
