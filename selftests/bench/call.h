/* SPDX-License-Identifier: GPL-2.0 */
/* What call.S has for call.c. */
#ifndef CALL_H
#define CALL_H

#define CALL_FUNCTIONS	1000
#define CALL_STRIDE	80	/* bytes from function to function */

#ifndef __ASSEMBLER__
/* Functions of one length, and code that calls them. */
struct call_set {
	unsigned char *functions;	/* CALL_FUNCTIONS of version 1 */
	void (*one)(unsigned long n);	/* the first one, n times */
	void (*all)(unsigned long n);	/* all in turn, n times */
};

extern const struct call_set call_short, call_long;
/* The code of version 2, CALL_STRIDE bytes. */
extern const unsigned char call_short_new[], call_long_new[];
#endif

#endif /* CALL_H */
