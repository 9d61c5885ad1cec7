"""Reads PyTorch checkpoints, legacy and zip, without torch."""

import math
import os
import zipfile

import numpy as np

from kerasseg.weights.checks import WeightsError, listed, widen_bfloat16
from kerasseg.weights.pickles import STORAGES, Tensor, unpickle

MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of the legacy format
WRAPPERS = ("state_dict", "model_state_dict", "model")


def read_torch(path, max_bytes):
    """Arrays of a PyTorch checkpoint by name; see `kerasseg.weights.read`."""
    with open(path, "rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
        file.seek(0)
        return _read_zip(file, path) if is_zip else _read_legacy(file, path)


def _read_zip(file, path):
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise WeightsError("PyTorch stores its members uncompressed.", path)
        if sum(member.file_size for member in members) > os.path.getsize(path):
            raise WeightsError("its members overlap.", path)
        names = {member.filename for member in members}
        roots = [name[:-8] for name in names if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise WeightsError("a PyTorch archive holds one data.pkl.", path)
        order = f"{roots[0]}byteorder"
        if order in names and archive.read(order) != b"little":
            raise WeightsError("only little-endian files are read.", path)
        with archive.open(f"{roots[0]}data.pkl") as pickle:
            tensors = _state_dict(unpickle(pickle, path), path)
        return _arrays(tensors, lambda key: archive.read(f"{roots[0]}data/{key}"), path)


def _read_legacy(file, path):
    # Five pickles: magic number, protocol version, system, objects, keys of storages.
    # The storages follow as they are, each behind its number of elements.
    if unpickle(file, path) != MAGIC:
        raise WeightsError("this is not a PyTorch checkpoint.", path)
    unpickle(file, path)  # protocol version
    if not unpickle(file, path)["little_endian"]:
        raise WeightsError("only little-endian files are read.", path)
    tree = unpickle(file, path)
    keys = unpickle(file, path)
    itemsizes = {
        tensor.storage.key: np.dtype(STORAGES[tensor.storage.kind]).itemsize
        for tensor in _all_tensors(tree)
    }
    places = {}  # key -> (first byte, bytes)
    for key in keys:
        num = int.from_bytes(file.read(8), "little", signed=True)
        begin, num_bytes = file.tell(), num * itemsizes[key]
        if not 0 <= num_bytes <= os.path.getsize(path) - begin:
            raise WeightsError(f"storage {key!r} claims {num} elements.", path)
        places[key] = begin, num_bytes
        file.seek(begin + num_bytes)

    def data(key):
        file.seek(places[key][0])
        return file.read(places[key][1])

    return _arrays(_state_dict(tree, path), data, path)


def _all_tensors(tree):
    """Every tensor anywhere in the containers; each container is visited once."""
    seen, todo, tensors = set(), [tree], []
    while todo:
        item = todo.pop()
        if isinstance(item, Tensor):
            tensors.append(item)
        elif isinstance(item, (dict, list, tuple)) and id(item) not in seen:
            seen.add(id(item))
            todo.extend(item.values() if isinstance(item, dict) else item)
    return tensors


def _state_dict(tree, path):
    """Unwrap {"state_dict": ...}, keep tensors, take "module." off every name."""
    for _ in range(len(WRAPPERS)):
        if not isinstance(tree, dict):
            break
        tensors = {str(k): v for k, v in tree.items() if isinstance(v, Tensor)}
        if tensors:
            parallel = all(name.startswith("module.") for name in tensors)
            start = len("module.") if parallel else 0
            return {name[start:]: tensor for name, tensor in tensors.items()}
        tree = next((tree[key] for key in WRAPPERS if key in tree), tree)
    found = listed(map(str, tree)) if isinstance(tree, dict) else type(tree).__name__
    raise WeightsError(
        "a checkpoint must be a dictionary of tensors, bare or under one of "
        f"{', '.join(WRAPPERS)}. Received: {found}.",
        path,
    )


def _arrays(tensors, data, path):
    """Cut tensors out of their storages; `data(key)` returns a storage's bytes."""
    storages, copies, total = {}, {}, 0
    for name, tensor in tensors.items():
        if tensor in copies:  # tied weights
            continue
        key, itemsize = tensor.storage.key, _dtype(tensor).itemsize
        total += math.prod(tensor.shape) * itemsize
        if total > 4 * os.path.getsize(path):
            raise WeightsError("its tensors claim more bytes than the file has.", path)
        if key not in storages:
            storages[key] = data(key)
        if not _fits(tensor, len(storages[key]) // itemsize):
            raise WeightsError(f"{name!r} reaches beyond its storage.", path)
        copies[tensor] = _cut(tensor, storages[key])
    return {name: copies[tensor] for name, tensor in tensors.items()}


def _fits(tensor, available):
    if tensor.storage.num > available:
        return False
    num = math.prod(tensor.shape)
    if num == 0:
        return True
    last = sum((size - 1) * step for size, step in zip(tensor.shape, tensor.strides))
    begin = tensor.storage.start + tensor.offset
    return num <= tensor.storage.num and begin + last < tensor.storage.num


def _cut(tensor, data):
    dtype = _dtype(tensor)
    if math.prod(tensor.shape) == 0:
        return np.zeros(tensor.shape, dtype)
    array = np.lib.stride_tricks.as_strided(
        np.frombuffer(data, dtype)[tensor.storage.start + tensor.offset :],
        tensor.shape,
        [step * dtype.itemsize for step in tensor.strides],
    ).copy(order="C")
    is_bfloat16 = tensor.storage.kind == "torch.BFloat16Storage"
    return widen_bfloat16(array) if is_bfloat16 else array


def _dtype(tensor):
    return np.dtype(STORAGES[tensor.storage.kind])
