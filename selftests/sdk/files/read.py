#!/usr/bin/python3
"""Print what is in an enclave's file: a second implementation of its format.

usage: read.py IMAGE

The file's name is "a", and its key that of selftests/sdk/files/disk.c.
"""
import hashlib
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK = 4096
HEADER = 0xff
KEY = b"monfile1" + hashlib.sha256(b"a").digest()[:24]


def aes(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def xaes(key, nonce):
    """The cipher for a block, https://c2sp.org/XAES-256-GCM, and its nonce."""
    double = int.from_bytes(aes(key, bytes(16)), "big") << 1
    if double >> 128:
        double ^= 1 << 128 | 0x87
    subkey = double.to_bytes(16, "big")
    messages = (b"\0" + bytes([i]) + b"X\0" + nonce[:12] for i in (1, 2))
    return AESGCM(b"".join(aes(key, bytes(a ^ b for a, b in zip(message, subkey)))
                           for message in messages)), nonce[12:]


def unseal(level, index, sealed, nonce, tag):
    cipher, rest = xaes(KEY, nonce)
    return cipher.decrypt(rest, sealed + tag, struct.pack("<QQ", level, index))


def check_vectors():
    """Those of the specification."""
    cipher, rest = xaes(b"\1" * 32, b"ABCDEFGHIJKLMNOPQRSTUVWX")
    assert cipher.encrypt(rest, b"XAES-256-GCM", b"").hex() == \
        "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"


def read_header(image, slot):
    block = image[slot * BLOCK:(slot + 1) * BLOCK]
    if block[:8] != b"MONFILE1":
        return None
    head = unseal(HEADER, slot, block[64:], block[8:32], block[32:48])
    return struct.unpack_from("<QQQ", head), head[64:128]


def blocks(image, level, index, entry, contents):
    place, nonce, tag = struct.unpack_from("<Q24s16s", entry)
    if not place:
        return
    block = unseal(level, index, image[place * BLOCK:(place + 1) * BLOCK], nonce, tag)
    if level == 0:
        contents[index * BLOCK:(index + 1) * BLOCK] = block
        return
    for i in range(64):
        blocks(image, level - 1, index * 64 + i, block[i * 64:(i + 1) * 64], contents)


def main():
    check_vectors()
    with open(sys.argv[1], "rb") as file:
        image = file.read()
    (_, size, depth), root = max(filter(None, (read_header(image, slot) for slot in (0, 1))))
    contents = bytearray((size + BLOCK - 1) // BLOCK * BLOCK)
    blocks(image, depth, 0, root, contents)
    sys.stdout.buffer.write(contents[:size])


main()
