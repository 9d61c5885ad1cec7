"""Weight files that were made to harm: their time, memory and messages are bounded."""

import json
import lzma
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.memory import peak_bytes
from tests.weights.test_torch_files import tensor_pickle, torch_zip

MB = 10**6
LIMIT = 64 * MB


def refused(path, match=None):
    with pytest.raises(WeightsError, match=match) as info:
        weights.read(path)
    assert len(str(info.value)) < 3000
    str(info.value).encode()  # prints anywhere


def nested(pairs, end):
    """A pickle of a tuple of tuples of ..., 2^pairs long, and what is done with it."""
    return b"\x80\x04)q\0" + b"h\0h\0\x86q\0" * pairs + end


@pytest.mark.parametrize(
    "end",
    [
        b"h\0\x93.",  # as a name
        b"h\0h\0\x93.",
        b"X\x01\0\0\0ah\0\x93.",
        b"0}h\0K\x01s.",  # as a key
        b"0(X\x07\0\0\0storagectorch\nFloatStorage\nh\0h\0K\x01tQ.",
        b"0ctorch._utils\n_rebuild_tensor_v2\nh\0R.",
        b"h\0.",
    ],
)
def test_a_tuple_that_is_endless_when_written_out_is_refused_at_once(tmp_path, end):
    refused(torch_zip(tmp_path / "a.pth", nested(60, end)))


def test_storage_keys_of_a_legacy_file_are_strings(tmp_path):
    head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {}]
    data = b"".join(pickle.dumps(part, 2) for part in head)
    path = tmp_path / "a.pth"
    path.write_bytes(data + nested(60, b"](h\0e."))
    refused(path, "list of names")


def test_one_list_is_not_expanded_again_and_again(tmp_path):
    """40,000 pairs that are one list of 40,000 entries: 1.6e9 of them."""
    pair = b"](" + b"X\x01\0\0\0a" * 40_000 + b"eq\0"
    pairs = b"](" + b"h\0" * 40_000 + b"e\x85R."
    data = b"\x80\x02" + pair + b"ccollections\nOrderedDict\n" + pairs
    refused(torch_zip(tmp_path / "a.pth", data), "an entry")


def test_keys_that_share_one_hash_are_refused(tmp_path):
    key = b"\x8a\x09" + (2**61 - 1).to_bytes(9, "little")
    refused(torch_zip(tmp_path / "a.pth", b"\x80\x02}" + key + b"K\x01s."), "a key")


def test_a_long_name_of_a_class_gives_a_short_message(tmp_path):
    data = b"\x80\x02X" + struct.pack("<I", 10**7) + b"x" * 10**7 + b"X\1\0\0\0a\x93."
    refused(torch_zip(tmp_path / "a.pth", data), "refused to use")


def test_long_keys_give_short_messages(tmp_path):
    data = pickle.dumps({"x" * MB + str(i): 1 for i in range(8)}, 2)
    refused(torch_zip(tmp_path / "a.pth", data), "dictionary of tensors")


def npz(path, header, content=b"", method=zipfile.ZIP_STORED):
    text = header if isinstance(header, bytes) else repr(header).encode()
    with zipfile.ZipFile(path, "w", method) as archive:
        head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
        archive.writestr("w.npy", head + content)
    return path


@pytest.mark.parametrize(
    "header",
    [
        b"(" * 9000,  # tokenize.TokenError in numpy's own reader
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (3L,)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 5000 + b",)}",
        b"'\\q' '\xff'",
        {"descr": "<f4", "fortran_order": False, "shape": (10**4000,)},
        {"descr": "<f4", "fortran_order": False, "shape": (2**61,) * 900},
        {"descr": "<f4", "fortran_order": False, "shape": (True,)},
        {"descr": "<f4", "fortran_order": 2, "shape": (1,)},
        {"descr": [("a", "<f4")], "fortran_order": False, "shape": (1,)},
        {"descr": ",".join(["f4"] * 2000), "fortran_order": False, "shape": (1,)},
        {"descr": "<f4"},
    ],
)
def test_false_headers_of_npz_are_refused(tmp_path, header):
    refused(npz(tmp_path / "a.npz", header, bytes(4)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bound_are_refused(tmp_path, method):
    head = {"descr": "|u1", "fortran_order": False, "shape": (MB,)}
    refused(npz(tmp_path / "a.npz", head, bytes(MB), method), "stored or deflated")
    assert issubclass(lzma.LZMAError, Exception)


def safetensors(path, header):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    return path


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


@pytest.mark.parametrize("name", ["a\0.npz", "\ud800.npz", "x" * 300 + ".pth", ".npz"])
def test_names_that_no_file_can_have_are_refused(name):
    refused(name)


def full_header(path):
    """Header of a file that is nothing but header, as large as is read."""
    entries = b'"a":[' + b"[]," * (LIMIT // 32 // 3 - 9) + b"[]]"
    safetensors(path, b"{" + entries + b"}")


def full_npz(path, dtype="float32", order="C"):
    side = int((LIMIT * 0.9 / np.dtype(dtype).itemsize) ** 0.5)
    np.savez(path, a=np.ones([side, side], dtype, order=order))


def full_bfloat16(path):
    raw = bytes(LIMIT // 2 - 4096)
    entry = {"dtype": "BF16", "shape": [len(raw) // 2], "data_offsets": [0, len(raw)]}
    safetensors(path, {"a": entry})
    with open(path, "ab") as file:
        file.write(raw)


def full_storage(path, name=b"torch FloatStorage", itemsize=4, share=0.9):
    num = int(LIMIT * share) // itemsize
    data = tensor_pickle(shape=(num,), strides=(1,), num=num, name=name)
    torch_zip(path, data, [("0", bytes(num * itemsize))])


def full_pickle(path):
    torch_zip(path, b"\x80\x02(" + b"}" * (LIMIT // 2) + b"l.")


def full_directory(path):
    """A zip that is nothing but a directory of as many empty members as fit."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(60_000):
            archive.writestr(f"{number}", b"")


@pytest.mark.parametrize(
    "name, write, options",
    [
        ("header.safetensors", full_header, {}),
        ("bfloat16.safetensors", full_bfloat16, {}),
        ("c.npz", full_npz, {}),
        ("float16.npz", full_npz, {"dtype": "float16"}),
        ("fortran.npz", full_npz, {"order": "F"}),
        ("swapped.npz", full_npz, {"dtype": ">f8"}),
        ("storage.pth", full_storage, {}),
        (
            "bfloat16.pth",
            full_storage,
            {"name": b"torch BFloat16Storage", "itemsize": 2, "share": 0.45},
        ),
        ("pickle.pth", full_pickle, {}),
        ("directory.pth", full_directory, {}),
        ("directory.npz", full_directory, {}),
    ],
)
def test_memory_stays_within_twice_the_limit(tmp_path, name, write, options):
    path = tmp_path / name
    write(path, **options)
    assert path.stat().st_size < LIMIT
    code = f"""
from kerasseg import weights
try:
    weights.read({str(path)!r}, max_bytes={LIMIT})
except weights.WeightsError as error:
    print(str(error)[-200:])
"""
    assert peak_bytes(code, "import kerasseg.weights, h5py") < 2 * LIMIT


def test_a_member_that_lies_about_its_size_unpacks_no_further(tmp_path):
    """100 bytes claimed, 100 MB packed."""
    path = npz(tmp_path / "a.npz", b"x" * 100, bytes(100 * MB), zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        begin = data.index(signature) + at
        data[begin : begin + 4] = struct.pack("<I", 100)
    pathlib.Path(path).write_bytes(data)
    code = f"""
from kerasseg import weights
try:
    weights.read({str(path)!r})
except weights.WeightsError as error:
    print(str(error)[-200:])
"""
    assert peak_bytes(code, "import kerasseg.weights") < 20 * MB
