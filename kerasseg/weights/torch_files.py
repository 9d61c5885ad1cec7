"""Reads PyTorch checkpoints, legacy and zip, without torch."""

import collections
import logging
import math
import os
import zipfile

import numpy as np

from kerasseg.weights import archives
from kerasseg.weights.checks import WeightsError, listed, widen_bfloat16
from kerasseg.weights.pickles import STORAGES, Budget, Tensor, Unknown, unpickle

MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of the legacy format
# Keys under which trainings keep a state dict, the first that is there is taken.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "params")
WRAPPERS += ("model_ema", "ema", "params_ema", "module")
MAX_WRAPPERS = 3


def read_torch(path, max_bytes):
    """Arrays of a PyTorch checkpoint by name; see `kerasseg.weights.read`."""
    with open(path, "rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
        file.seek(0)
        read = _read_zip if is_zip else _read_legacy
        return read(file, path, max_bytes)


def _read_zip(file, path, max_bytes):
    budget = Budget(max_bytes)
    with archives.open_zip(file, max_bytes) as archive:
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
        if order in names and archives.content(archive, order) != b"little":
            raise WeightsError("only little-endian files are read.", path)
        with archive.open(f"{roots[0]}data.pkl") as pickle:
            tensors = _state_dict(unpickle(pickle, path, budget), path)
        members = {member.filename: member for member in members}

        def data(key):
            with archive.open(members[f"{roots[0]}data/{key}"]) as member:
                return _read_exactly(member, members[member.name].file_size)

        return _arrays(tensors, data, max_bytes, path)


def _read_exactly(file, num_bytes):
    """Bytes of a file, into memory once."""
    data = np.empty(num_bytes, np.uint8)
    target, position = memoryview(data), 0
    while position < num_bytes and (
        count := file.readinto(target[position : position + archives.BLOCK_BYTES])
    ):
        position += count
    if position != num_bytes:
        raise EOFError(f"{position} bytes instead of {num_bytes}")
    return data


def _read_legacy(file, path, max_bytes):
    # Five pickles: magic number, protocol version, system, objects, keys of storages.
    # The storages follow as they are, each behind its number of elements.
    budget = Budget(max_bytes)
    if (first := unpickle(file, path, budget)) != MAGIC:
        _refuse_unknown(first, path)
        raise WeightsError("this is not a PyTorch checkpoint.", path)
    unpickle(file, path, budget)  # protocol version
    if not unpickle(file, path, budget)["little_endian"]:
        raise WeightsError("only little-endian files are read.", path)
    tree = unpickle(file, path, budget)
    keys = unpickle(file, path, budget)
    # Anything else may be a tuple of a few bytes that is 2^40 long to hash.
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise WeightsError("its storages must be a list of names.", path)
    itemsizes = {
        tensor.storage.key: np.dtype(STORAGES[tensor.storage.kind]).itemsize
        for tensor in _items(tree)
        if isinstance(tensor, Tensor)
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
        return _read_exactly(file, places[key][1])

    return _arrays(_state_dict(tree, path), data, max_bytes, path)


def _items(tree):
    """Everything in the containers; each container is visited once."""
    seen, todo = set(), [tree]
    while todo:
        item = todo.pop()
        if not isinstance(item, (dict, list, tuple)):
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            todo.extend(item.values() if isinstance(item, dict) else item)


def _state_dict(tree, path):
    """Unwrap {"state_dict": ...} and keep tensors; say what else there is."""
    found = tree
    for _ in range(MAX_WRAPPERS):
        if not isinstance(found, dict):
            break
        inside = [key for key in WRAPPERS if _holds_tensors(found.get(key))]
        if inside:
            _say(f"took {inside[0]!r}, left {inside[1:]}", path, inside[1:])
            found = found[inside[0]]
            continue
        tensors = {str(k): x for k, x in found.items() if isinstance(x, Tensor)}
        if tensors:
            skipped = _unknown_names(tree)
            _say(f"skipped, and not run: {listed(skipped)}", path, skipped)
            return tensors
        break
    _refuse_unknown(tree, path)
    found = listed(map(str, tree)) if isinstance(tree, dict) else type(tree).__name__
    raise WeightsError(
        "a checkpoint must be a dictionary of tensors, bare or under one of "
        f"{', '.join(WRAPPERS)}. Received: {found}.",
        path,
    )


def _refuse_unknown(tree, path):
    if unknown := _unknown_names(tree):
        raise WeightsError(
            f"refused to use {listed(unknown)}: weight files hold tensors, parameters "
            "and OrderedDict. Save the bare state_dict, or convert the file to "
            ".safetensors where it was made.",
            path,
        )


def _holds_tensors(tree):
    """Whether it is a dictionary of tensors, or has one under a key of wrappers."""
    for _ in range(MAX_WRAPPERS):
        if not isinstance(tree, dict):
            return False
        if any(isinstance(value, Tensor) for value in tree.values()):
            return True
        tree = next((tree[key] for key in WRAPPERS if key in tree), None)
    return False


def _say(message, path, reason):
    if reason:
        logging.getLogger(__name__).warning("%s: %s", path, message)


def _unknown_names(tree):
    return {item.name for item in _items(tree) if isinstance(item, Unknown)}


def _arrays(tensors, data, max_bytes, path):
    """Cut tensors out of their storages; `data(key)` returns a storage's bytes."""
    unique = dict.fromkeys(tensors.values())  # tied weights once
    total = sum(math.prod(tensor.shape) * _result_bytes(tensor) for tensor in unique)
    most = min(8 * os.path.getsize(path), max_bytes)
    if total > most:
        raise WeightsError(
            f"its tensors need {total} bytes, at most {most} are read from this file.",
            path,
        )
    uses = collections.Counter(tensor.storage.key for tensor in unique)
    storages, copies = {}, {}
    for name, tensor in tensors.items():
        if tensor in copies:
            continue
        key, itemsize = tensor.storage.key, _dtype(tensor).itemsize
        if key not in storages:
            storages[key] = data(key)
        if not _fits(tensor, len(storages[key]) // itemsize):
            raise WeightsError(f"{name!r} reaches beyond its storage.", path)
        copies[tensor] = _cut(tensor, storages[key])
        uses[key] -= 1
        if not uses[key]:
            del storages[key]
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
    view = np.lib.stride_tricks.as_strided(
        np.frombuffer(data, dtype)[tensor.storage.start + tensor.offset :],
        tensor.shape,
        [step * dtype.itemsize for step in tensor.strides],
    )
    return widen_bfloat16(view) if _is_bfloat16(tensor) else view.copy(order="C")


def _is_bfloat16(tensor):
    return tensor.storage.kind == "torch.BFloat16Storage"


def _result_bytes(tensor):
    """Bytes of one element of the array that a tensor becomes."""
    return 4 if _is_bfloat16(tensor) else _dtype(tensor).itemsize


def _dtype(tensor):
    return np.dtype(STORAGES[tensor.storage.kind])
