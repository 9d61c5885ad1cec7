"""Pickles: nothing in them runs, and nothing grows without end."""

import pickle
import struct

import numpy as np
import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError
from tests.weights.written import MB, Attack, refused, tensor_pickle, torch_zip


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


RAW = [("0", np.float32([1, 2, 3, 4]).tobytes())]


def opaque(ends):
    """A pickle of {"w": tensor, "x": ends}."""
    tensor = tensor_pickle(shape=(4,), strides=(1,))
    return tensor[:-1] + b"X\x01\0\0\0x" + ends + b"s."


@pytest.mark.parametrize(
    "ends",
    [
        b"cposix\nsystem\nX\x05\0\0\0false\x85R",  # a call
        b"cos\nsystem\n)\x81}b",  # an object, and its state
        b"cos\nsystem\n)}\x92",  # an object of keywords
        b"cbuiltins\neval\n",
        b"cbuiltins\neval\n)R(K\x01K\x02u",  # items
        b"cbuiltins\nlist\n)R(K\x01e",
        b"\x8f(K\x01\x90",  # a set
        b"(K\x01\x91",  # a frozen one
    ],
)
def test_objects_beside_tensors_are_skipped_and_not_run(tmp_path, ends, caplog):
    path = torch_zip(tmp_path / "a.pth", opaque(ends), RAW)
    assert list(weights.read(path)) == ["w"]
    assert "skipped, and not run" in caplog.text


@pytest.mark.parametrize(
    "ends",
    [
        b"(cos\nsystem\nX\x05\0\0\0falseo",  # OBJ
        b"(X\x05\0\0\0falseios\nsystem\n",  # INST
        b"\x82\x01",  # EXT1
        b"X\x01\0\0\0a)R",  # a call of a text
        b"X\x01\0\0\0a)\x81",
    ],
)
def test_other_ways_to_make_objects_are_refused(tmp_path, ends):
    path = torch_zip(tmp_path / "a.pth", opaque(ends), RAW)
    with pytest.raises(WeightsError, match=r"a\.pth"):
        weights.read(path)


def test_commands_hidden_in_a_training_never_run(tmp_path):
    proof = tmp_path / "proof"
    tree = {"state_dict": {}, "args": [Attack(f"touch {proof}")]}
    path = torch_zip(tmp_path / "a.ckpt", pickle.dumps(tree, 2))
    with pytest.raises(WeightsError, match=r"refused to use 'posix\.system'"):
        weights.read(path)
    assert not proof.exists()


@pytest.mark.parametrize("form", ["zip", "bare"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_runs_a_command_is_refused_by_name(tmp_path, form, protocol):
    path, proof = tmp_path / "bad.pth", tmp_path / "proof"
    data = pickle.dumps({"w": Attack(f"touch {proof}")}, protocol)
    torch_zip(path, data) if form == "zip" else path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"bad\.pth.*refused.*posix\.system") as info:
        weights.read(path)
    assert not proof.exists()
    assert info.value.path == str(path)
