/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signatures by hashes alone: LMS (RFC 8554) with LMS_SHA256_M32_H10 and LMOTS_SHA256_N32_W4. The
 * monitor only verifies. That takes SHA-256 and no arithmetic; and no key that a quantum computer
 * could find.
 */
#ifndef _CORE_LMS_H
#define _CORE_LMS_H

#include "../uapi/enclave.h"
#include "sha256.h"

/**
 * lms_verify() - is it a signature of @message by @key?
 * @key: private to the caller
 * @signature: each byte is fetched once, so anybody may write to it meanwhile
 * @message: of @len bytes
 *
 * At most 1,005 blocks of SHA-256 for the chains, 34 to join them, and the message's.
 */
bool lms_verify(const struct mon_lms_key *key, const struct mon_lms_signature *signature,
		const void *message, u32 len);

#endif /* _CORE_LMS_H */
