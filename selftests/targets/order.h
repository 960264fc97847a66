/* SPDX-License-Identifier: GPL-2.0 */
/* Between desk.c and order.c. */
#include <stdatomic.h>

extern atomic_int order_runs, order_done, order_early, order_undone;
extern atomic_int order_hold, order_in_hook, order_linger;

int order(void);
int linger(void);
