"""Checkpoints of SavedModels: false ones are refused before TensorFlow reads them."""

import struct

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import tensor_bundle_pb2, trackable_object_graph_pb2

from kerasseg import loading
from kerasseg.loading import tensor_bundle
from tests.loading.written import save

KEY = "weight/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture
def folder(tmp_path):
    return save(tf.strings.upper, tmp_path / "model") / "variables"


def write(folder, tensors):
    for file in folder.iterdir():
        file.unlink()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "variables"),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )


def test_entries_are_those_that_tensorflow_reads(folder):
    tensors = {f"name/{i:03d}": tf.fill([i % 7], i) for i in range(300)}
    tensors |= {"texts": tf.constant(["", "ab", "c" * 300]), "x": tf.zeros([2, 0])}
    write(folder, tensors)
    tensor_bundle.check(folder, 2**20)
    data = (folder / "variables.index").read_bytes()
    _, entries = tensor_bundle._entries(folder, data)
    reader = tf.train.load_checkpoint(str(folder / "variables"))
    shapes = reader.get_variable_to_shape_map()
    assert {
        name: [dim.size for dim in entry.shape.dim] for name, entry in entries.items()
    } == shapes


def test_a_text_with_a_false_length_is_refused(folder):
    """TensorFlow 2.21 ends the process."""
    (data,) = folder.glob("*.data*")
    content = bytearray(data.read_bytes())
    content[4:10] = b"\xff\xff\xff\xff\xff\x7f"  # after a weight of four bytes
    data.write_bytes(content)
    with pytest.raises(loading.ModelFileError, match="variables claim string"):
        tensor_bundle.check(folder, 2**20)


def test_many_objects_of_one_tensor_are_refused(folder):
    reader = tf.train.load_checkpoint(str(folder / "variables"))
    text = reader.get_tensor(tensor_bundle.OBJECTS)
    graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(text)
    for _ in range(20):
        graph.nodes.add().attributes.add(name="VARIABLE_VALUE", checkpoint_key=KEY)
    text = tf.constant(graph.SerializeToString())
    write(folder, {KEY: tf.zeros([1000]), tensor_bundle.OBJECTS: text})
    with pytest.raises(loading.ModelFileError, match="make objects of 84000 bytes"):
        tensor_bundle.check(folder, 2**20)


def table(*pairs, restarts=(0,), separator=b"\xff", kind=b"\0"):
    """An index of one block of (shared, rest of the key, value)."""

    def block(entries, restarts):
        content = b""
        for shared, key, value in entries:
            content += bytes([shared, len(key), len(value)]) + key + value
        content += b"".join(struct.pack("<I", place) for place in restarts)
        return content + struct.pack("<I", len(restarts))

    first = block(pairs, restarts)
    second = block([(0, separator, bytes([0, len(first)]))], (0,))
    place = len(first) + 5
    handles = bytes([0, 0, place, len(second)]).ljust(40, b"\0")
    magic = struct.pack("<Q", tensor_bundle.MAGIC)
    return first + kind + bytes(4) + second + bytes(5) + handles + magic


HEADER = tensor_bundle_pb2.BundleHeaderProto(num_shards=1).SerializeToString()
ENTRY = tensor_bundle_pb2.BundleEntryProto(dtype=1, size=4).SerializeToString()
FIRST = (0, b"", HEADER)


def test_a_table_written_by_hand_is_read(folder):
    (folder / "variables.index").write_bytes(table(FIRST, (0, b"a", ENTRY)))
    tensor_bundle.check(folder, 2**20)


@pytest.mark.parametrize(
    "content",
    [
        table(FIRST, (0, b"a", ENTRY))[:-1],
        table(FIRST, (0, b"b", ENTRY), (0, b"a", ENTRY)),
        table(FIRST, (0, b"a", ENTRY), separator=b"A"),
        table(FIRST, (1, b"a", ENTRY)),
        table(FIRST, (0, b"a", ENTRY), restarts=(0, 7)),
        table(FIRST, (0, b"a", ENTRY), kind=b"\1"),
        table(FIRST, (0, b"a", ENTRY + b"\x20\xff\x7f")),  # an offset of 16383
        table(FIRST, (0, b"a", ENTRY + b"\x18\1")),  # a second file
        table(FIRST, (0, b"a", ENTRY + b"\x08\x14")),  # a resource
        table((0, b"", b"\x08\xff\xff\xff\x7f")),  # many files
        table((0, b"a", ENTRY)),
    ],
    ids=range(11),
)
def test_a_false_index_is_refused(folder, content):
    (folder / "variables.index").write_bytes(content)
    with pytest.raises(loading.ModelFileError):
        loading.check_saved_model(folder.parent)


def test_an_index_of_many_variables_is_refused(folder):
    (folder / "variables.index").write_bytes(bytes(2**22 + 1))
    with pytest.raises(loading.ModelFileError, match="is larger than"):
        tensor_bundle.check(folder, 2**20)
