# SPDX-License-Identifier: GPL-2.0-only
"""TAP version 13 for tests in Python, and what those of this suite share."""
import atexit
import os
import pathlib
import random
import shutil
import subprocess
import sys

MONCTL = os.path.abspath("build/tools/monctl")
counts = {"planned": 0, "points": 0, "failed": 0}


def plan(points):
    print(f"TAP version 13\n1..{points}", flush=True)
    counts["planned"] = points


def ok(good, name, *why):
    counts["points"] += 1
    print(f"{'' if good else 'not '}ok {counts['points']} - {name}", flush=True)
    if not good:
        counts["failed"] += 1
        for line in why:
            for part in str(line).splitlines() or [""]:
                print(f"#   {part}")
    return good


def skip(name, reason):
    counts["points"] += 1
    print(f"ok {counts['points']} - {name} # SKIP {reason}", flush=True)


def done():
    if counts["points"] != counts["planned"]:
        print(f"# {counts['points']} test points, {counts['planned']} planned")
        sys.exit(1)
    sys.exit(counts["failed"] > 0)


def scratch(name):
    """An empty folder, in memory if there is room: each commit of a disk waits for two flushes."""
    room = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else 0
    top = pathlib.Path("/dev/shm" if room > 2 << 30 else "build/disk")
    path = top / f"monitor-disk-{os.getpid()}" / name
    path.mkdir(parents=True)
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    return path


def monctl(*arguments, **options):
    """monctl disk ...; @said is both of its outputs."""
    run = subprocess.run([MONCTL, "disk", *map(str, arguments)], text=True, check=False,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, **options)
    run.said = run.stdout.strip()
    return run


def key_file(path, key):
    path.write_text(key.hex() + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def seeded():
    """Random numbers; DISK_SEED says which."""
    seed = os.environ.get("DISK_SEED") or str(int.from_bytes(os.urandom(4), "little"))
    print(f"# DISK_SEED={seed}")
    return random.Random(seed)


def block(number, text=b""):
    """4 KiB that no other number has, with a marker in them."""
    data = b"MARKER of the guest %d %s " % (number, text)
    return (data * (4096 // len(data) + 1))[:4096]


def raw_image(path, blocks, size):
    """@blocks: {number: contents}; the rest is a hole."""
    with open(path, "wb") as file:
        file.truncate(size)
        for number, data in blocks.items():
            file.seek(number * 4096)
            file.write(data)
    return path


def contents(path):
    with open(path, "rb") as file:
        return file.read()
