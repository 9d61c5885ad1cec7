"""Readers of files under mutations with a fixed seed, and the files that did harm.

Longer: python -m tests.test_fuzz 20000. Guided by coverage: scripts/fuzz.py.
"""

import pathlib
import sys
import tempfile
import time

import numpy as np
import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "scripts"))

import fuzz_seeds

MUTATIONS = 3000
FEW_SECONDS = 20


def mutate(data, rng):
    """A few bytes changed, removed, repeated, or taken from another place."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        begin = int(rng.integers(0, len(data) + 1))
        end = min(begin + int(2 ** rng.uniform(0, 6)), len(data))
        kind = rng.integers(0, 5)
        if kind == 0:
            data[begin:end] = rng.bytes(end - begin)
        elif kind == 1:
            del data[begin:end]
        elif kind == 2:
            data[begin:begin] = data[begin:end] * int(rng.integers(1, 9))
        elif kind == 3 and begin < len(data):
            data[begin] ^= 1 << int(rng.integers(0, 8))
        else:
            data[begin:end] = b"\xff" * (end - begin)
    return bytes(data)


@pytest.mark.parametrize("kind", fuzz_seeds.SEEDS)
def test_mutations_are_read_or_refused_with_the_typed_error(kind, tmp_path):
    run(kind, MUTATIONS // len(fuzz_seeds.SEEDS), tmp_path)


@pytest.mark.parametrize("kind", fuzz_seeds.SEEDS)
def test_seeds_themselves_are_read_or_refused(kind, tmp_path):
    for data in fuzz_seeds.SEEDS[kind]():
        fuzz_seeds.read(data, kind, tmp_path)


def run(kind, number, folder, seed=0):
    rng = np.random.default_rng(seed)
    seeds = list(fuzz_seeds.SEEDS[kind]())
    for count in range(number):
        data = mutate(seeds[count % len(seeds)], rng)
        begin = time.monotonic()
        fuzz_seeds.read(data, kind, folder)
        assert time.monotonic() - begin < FEW_SECONDS


if __name__ == "__main__":
    for name in fuzz_seeds.SEEDS:
        with tempfile.TemporaryDirectory() as place:
            run(name, int(sys.argv[1]), pathlib.Path(place), seed=1)
        print(name, "done")
