/* SPDX-License-Identifier: GPL-2.0 */
/* hpkm-build: what it says at its end, on standard output. */
#ifndef HPKM_BUILD_REPORT_H
#define HPKM_BUILD_REPORT_H

#include "build_options.h"
#include "patch.h"

/* @status: an enum hpkm_exit.  @size: of the image, when there is one. */
void hpkm_build_report_json(const struct hpkm_patch *patch,
			    const struct hpkm_options *o, int status,
			    size_t size);
/* When a patch object was written. */
void hpkm_build_report_text(const struct hpkm_patch *patch,
			    const struct hpkm_options *o, size_t size);

#endif /* HPKM_BUILD_REPORT_H */
