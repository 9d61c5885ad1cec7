"""Reading of `tf.train.Example` messages without TensorFlow. Private.

An Example is a map from names to lists of bytes, float32 or int64, in protobuf's wire
format (https://protobuf.dev/programming-guides/encoding/).
"""

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3


def parse(data):
    """Lists of an Example by name: of bytes, floats or ints.

    Args:
        data: bytes of the message.

    Raises:
        ValueError: if they are no such message.

    Example:
        >>> feature = b"\\n\\x01a" + b"\\x12\\x07\\x1a\\x05\\n\\x03\\x01\\x02\\x03"
        >>> parse(b"\\n\\x0e" + b"\\n\\x0c" + feature)
        {'a': [1, 2, 3]}
    """
    found = {}
    for features in _fields(memoryview(data), 1):
        for entry in _fields(features, 1):
            name = bytes(b"".join(_fields(entry, 1))).decode()
            found[name] = [
                value for feature in _fields(entry, 2) for value in _values(feature)
            ]
    return found


def _values(feature):
    for content in _fields(feature, BYTES_LIST):
        yield from map(bytes, _fields(content, 1))
    for content in _fields(feature, FLOAT_LIST):
        for part in _fields(content, 1):
            yield from np.frombuffer(part, "<f4").tolist()
    for content in _fields(feature, INT64_LIST):
        for part in _fields(content, 1):
            place = 0
            while place < len(part):
                value, place = _varint(part, place)
                yield value - (value >> 63 << 64)  # two's complement


def _fields(data, wanted):
    """Contents of the fields of a number; of unpacked numbers, their bytes."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind, start = key & 7, place
        if kind == VARINT:
            _, place = _varint(data, place)
        elif kind == BYTES:
            length, start = _varint(data, place)
            place = start + length
        elif kind in (FIXED32, FIXED64):
            place += 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"no protobuf message: field of kind {kind}")
        if place > len(data):
            raise ValueError("no protobuf message: a field goes beyond its end")
        if key >> 3 == wanted:
            yield data[start:place]


def _varint(data, place):
    """A number of seven bits per byte, and the place behind it."""
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
    raise ValueError("no protobuf message: a number does not end")
