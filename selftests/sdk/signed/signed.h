/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions for signed.test: 0 or more, or -MON_E*. */
#ifndef _SIGNED_H
#define _SIGNED_H

#include "mon_interface.h"

#define TEXT_SIZE 16
#define BLOB_SIZE 72

MON_ECALL(long, who, MON_OUT(uint8_t *, signer, 32));
MON_ECALL(long, key_for, unsigned int version, MON_OUT(uint8_t *, key, 32));
MON_ECALL(long, keep, MON_IN(const uint8_t *, text, TEXT_SIZE),
	  MON_OUT(uint8_t *, blob, BLOB_SIZE));
MON_ECALL(long, look, MON_IN(const uint8_t *, blob, BLOB_SIZE),
	  MON_OUT(uint8_t *, text, TEXT_SIZE));

/* A counter, or what comes of another value for it. */
MON_ECALL(long, current, unsigned int number);
MON_ECALL(long, advance, unsigned int number, uint64_t value);

#endif /* _SIGNED_H */
