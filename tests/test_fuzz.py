"""Readers of files under mutations with a fixed seed, and the files that did harm.

Longer: python -m tests.test_fuzz 20000. Guided by coverage: scripts/fuzz.py.
"""

import json
import pathlib
import re
import sys
import tempfile
import time

import numpy as np
import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "scripts"))

import fuzz_seeds

MUTATIONS = 3000
FEW_SECONDS, FEW_BYTES = 20, 2**16
# Words of all that is text, and what may stand in their places.
WORD = re.compile(rb'"[^"]*"|[-+.\w]+')
ODD = (
    *(
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"[[]]",
        b'""',
        b'"\\u0000"',
        b'"\\ud800"',
        b"''",
    ),
    *(b"0", b"-1", b"1.5", b"NaN", b"nan", b"1e308", b"-1e308", b"1e999", b"65536"),
    *(b"9223372036854775808", b"9" * 400, b"9" * 5000, b"a" * 300, b"\0", b"..", b"/"),
)
ODD_JSON = (*(json.loads(x) for x in ODD[:9] if x != b"''"), -1, 1.5, 1e308, 2**63, "/")


def mutate(data, rng):
    """A few bytes, words or values of JSON changed, removed, repeated or moved."""
    ways = (mutate_bytes, mutate_words, mutate_json)
    return ways[rng.integers(0, len(ways))](data, rng)


def mutate_words(data, rng):
    words, data = list(WORD.finditer(data[:FEW_BYTES])), bytearray(data)
    chosen = rng.permutation(len(words))[: rng.integers(1, 4)]
    for place in sorted(chosen, reverse=True):
        data[slice(*words[place].span())] = ODD[rng.integers(0, len(ODD))]
    return bytes(data)


def mutate_json(data, rng):
    try:
        document = [json.loads(data)]
    except (ValueError, RecursionError):
        return mutate_bytes(data, rng)
    places, rest = [], [document]
    while rest:
        node = rest.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            rest += [node[key]] if isinstance(node[key], (dict, list)) else []
    for place in rng.integers(0, len(places), rng.integers(1, 4)):
        node, key = places[place]
        node[key] = ODD_JSON[rng.integers(0, len(ODD_JSON))]
    return json.dumps(document[0]).encode()


def mutate_bytes(data, rng):
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
        begin = time.process_time()
        fuzz_seeds.read(data, kind, tmp_path)
        assert time.process_time() - begin < FEW_SECONDS


def run(kind, number, folder, seed=0):
    rng = np.random.default_rng(seed)
    seeds = list(fuzz_seeds.SEEDS[kind]())
    for count in range(number):
        data = mutate(seeds[count % len(seeds)], rng)
        begin = time.process_time()
        fuzz_seeds.read(data, kind, folder)
        assert time.process_time() - begin < FEW_SECONDS


if __name__ == "__main__":
    for name in fuzz_seeds.SEEDS:
        with tempfile.TemporaryDirectory() as place:
            run(name, int(sys.argv[1]), pathlib.Path(place), seed=1)
        print(name, "done")
