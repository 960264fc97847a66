/* SPDX-License-Identifier: GPL-2.0 */
/* Many functions that are replaced at once. */
#ifndef MANY_H
#define MANY_H

#ifndef VERSION
#define VERSION	1
#endif

extern unsigned long (*const many[])(unsigned long x);
extern const unsigned int many_count;

#endif /* MANY_H */
