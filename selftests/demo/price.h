/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HPKM_DEMO_PRICE_H
#define HPKM_DEMO_PRICE_H

#define ITEMS 8

long price(unsigned int item, unsigned int count);

#endif
