/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CORE_HMAC_H
#define _CORE_HMAC_H

#include "sha256.h"

/**
 * hmac() - HMAC-SHA256 (RFC 2104)
 * @key: @len bytes of it, SHA256_BLOCK_SIZE at most
 * @text: @text_len bytes: root-mode callers bound it
 * @mac: out; may be @text
 */
void hmac(const u8 *key, u32 len, const void *text, u32 text_len, u8 mac[SHA256_DIGEST_SIZE]);

#endif /* _CORE_HMAC_H */
