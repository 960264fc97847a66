/* SPDX-License-Identifier: GPL-2.0 */
/* Example: a variable whose initial value was wrong. */
void quota_set(int value);
int quota_ok(int used);
