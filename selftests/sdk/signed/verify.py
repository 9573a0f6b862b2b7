#!/usr/bin/python3
"""Print who has signed an enclave: LMS by RFC 8554, a second implementation.

usage: verify.py SIGNATURE MEASUREMENT
"""
import hashlib
import struct
import sys

CHAINS = 67
HEIGHT = 10


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(name, leaf, text, random, chains, path):
    number = struct.pack(">I", leaf)
    digest = sha(name, number, b"\x81\x81", random, text)
    digits = [int(digit, 16) for digit in digest.hex()]
    digits += [int(digit, 16) for digit in f"{sum(15 - digit for digit in digits):03x}"]
    ends = []
    for i, (digit, value) in enumerate(zip(digits, chains)):
        for j in range(digit, 15):
            value = sha(name, number, struct.pack(">HB", i, j), value)
        ends.append(value)
    node = 2 ** HEIGHT + leaf
    value = sha(name, struct.pack(">I", node), b"\x82\x82", sha(name, number, b"\x80\x80", *ends))
    for beside in path:
        pair = (beside, value) if node % 2 else (value, beside)
        node //= 2
        value = sha(name, struct.pack(">I", node), b"\x83\x83", *pair)
    return value


def pieces(data):
    return [data[i:i + 32] for i in range(0, len(data), 32)]


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    key, data = data[:56], data[56:]
    assert struct.unpack(">II", key[:8]) == (6, 3)
    leaf, kind = struct.unpack(">II", data[:8])
    end = 40 + CHAINS * 32
    assert kind == 3 and struct.unpack(">I", data[end:end + 4]) == (6,)
    root = root_of(key[8:24], leaf, b"monitor-signer-1" + bytes.fromhex(sys.argv[2]), data[8:40],
                   pieces(data[40:end]), pieces(data[end + 4:end + 4 + HEIGHT * 32]))
    assert root == key[24:]
    print(sha(key).hex())


main()
