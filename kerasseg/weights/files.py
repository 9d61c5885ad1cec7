"""`read`: one dictionary of arrays from .npz, .safetensors, .pth and .h5 files."""

import io
import math
import os

from kerasseg.names import bounded
from kerasseg.weights import archives
from kerasseg.weights.checks import WeightsError, check_finite
from kerasseg.weights.npz import read_npz
from kerasseg.weights.prefixes import without_prefixes
from kerasseg.weights.safetensors import read_index, read_safetensors
from kerasseg.weights.torch_files import read_torch


def read(path, *, finite=True, max_bytes=4 * 2**30):
    """Arrays of a weight file by name, read without running anything in it.

    Args:
        path: `.npz`; `.safetensors`, or the `.index.json` of several; `.pth`, `.pt`,
            `.bin`, `.ckpt` (PyTorch, legacy or zip); Keras' `.h5`, also in the `.zip`
            of a model of StarDist. What a training wraps around a state dict
            ("state_dict", "model", ...) and puts before every name ("module.",
            "model.", ...) is taken off; objects that are no tensors are skipped, and
            the log names them.
        finite: refuse NaN and Inf.
        max_bytes: refuse files that are larger, or whose arrays are; while it reads,
            no more than twice this is in memory.

    Returns:
        dict of str to numpy.ndarray in the order of the file. bfloat16 becomes float32;
        other dtypes stay as they are stored.

    Raises:
        WeightsError: if the file is missing, damaged, larger than it claims, of an
            unknown format, asks for anything to be executed, or is not finite.
    """
    path = os.fspath(path)
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in READERS:
        raise WeightsError(
            f"weight files end in one of {', '.join(READERS)}. Received: {suffix!r}.",
            path,
        )
    if not os.path.isfile(path):
        raise WeightsError("there is no such weight file.", path)
    if os.path.getsize(path) > max_bytes:
        raise WeightsError(
            f"at most {max_bytes} bytes are read. Received: {os.path.getsize(path)}. "
            "Pass a larger `max_bytes` if you trust the file.",
            path,
        )
    try:
        arrays = READERS[suffix](path, max_bytes)
    except WeightsError:
        raise
    except Exception as error:  # no list holds all that parsers raise on damaged bytes
        raise WeightsError(
            f"not a readable {suffix} file ({type(error).__name__}: "
            f"{bounded(error, 500)}). Download or export it again.",
            path,
        ) from error
    if finite:
        check_finite(arrays, path)
    return without_prefixes(arrays, path) if suffix in OF_TORCH else arrays


def _read_h5(path, max_bytes):
    return _read_hdf5(path, os.path.getsize(path), path)


def _read_zip(path, max_bytes):
    if (data := archives.member_of(path, ENCLOSED, max_bytes)) is None:
        raise WeightsError(f"an archive of weights must hold {ENCLOSED}.", path)
    return _read_hdf5(io.BytesIO(data), len(data), path)


def _read_hdf5(file, size, path):
    import h5py  # only this format needs it

    arrays, state = {}, {"seen": set(), "bytes": 0, "most": size}
    with h5py.File(file, "r") as opened:
        _read_group(opened, "", arrays, state, path)
    return arrays


def read_layers(path):
    """Arrays of a `.h5` that `read` has read, by the name of their layer.

    Returns:
        dict from name to a list of arrays, in the order of the layer's variables; empty
        where the file has no names.
    """
    import h5py

    with h5py.File(path, "r") as file:
        return {
            name: [item[()] for item in items]
            for name, items in _layers(file).items()
            if items
        }


def layer_names(path):
    """Names of all layers in a `.h5` that `read` has read, those without weights too.

    Keras 3 writes them beside the variables, older ones in a list.
    """
    import h5py

    with h5py.File(path, "r") as file:
        return set(_layers(file))


def _layers(file):
    """The data sets of each layer by its name."""
    import h5py

    found = {}
    for name in map(_text, file.attrs.get("layer_names", ())):  # up to Keras 2
        group = file.get(name)
        weights = map(_text, group.attrs.get("weight_names", ()) if group else ())
        found[name] = [group[weight] for weight in weights if weight in group]

    def visit(_, item):
        name = item.attrs.get("name")
        numbered = isinstance(item, h5py.Group) and all(map(str.isdigit, item))
        if numbered and isinstance(name, str):
            found.setdefault(name, [item[key] for key in sorted(item, key=int)])

    file.visititems(visit)
    return found


def _text(name):
    return name.decode() if isinstance(name, bytes) else str(name)


def _read_group(group, prefix, arrays, state, path):
    import h5py

    for key in group:
        name = f"{prefix}{key}"
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise WeightsError(
                f"links to other places are not followed. Received: {name!r}.", path
            )
        item = group[key]
        address = h5py.h5o.get_info(item.id).addr
        if address in state["seen"]:
            raise WeightsError(f"{name!r} is linked twice.", path)
        state["seen"].add(address)
        if isinstance(item, h5py.Group):
            _read_group(item, f"{name}/", arrays, state, path)
        else:
            arrays[name] = _read_dataset(item, name, state, path)


def _read_dataset(item, name, state, path):
    if item.external or item.is_virtual:
        raise WeightsError(f"{name!r} keeps its data in another file.", path)
    if item.dtype.kind not in "biuf":
        raise WeightsError(
            f"arrays hold numbers only. Received: {name!r} of dtype {item.dtype}.", path
        )
    # A data set can claim any size and store nothing; Keras stores all, uncompressed.
    state["bytes"] += item.nbytes
    chunk = math.prod(item.chunks or ()) * item.dtype.itemsize  # unpacked as a whole
    if max(state["bytes"], item.nbytes, chunk) > state["most"]:
        raise WeightsError(f"{name!r} claims more bytes than the file has.", path)
    return item[()]


ENCLOSED = "weights_best.h5"  # as StarDist calls it, in a folder or not
OF_TORCH = {
    ".safetensors": read_safetensors,
    ".json": read_index,
    ".pth": read_torch,
    ".pt": read_torch,
    ".bin": read_torch,
    ".ckpt": read_torch,
}
READERS = {".npz": read_npz, **OF_TORCH, ".h5": _read_h5, ".zip": _read_zip}
