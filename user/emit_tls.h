/* SPDX-License-Identifier: GPL-2.0 */
/* Between stages 2 and 3: references to thread-local variables. */
#ifndef HPKM_EMIT_TLS_H
#define HPKM_EMIT_TLS_H

#include "emit.h"

/* For the relocations of the thread-local models; may refuse. */
void hpkm_emit_tls(struct hpkm_emit *e);

#endif /* HPKM_EMIT_TLS_H */
