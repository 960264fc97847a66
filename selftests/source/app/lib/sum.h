/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SUM_H
#define SUM_H

#include <stddef.h>

#include "limit.h"

int sum(int a, int b);
void describe(char *text, size_t size, int value);

#endif /* SUM_H */
