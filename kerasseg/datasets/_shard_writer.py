"""Writing of TFRecord shards, for `convert`. Private."""

import io
import itertools
import json
import re
import zlib

import cv2
import numpy as np

from kerasseg.datasets import _id_maps, _shards
from kerasseg.images import ImageError, read_image

SHARD_BYTES = 2**27  # 128 MiB: seconds of reading from a disk far away
FOOTER = 4  # bytes of a record behind its data


def write(folder, samples, report, shard_bytes=SHARD_BYTES):
    """Write samples and their index; needs TensorFlow, whose records these are.

    Args:
        folder: pathlib.Path of an empty folder.
        samples: Samples.
        report: of `convert`, where shards and objects are counted.
        shard_bytes: a file that has reached so many gets no further sample.
    """
    sides = samples.splits or (None,) * len(samples)
    files, bands = {}, int(samples[0]["image"].shape[-1])
    for split in dict.fromkeys(sides):
        records = (
            ((samples.names[index], index), _record(samples, index, bands, report))
            for index, side in enumerate(sides)
            if side == split
        )
        stem = re.sub(r"\W", "_", split or "all")
        for file, places in _write_files(folder, stem, records, shard_bytes):
            files[file] = {"split": split, "samples": places}
    index = {
        "version": _shards.VERSION,
        "classes": list(samples.classes),
        "colors": samples.colors and np.asarray(samples.colors).tolist(),
        "ignore_label": samples.ignore_label,
        "value_range": samples.value_range,
        "bands": bands,
        "files": files,
    }
    (folder / _shards.INDEX).write_text(json.dumps(index), encoding="utf-8")
    report["shards"] = len(files)


def _write_files(folder, stem, records, shard_bytes):
    """Write ((name, index), data) into files; yields each and what lies where in it."""
    from tensorflow import io as tf_io

    for number in itertools.count():
        file, places, end = f"{stem}-{number:05}.tfrecord", [], 0
        with tf_io.TFRecordWriter(str(folder / file)) as writer:
            for (name, index), data in records:
                writer.write(data)
                places.append((name, index, end, len(data), zlib.crc32(data)))
                end += _shards.HEADER + len(data) + FOOTER
                if end >= shard_bytes:
                    break
        if not places:  # all were in the files before
            (folder / file).unlink()
            return
        yield file, places


def _record(samples, index, bands, report):
    """A sample as the bytes of an Example, which are read back and compared."""
    sample, name = samples[index], samples.names[index]
    file = samples.files[index][0] if samples.files else None
    maps, classes, crowd = _objects(sample, name)
    lists = {
        _shards.NAME: [name.encode()],
        _shards.IMAGE: [_image(np.asarray(sample["image"]), file, bands)],
        _shards.LABEL: [_png(sample["label"])],
        _shards.OBJECTS: [_png(ids) for ids in maps],
        _shards.CLASSES: [int(x) for x in classes],
        _shards.CROWD: [int(x) for x in crowd],
    }
    if "instances" in sample and "areas" in sample:
        lists[_shards.BOXES] = np.ravel(sample["boxes"]).tolist()
        lists[_shards.AREAS] = np.ravel(sample["areas"]).tolist()
    if "left_out" in sample:
        lists[_shards.LEFT_OUT] = [int(sample["left_out"])]
    lists = {name: values for name, values in lists.items() if values}
    found = _shards.decoded(lists, bands)
    for key in ("image", "label"):
        if not np.array_equal(found[key], sample[key]):
            raise ImageError(
                file or name,
                f"an {key} of {bands} bands, as the first one, and of 0..65535",
                f"{sample[key].shape}, {sample[key].dtype}",
                "Convert images of one kind at a time",
            )
    report["objects"] += len(classes)
    return _message(lists)


def _objects(sample, name):
    """Id maps, classes and crowd flags of a sample; none of one without objects."""
    if "classes" not in sample:
        return (), (), ()
    classes = np.asarray(sample["classes"])
    crowd = np.asarray(sample.get("crowd", np.zeros(len(classes), bool)))
    if "instances" in sample:
        return sample["instances"], classes, crowd
    size = sample["label"].shape
    maps, kept = _id_maps.pack_masks(np.asarray(sample["masks"], bool), size, name)
    return maps, classes[kept], crowd[kept]


def _image(image, file, bands):
    """The file of an image as it is, if it holds all of it; else as PNG or NumPy."""
    if file is not None and file.is_file():
        data = file.read_bytes()
        try:
            if np.array_equal(read_image(data, channels=bands), image):
                return data
        except ValueError:  # a file of several images, say
            pass
    if image.dtype in ("uint8", "uint16") and image.shape[-1] in (1, 3):
        return _png(image[..., ::-1])
    stream = io.BytesIO()
    np.save(stream, image)
    return stream.getvalue()


def _png(pixels):
    """Bytes of a PNG: 8 bits if they suffice for class ids, else 16."""
    pixels = np.asarray(pixels)
    if pixels.dtype not in ("uint8", "uint16"):
        low, high = int(pixels.min()), int(pixels.max())
        if low < 0 or high > 65535:
            raise ValueError(f"Ids must be 0..65535. Received: {low}..{high}.")
        pixels = pixels.astype("uint8" if high < 256 else "uint16")
    return cv2.imencode(".png", pixels)[1].tobytes()


def _message(lists):
    """An Example of lists of bytes, ints or floats."""
    from tensorflow import train

    def feature(values):
        if isinstance(values[0], bytes):
            return train.Feature(bytes_list=train.BytesList(value=values))
        if isinstance(values[0], float):
            return train.Feature(float_list=train.FloatList(value=values))
        return train.Feature(int64_list=train.Int64List(value=values))

    features = {name: feature(values) for name, values in lists.items()}
    example = train.Example(features=train.Features(feature=features))
    return example.SerializeToString(deterministic=True)
