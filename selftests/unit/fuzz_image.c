// SPDX-License-Identifier: GPL-2.0
/* Any bytes at all, given to the image check that the module runs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	char why[256];

	memcpy(copy, data, size);
	/* Most changes hit the size field's check: let them get past it. */
	if (size >= sizeof(struct hpkm_image_header))
		((struct hpkm_image_header *)copy)->size = size;
	hpkm_image_check(copy, size, why, sizeof(why));
	free(copy);
	return 0;
}
