"""The `.npz` format: a zip of arrays, each with a header that is a Python literal."""

import ast
import os

import numpy as np

from kerasseg.weights import archives
from kerasseg.weights.checks import WeightsError, check_size

MAX_HEADER_BYTES = 10_000  # as numpy's own limit
# Bytes of the length of the header, by version of the format.
LENGTHS = {(1, 0): 2, (2, 0): 4, (3, 0): 4}


def read_npz(path, max_bytes):
    """Arrays of an .npz file by name; see `kerasseg.weights.read`."""
    arrays = {}
    with open(path, "rb") as file, archives.open_zip(file, max_bytes) as archive:
        archives.check_members(archive, os.path.getsize(path), max_bytes, path)
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in arrays:
                raise WeightsError(f"{name!r} occurs twice.", path)
            with archive.open(member) as content:
                arrays[name] = _read_npy(content, name, member.file_size, path)
    return arrays


def _read_npy(file, name, num_bytes, path):
    shape, fortran, dtype, begin = _header(file)
    if dtype.kind not in "biuf":
        raise WeightsError(
            f"arrays hold numbers only. Received: {name!r} of dtype {dtype}.", path
        )
    check_size(name, shape, dtype.itemsize, num_bytes - begin, path)
    # Straight into the array: the bytes of a member are never held twice.
    array = np.empty(shape, dtype, order="F" if fortran else "C")
    target = memoryview(array.reshape(-1, order="A").view(np.uint8))
    position = 0
    for block in archives.blocks(file):
        target[position : position + len(block)] = block
        position += len(block)
    if position != len(target):
        raise EOFError(f"{name!r} ends after {position} bytes")
    if not dtype.isnative:
        array = array.byteswap(inplace=True).view(dtype.newbyteorder("="))
    return np.ascontiguousarray(array).reshape(shape)


def _header(file):
    """Shape, Fortran order, dtype and length of the header of one array.

    numpy's reader of headers mends those of Python 2 with warnings; this one reads what
    numpy writes, or fails.
    """
    magic = file.read(8)
    version = tuple(magic[6:])
    if magic[:6] != b"\x93NUMPY" or version not in LENGTHS:
        raise ValueError("not an array of numpy")
    size = LENGTHS[version]
    length = int.from_bytes(file.read(size), "little")
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes, at most {MAX_HEADER_BYTES}")
    header = ast.literal_eval(file.read(length).decode("latin-1").strip())
    if not isinstance(header, dict) or header.keys() != {
        *("descr", "fortran_order", "shape")
    }:
        raise ValueError("its header is not that of an array")
    shape, descr = header["shape"], header["descr"]
    if not isinstance(shape, tuple) or not isinstance(header["fortran_order"], bool):
        raise ValueError("its header has a false shape or order")
    # Objects and records have a dtype that is no string, or of a kind that is refused.
    dtype = np.dtype(descr if isinstance(descr, str) else object)
    return shape, header["fortran_order"], dtype, 8 + size + length


def write_half(arrays, path):
    """Write arrays as .npz, those in float16 that it holds.

    Args:
        arrays: {name: float array}.
        path: of the file.

    Returns:
        {name: number of values that are too large for it} of the arrays that stay as
        they are.
    """
    written, kept = {}, {}
    for name, exact in arrays.items():
        half = exact.astype("float16")
        lost = np.abs(half.astype("float32") - exact) > 1e-3 * np.abs(exact) + 1e-7
        if lost.any():
            kept[name] = int(lost.sum())
        written[name] = exact if lost.any() else half
    with open(path, "wb") as file:
        np.savez_compressed(file, **written)
    return kept
