"""Checkpoints of SavedModels: what their index says is true before TensorFlow reads it.

An index is a table of sorted names (LevelDB's form) with one message for each tensor.
TensorFlow 2.21 believes the lengths of its texts, and ends the process for false ones.
"""

import math
import struct

from kerasseg.loading.errors import ModelFileError
from kerasseg.names import bounded

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
MAX_INDEX_BYTES = 2**22  # of some 40,000 variables
MAX_NAME_BYTES = 4096
MAX_TEXT_BYTES = 2**26  # texts in memory take up to 60 times this
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"


def check(folder, max_bytes):
    """Refuse a checkpoint that claims more than it stores.

    Args:
        folder: pathlib.Path of the files `variables.*`; none of them need exist.
        max_bytes: most bytes of all tensors, and most that are read for the objects.

    Raises:
        ModelFileError: says what is claimed and what is stored.
        ValueError: or another error, if the index is damaged.
    """
    index = folder / "variables.index"
    if not index.is_file():
        return
    if index.stat().st_size > MAX_INDEX_BYTES:
        raise ModelFileError(f"is larger than {MAX_INDEX_BYTES} bytes.", index)
    files, entries = _entries(folder, index.read_bytes())
    stored = sum(path.stat().st_size for path in files)
    claimed = sum(_claimed(entry, files, index) for entry in entries.values())
    read = 0
    if OBJECTS in entries:
        read = sum(entries[key].size for key in _keys(entries[OBJECTS], files))
    for what, num in (("claim", claimed), ("make objects of", read)):
        if num > min(stored, max_bytes):
            raise ModelFileError(
                f"its variables {what} {num} bytes. Received: {stored} stored, and at "
                f"most {max_bytes} are read.",
                index,
            )


def _entries(folder, data):
    """Files of the data, and name -> message of each tensor."""
    from tensorflow.core.protobuf import tensor_bundle_pb2 as messages

    table = dict(_table(data))
    header = messages.BundleHeaderProto.FromString(table.pop(b""))
    if not 1 <= header.num_shards <= 10_000 or header.endianness:
        raise ValueError(f"its tensors are in {header.num_shards} files")
    files = [
        folder / f"variables.data-{shard:05d}-of-{header.num_shards:05d}"
        for shard in range(header.num_shards)
    ]
    entries = {}
    for name, value in table.items():
        entries[name.decode()] = messages.BundleEntryProto.FromString(value)
    return files, entries


def _table(data):
    """Pairs of key and value; TensorFlow finds the same ones, in whatever way."""
    position, rest = FOOTER_BYTES, data[-FOOTER_BYTES:]
    if len(data) < position or struct.unpack("<Q", rest[-8:]) != (MAGIC,):
        raise ValueError("its index is no table")
    place, handles = 0, []
    for _ in range(4):  # offset and size of the table of filters, and of the blocks
        number, place = _varint(rest, place)
        handles.append(number)
    last = None
    for separator, handle in _block(data, *handles[2:]):
        offset, place = _varint(handle, 0)
        size, place = _varint(handle, place)
        for key, value in _block(data, offset, size):
            if (last is not None and key <= last) or key > separator:
                raise ValueError("the names in its index are not sorted")
            last = key
            yield key, value
        last = separator  # searches for larger names go to the next block


def _block(data, offset, size):
    """Pairs of key and value of one block."""
    end = offset + size
    if end >= len(data) or size < 8 or data[end] != 0:
        raise ValueError("a block of its index is compressed or cut off")
    (num_restarts,) = struct.unpack_from("<I", data, end - 4)
    stop = end - 4 - 4 * num_restarts
    if stop < offset:
        raise ValueError("a block of its index is cut off")
    restarts = set(struct.unpack_from(f"<{num_restarts}I", data, stop))
    place, key = offset, b""
    while place < stop:
        begin = place - offset
        shared, place = _varint(data, place)
        own, place = _varint(data, place)
        length, place = _varint(data, place)
        if shared > len(key) or shared + own > MAX_NAME_BYTES:
            raise ValueError("a name in its index is false")
        if begin in restarts:
            restarts.remove(begin)
            if shared:  # searches begin there
                raise ValueError("a name in its index is false")
        key = key[:shared] + data[place : place + own]
        place += own + length
        if place > stop:
            raise ValueError("a block of its index is cut off")
        yield key, data[place - length : place]
    if restarts - {0}:
        raise ValueError("a block of its index is false")


def _varint(data, place):
    """A number of seven bits a byte, and the place behind it."""
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
        if shift > 63:
            raise ValueError("a number in its index is too long")


def _claimed(entry, files, index):
    """Bytes of a tensor, whose place in the files is right."""
    import tensorflow as tf

    dtype = tf.as_dtype(entry.dtype)
    shape = [dim.size for dim in entry.shape.dim]
    known = dtype not in (tf.resource, tf.variant) and entry.dtype < 100
    known = known and not entry.shape.unknown_rank and min(shape, default=0) >= 0
    if not known or entry.slices:
        raise ValueError(f"a tensor of {dtype.name} {bounded(shape, 100)}")
    number = math.prod(shape)
    file = files[entry.shard_id]
    available = file.stat().st_size if file.is_file() else 0
    fits = entry.offset >= 0 and 0 <= entry.size <= available - entry.offset
    if dtype != tf.string:
        fits = fits and entry.size == number * dtype.size
    elif fits:
        fits = entry.size <= MAX_TEXT_BYTES and _texts(entry, file, number) is not None
    if not fits:
        raise ModelFileError(
            f"its variables claim {dtype.name} {bounded(shape, 100)}, {entry.size} "
            f"bytes. Received: {available} bytes in the file.",
            index,
        )
    return entry.size


def _texts(entry, file, number):
    """Bytes of the texts of a tensor; None if they do not fill its place."""
    with open(file, "rb") as stream:
        stream.seek(entry.offset)
        data = stream.read(entry.size)
    if number > len(data):
        return None
    place = total = 0
    for _ in range(number):
        try:
            length, place = _varint(data, place)
        except (IndexError, ValueError):
            return None
        total += length
    place += 4  # a checksum of the lengths
    return data[place:] if place + total == len(data) else None


def _keys(entry, files):
    """Names of the tensors that the objects of a checkpoint are made of."""
    from tensorflow.core.protobuf import trackable_object_graph_pb2 as messages

    texts = _texts(entry, files[entry.shard_id], 1)
    graph = messages.TrackableObjectGraph.FromString(texts)
    for node in graph.nodes:
        if node.HasField("registered_saver"):
            raise ValueError("an object brings its own function to restore it")
        for attribute in node.attributes:
            yield attribute.checkpoint_key
