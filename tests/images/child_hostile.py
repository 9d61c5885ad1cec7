"""Run by test_hostile.py under a memory limit; reads every file of a folder.

Arguments: the folder, and how many random mutations of its small files to read as well.
Prints JSON: "files" (name -> what image and mask reading gave), "mutations" (counts of
the outcomes) and "peak_mb". Anything but an array or an ImageError ends the process.
"""

import json
import pathlib
import resource
import sys

import numpy as np

from kerasseg.images import ImageError, read_image, read_mask

LIMIT_MB = 1500  # of address space; the libraries alone take about 700


def outcome(read, path):
    try:
        result = read(path)
    except ImageError as error:
        assert str(path) in str(error)
        assert "Fix: " in str(error)
        return "refused"
    assert np.isfinite(result).all()
    return f"{result.dtype} {list(result.shape)}"


def mutated(data, rng):
    """Change, cut, repeat or swap some bytes."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 8)):
        first, last = sorted(rng.integers(0, len(data) + 1, 2).tolist())
        kind = rng.integers(4)
        if kind == 0 and len(data) > first:
            data[first] = rng.integers(256)
        elif kind == 1:
            del data[first : min(last, first + 16)]
        elif kind == 2:
            data[first:first] = data[first : min(last, first + 16)]
        elif len(data) > 40:  # a number of the header, set to an extreme
            place = rng.integers(0, 40)
            data[place : place + 4] = rng.choice([b"\0\0\0\0", b"\xff\xff\xff\xff"])
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_MB << 20,) * 2)
    files = sorted(folder.iterdir())
    report = {
        file.name: [outcome(read, file) for read in (read_image, read_mask)]
        for file in files
    }
    small = [f.read_bytes() for f in files if f.is_file() and f.stat().st_size < 20_000]
    small = [data for data in small if data]
    rng, mutations = np.random.default_rng(0), {"read": 0, "refused": 0}
    target = folder / "mutation.bin"
    for number in range(count):
        target.write_bytes(mutated(small[number % len(small)], rng))
        for read in (read_image, read_mask):
            found = outcome(read, target)
            mutations["refused" if found == "refused" else "read"] += 1
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    peak = int(line.split()[1]) / 1024
    print(json.dumps({"files": report, "mutations": mutations, "peak_mb": peak}))


if __name__ == "__main__":
    main()
