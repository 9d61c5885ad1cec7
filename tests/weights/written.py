"""Files of weights written by hand, right and wrong, and their refusal."""

import json
import os
import struct
import zipfile

import pytest

from kerasseg import weights
from kerasseg.weights import WeightsError

MB = 10**6


def refused(path, match=None):
    with pytest.raises(WeightsError, match=match) as info:
        weights.read(path)
    assert len(str(info.value)) < 3000
    str(info.value).encode()  # prints anywhere


def npz(path, header, content=b"", method=zipfile.ZIP_STORED):
    text = header if isinstance(header, bytes) else repr(header).encode()
    with zipfile.ZipFile(path, "w", method) as archive:
        head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
        archive.writestr("w.npy", head + content)
    return path


def safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def safetensors_of(path, arrays):
    """Write float32 arrays by name as a .safetensors file."""
    header, data = {}, b""
    for name, array in arrays.items():
        raw = array.astype("<f4").tobytes()
        place = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": place}
        data += raw
    return safetensors(path, header, data)


def torch_zip(path, data, storages=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        for key, raw in storages:
            archive.writestr(f"archive/data/{key}", raw)
    return path


def tensor_pickle(shape, strides, offset=0, num=4, name=b"torch FloatStorage"):
    """Pickle of {"w": tensor} on storage "0", written by hand."""

    def number(value):
        return b"\x8a\x08" + struct.pack("<q", value)  # LONG1

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value

    storage = b"(" + text(b"storage") + b"c" + name.replace(b" ", b"\n") + b"\n"
    storage += text(b"0") + text(b"cpu") + number(num) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n("
    tensor += storage + number(offset) + numbers(shape) + numbers(strides)
    tensor += b"\x89}tR"  # False, {}, call
    return b"\x80\x02}" + text(b"w") + tensor + b"s."


class Attack:
    """Runs a command when it is unpickled by Python."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)
