// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled without call frame information, but with a frame pointer, by which
 * a guess could be made.
 */
void nocfi(void (*within)(void));

void nocfi(void (*within)(void))
{
	within();
	__asm__ volatile("" : : : "memory");
}
