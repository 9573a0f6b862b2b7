# SPDX-License-Identifier: GPL-2.0-only
"""Sealed disks as uapi/disk.h has them, once more and for tests: a writer with the monitor's
protocol of commits, records included, and a reader. Written from the header, not from monctl."""
import hashlib
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BLOCK = 4096
TOUCHED = 63
FIRST_CHUNK, CHUNK, HEAD, FANOUT, LEAF_DATA = 64, 32768, 512, 254, 127
CHUNK_DATA = CHUNK - HEAD
DATA, LEAF, NODE, ROOT, SUPER, JOURNAL = range(1, 7)
LOST = 2**64 - 1
CLEAN = 1
MAGIC = 0x314b5349444e4f4d
ROOTS, SUPER_RECORDS, JOURNAL_RECORDS = 128, 48, 101
ZEROS = bytes(BLOCK)
SUPER_HEAD = struct.Struct("<QII16sQQQII")
NEVER = (bytes(16), 0, 0)


def data_at(block):
    return FIRST_CHUNK + block // CHUNK_DATA * CHUNK + HEAD + block % CHUNK_DATA


def leaf_of(block):
    return block // CHUNK_DATA * FANOUT + block % CHUNK_DATA // LEAF_DATA


def seal_of(block):
    """Which of its leaf's seals is the block's."""
    return block % CHUNK_DATA % LEAF_DATA


def meta_at(kind, index, slot):
    if kind == ROOT:
        return FIRST_CHUNK + index * FANOUT * CHUNK + slot
    if kind == NODE:
        return FIRST_CHUNK + index * CHUNK + 2 + slot
    return FIRST_CHUNK + index // FANOUT * CHUNK + 4 + 2 * (index % FANOUT) + slot


def image_blocks(blocks):
    return data_at(blocks - 1) + 1


class Keys:
    """Seals by one disk's key."""

    def __init__(self, key, uuid):
        self.key, self.uuid = key, uuid
        self.sessions = {}

    def session_key(self, session):
        info = b"monitor-disk-1" + struct.pack("<Q", session)
        return HKDF(hashes.SHA256(), 32, self.uuid, info).derive(self.key)

    def gcm(self, session):
        if session not in self.sessions:
            self.sessions[session] = AESGCM(self.session_key(session))
        return self.sessions[session]

    def place(self, kind, index):
        return self.uuid + struct.pack("<IIQ", kind, 0, index)

    @staticmethod
    def nonce(count):
        return bytes(4) + struct.pack(">Q", count)

    def seal_data(self, index, session, count, plain):
        """The seal and what is stored."""
        out = self.gcm(session).encrypt(self.nonce(count), plain, self.place(DATA, index))
        return (out[BLOCK:], session, count), out[:BLOCK]

    def open_data(self, index, seal, stored):
        """What was written, or None."""
        tag, session, count = seal
        try:
            return self.gcm(session).decrypt(self.nonce(count), stored + tag,
                                             self.place(DATA, index))
        except InvalidTag:
            return None

    def seal_meta(self, kind, index, session, count, body):
        """The whole block; @body is what is behind its seal."""
        tag = self.gcm(session).encrypt(self.nonce(count), b"", self.place(kind, index) + body)
        return tag + struct.pack("<QQ", session, count) + body

    def verify_meta(self, kind, index, block):
        tag, session, count = struct.unpack("<16sQQ", block[:32])
        try:
            self.gcm(session).decrypt(self.nonce(count), tag, self.place(kind, index) + block[32:])
            return True
        except InvalidTag:
            return False


class Image(dict):
    """Blocks by their number; those that are not there are zeros."""

    size = 0

    @classmethod
    def load(cls, path):
        image = cls()
        image.size = os.path.getsize(path)
        with open(path, "rb") as file:
            at = 0
            while at < image.size:
                try:
                    at = file.seek(at, os.SEEK_DATA) // BLOCK * BLOCK
                except OSError:
                    break
                end = file.seek(at, os.SEEK_HOLE)
                file.seek(at)
                while at < end:
                    data = file.read(BLOCK)
                    if data.strip(b"\0"):
                        image[at // BLOCK] = data.ljust(BLOCK, b"\0")
                    at += BLOCK
        return image

    def block(self, number):
        return self.get(number, ZEROS)

    def save(self, path):
        with open(path, "wb") as file:
            file.truncate(self.size)
            for number, data in self.items():
                file.seek(number * BLOCK)
                file.write(data)

    def copy(self):
        other = Image(self)
        other.size = self.size
        return other

    def digest(self):
        digest = hashlib.sha256()
        for number in range(self.size // BLOCK):
            digest.update(self.block(number))
        return digest.hexdigest()


def pack_super(s):
    records = s["record"][:SUPER_RECORDS]
    body = SUPER_HEAD.pack(s["magic"], s["version"], s["flags"], s["uuid"], s["commit"],
                           s["blocks"], s["opened"], s["records"], s["reserved"])
    body += b"".join(struct.pack("<QQ", *word) for word in s["root"])
    body += pack_records(records, SUPER_RECORDS)
    return body + s.get("reserved2", bytes(32))


def pack_records(records, room):
    body = b"".join(struct.pack("<Q16sQQ", block, *seal) for block, seal in records)
    return body.ljust(room * 40, b"\0")


class Disk:
    """Writes as the monitor does. commit() says what is written, in which order."""

    def __init__(self, key, uuid, blocks, session):
        self.keys = Keys(key, uuid)
        self.blocks, self.opened, self.commits = blocks, 1, 0
        self.session, self.count = session, 0
        self.seals = {}                              # of the guest's blocks
        self.words = {LEAF: {}, NODE: {}, ROOT: {}}  # (session, count, slot)
        self.flags = 0

    def next(self):
        self.count += 1
        return self.session, self.count

    def new_session(self, session):
        self.session, self.count, self.opened = session, 0, self.opened + 1

    @staticmethod
    def pack_word(word):
        return struct.pack("<QQ", word[0], word[1] << 1 | word[2])

    def body(self, kind, index):
        if kind == LEAF:
            first = index // FANOUT * CHUNK_DATA + index % FANOUT * LEAF_DATA
            nr = min(LEAF_DATA, CHUNK_DATA - index % FANOUT * LEAF_DATA)
            body = b"".join(struct.pack("<16sQQ", *self.seals.get(first + i, NEVER))
                            for i in range(nr))
        else:
            below = self.words[kind - 1]
            body = b"".join(self.pack_word(below.get(index * FANOUT + i, (0, 0, 0)))
                            for i in range(FANOUT))
        return body.ljust(BLOCK - 32, b"\0")

    def settle(self, kind, indices):
        """The blocks of that kind, to their other slots."""
        writes = []
        for index in sorted(indices):
            word = self.words[kind].get(index)
            slot = 1 - word[2] if word else 0
            session, count = self.next()
            self.words[kind][index] = (session, count, slot)
            writes.append((meta_at(kind, index, slot),
                           self.keys.seal_meta(kind, index, session, count,
                                               self.body(kind, index))))
        return writes

    def write_super(self, made, **other):
        self.commits += 1
        area = self.commits & 1
        session, count = self.next()
        s = {"magic": MAGIC, "version": 1, "flags": self.flags, "uuid": self.keys.uuid,
             "commit": self.commits, "blocks": self.blocks, "opened": self.opened,
             "records": len(made), "reserved": 0, "record": made,
             "root": [struct.unpack("<QQ", self.pack_word(self.words[ROOT].get(i, (0, 0, 0))))
                      for i in range(ROOTS)]}
        s.update(other)
        writes = [(16 * area, self.keys.seal_meta(SUPER, area, session, count, pack_super(s)))]
        for i, first in enumerate(range(SUPER_RECORDS, len(made), JOURNAL_RECORDS), 1):
            body = pack_records(made[first:first + JOURNAL_RECORDS], JOURNAL_RECORDS) + bytes(24)
            self.count = count + i
            writes.append((16 * area + i,
                           self.keys.seal_meta(JOURNAL, i, session, count + i, body)))
        return writes

    def commit(self, changes, flags=0, **other):
        """@changes: {block: contents, None for discarded, LOST}. What is written before the
        first flush, and what behind it."""
        data, records = [], []
        changes = dict(sorted(changes.items()))
        self.flags = flags
        for block, plain in changes.items():
            records.append((block, self.seals.get(block, NEVER)))
            if plain is None:
                self.seals[block] = NEVER
            elif plain == LOST:
                self.seals[block] = (bytes(16), 0, LOST)
            else:
                self.seals[block], stored = self.keys.seal_data(block, *self.next(), plain)
                data.append((data_at(block), stored))
        leaves = {leaf_of(block) for block in changes}
        writes = self.settle(LEAF, leaves)
        writes += self.settle(NODE, {leaf // FANOUT for leaf in leaves})
        writes += self.settle(ROOT, {leaf // FANOUT // FANOUT for leaf in leaves})
        return writes + self.write_super(records, **other), data


def apply(image, *writes):
    for number, data in (write for part in writes for write in part):
        image[number] = data


class Bad(Exception):
    """Something of the image does not verify."""


class Reader:
    """What is in an image, by the newest superblock that is whole."""

    def __init__(self, image, key):
        self.image = image
        whole = []
        for area in (0, 1):
            try:
                whole.append(self.read_super(area, key))
            except Bad:
                pass
        if not whole:
            raise Bad("no superblock is whole")
        self.super, self.keys, self.record = max(whole, key=lambda found: found[0]["commit"])

    def read_super(self, area, key):
        block = self.image.block(16 * area)
        head = SUPER_HEAD.unpack(block[32:32 + SUPER_HEAD.size])
        names = ("magic", "version", "flags", "uuid", "commit", "blocks", "opened", "records",
                 "reserved")
        s = dict(zip(names, head))
        keys = Keys(key, s["uuid"])
        if s["magic"] != MAGIC or not keys.verify_meta(SUPER, area, block):
            raise Bad(f"superblock {area}")
        s["root"] = list(struct.iter_unpack("<QQ", block[96:96 + 16 * ROOTS]))
        s["session"], s["count"] = struct.unpack("<QQ", block[16:32])
        raw = block[96 + 16 * ROOTS:-32]
        for i in range(1, 1 + -(-max(0, s["records"] - SUPER_RECORDS) // JOURNAL_RECORDS)):
            more = self.image.block(16 * area + i)
            if (struct.unpack("<QQ", more[16:32]) != (s["session"], s["count"] + i) or
                    not keys.verify_meta(JOURNAL, i, more)):
                raise Bad(f"journal {i} of {area}")
            raw += more[32:-24]
        record = {r[0]: r[1:] for r in
                  list(struct.iter_unpack("<Q16sQQ", raw))[:s["records"]]}
        for block in record:
            self.leaf(s, keys, leaf_of(block))
        return s, keys, record

    def meta(self, keys, kind, index, word):
        if not word[1]:
            return ZEROS
        block = self.image.block(meta_at(kind, index, word[1] & 1))
        if (struct.unpack("<QQ", block[16:32]) != (word[0], word[1] >> 1) or
                not keys.verify_meta(kind, index, block)):
            raise Bad(f"kind {kind}, {index}")
        return block

    def leaf(self, s, keys, leaf):
        word = s["root"][leaf // FANOUT // FANOUT]
        for kind, index in ((ROOT, leaf // FANOUT // FANOUT), (NODE, leaf // FANOUT)):
            below = leaf // FANOUT if kind == ROOT else leaf
            block = self.meta(keys, kind, index, word)
            word = struct.unpack_from("<QQ", block, 32 + 16 * (below % FANOUT))
        return self.meta(keys, LEAF, leaf, word)

    def seal(self, block):
        leaf = self.leaf(self.super, self.keys, leaf_of(block))
        return struct.unpack_from("<16sQQ", leaf, 32 + 32 * seal_of(block))

    def read(self, block):
        """What the guest has there; None: it is lost."""
        for seal in (self.seal(block), self.record.get(block)):
            if seal is None or seal[2] == LOST:
                return None
            if not seal[2]:
                return ZEROS
            plain = self.keys.open_data(block, seal, self.image.block(data_at(block)))
            if plain is not None:
                return plain
        return None
