"""Safetensors: read by a header that is believed only where it is true."""

import struct

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.weights.written import MB, refused, safetensors


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_safetensors_are_read_and_bfloat16_becomes_float32(tmp_path):
    # bfloat16 is the upper half of float32: 1.5 = 0x3fc0, -2 = 0xc000
    data = np.uint16([0x3FC0, 0xC000]).tobytes() + np.int64([7]).tobytes()
    header = {
        "__metadata__": {"format": "pt"},
        "b": entry("I64", [1], 4, 12),
        "a": entry("BF16", [1, 2], 0, 4),
    }
    arrays = weights.read(safetensors(tmp_path / "a.safetensors", header, data))
    assert arrays["a"].dtype == "float32" and arrays["b"].dtype == "int64"
    np.testing.assert_array_equal(arrays["a"], [[1.5, -2.0]])
    np.testing.assert_array_equal(arrays["b"], [7])


@pytest.mark.parametrize(
    "header",
    [
        {"a": entry("F32", [2], 0, 4)},  # shape needs 8 bytes
        {"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)},  # overlap
        {"a": entry("F32", [2], 4, 12)},  # hole
        {"a": entry("F32", [2], 0, 8)},  # bytes left over
        {"a": entry("F32", [2**40], 0, 2**42)},  # beyond the file
        {"a": entry("F32", [-3, -1], 0, 12)},
        {"a": entry("F32", [True, 3], 0, 12)},
        {"a": entry("OBJECT", [3], 0, 12)},
        {"a": {"dtype": "F32"}},
        [1, 2],
        b'{"a": 1, "a": 2}',
        b"[" * 10**5,
    ],
)
def test_a_false_safetensors_header_is_refused(tmp_path, header):
    path = safetensors(tmp_path / "bad.safetensors", header, bytes(12))
    with pytest.raises(WeightsError, match=r"bad\.safetensors"):
        weights.read(path)


def test_a_safetensors_header_longer_than_the_file_is_refused(tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")
    with pytest.raises(WeightsError, match="header claims"):
        weights.read(path)


@pytest.mark.parametrize(
    "header",
    [
        b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": 0}}',
        {"a": {"dtype": "F32", "shape": [2**61] * 9, "data_offsets": [0, 0]}},
        {"a": {"dtype": "F32", "shape": [1] * 99, "data_offsets": [0, 4]}},
        {"a": {"dtype": ["x" * MB], "shape": [0], "data_offsets": [0, 0]}},
        {"x" * MB: {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}},
        {"\ud800": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [0], "data_offsets": ["0", "0"]}},
        {"a": {"dtype": "F32", "shape": "", "data_offsets": [0, 0, 0]}},
    ],
)
def test_false_headers_of_safetensors_are_refused(tmp_path, header):
    refused(safetensors(tmp_path / "a.safetensors", header))
