/* SPDX-License-Identifier: GPL-2.0 */
/* What make-target generates: functions that tell their version. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#ifndef VERSION
#define VERSION	1
#endif

/* The answer to x is (x ^ index) * 8 + VERSION. */
extern unsigned long (*const functions[])(unsigned long x);
extern const unsigned int function_count;

#endif /* FUNCTIONS_H */
