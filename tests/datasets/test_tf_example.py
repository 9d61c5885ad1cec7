"""tf.train.Example without TensorFlow."""

import contextlib

import numpy as np
import pytest
from tensorflow import train

from kerasseg.datasets._tf_example import parse


def message(**lists):
    kinds = {
        bytes: lambda x: train.Feature(bytes_list=train.BytesList(value=x)),
        float: lambda x: train.Feature(float_list=train.FloatList(value=x)),
        int: lambda x: train.Feature(int64_list=train.Int64List(value=x)),
    }
    features = {name: kinds[type(x[0])](x) for name, x in lists.items()}
    return train.Example(features=train.Features(feature=features)).SerializeToString()


def test_all_kinds_of_lists(rng):
    lists = {
        "bytes": [b"", rng.bytes(1000), b"\x00\xff"],
        "ints": [0, 1, -1, 127, 128, 2**63 - 1, -(2**63), 300],
        "floats": np.float32([0, -1.5, np.inf, 1e-30]).tolist(),
        "größe": [7],
    }
    assert parse(message(**lists)) == lists
    assert parse(b"") == {}


def test_what_is_cut_off_ends_in_a_value_error_or_in_less(rng):
    data = message(image=[rng.bytes(200)], ids=[1, 2, 3])
    whole = parse(data)
    for end in range(len(data)):
        with contextlib.suppress(ValueError):
            assert parse(data[:end]) != whole


def test_noise_ends_in_a_value_error_or_in_lists(rng):
    data = message(image=[rng.bytes(30)], ids=[1, 2, 3])
    for _ in range(3000):
        noisy = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            noisy[place] = rng.integers(256)
        with contextlib.suppress(ValueError):
            assert all(isinstance(x, list) for x in parse(bytes(noisy)).values())


@pytest.mark.parametrize("data", [b"\x0f", b"\xff" * 12, b"\n\x05a"])
def test_what_is_no_message(data):
    with pytest.raises(ValueError, match="no protobuf message"):
        parse(data)
