"""Input pipeline against that of the usual tutorials, with the same augmentation.

JPEG 640x480 and PNG masks to augmented 256x256: scale 0.5..2, crop, flip, brightness,
contrast and saturation. Run: python -m benchmarks.pipeline [--repeats 7]
"""

import argparse
import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from skimage import data as pictures

from benchmarks.record import ratios, record
from kerasseg import augment, data, datasets, images
from kerasseg.profiling import benchmark

SIZE, BATCH, BATCHES = 256, 8, 16


def write_data(root, count=48):
    """Crops of a photograph as JPEG, and masks of its brightness as PNG."""
    photo = np.tile(pictures.astronaut(), (2, 2, 1))
    rng = np.random.default_rng(0)
    for index in range(count):
        top, left = rng.integers(0, 500, 2) * [0.8, 0.7]
        image = photo[int(top) : int(top) + 480, int(left) : int(left) + 640]
        images.write_image(root / f"images/{index:03}.jpg", image)
        mask = image.mean(-1) // 64
        images.write_mask(root / f"labels/{index:03}.png", mask.astype(np.uint8))


def tutorial(root):
    """Pipeline of tf.image operations: decode, resize, crop, flip, change colours."""
    files = sorted(map(str, (root / "images").iterdir()))
    masks = sorted(map(str, (root / "labels").iterdir()))

    def load(file, mask):
        image = tf.io.decode_jpeg(tf.io.read_file(file), channels=3)
        label = tf.io.decode_png(tf.io.read_file(mask), channels=1)
        return tf.cast(image, tf.float32) / 255, label

    def change(image, label):
        scale = tf.random.uniform([], 0.6, 2.0)  # 480 px * 0.6 still holds a crop
        size = tf.cast(tf.cast(tf.shape(image)[:2], tf.float32) * scale, tf.int32)
        image = tf.image.resize(image, size)
        label = tf.image.resize(label, size, "nearest")
        both = tf.concat([image, tf.cast(label, tf.float32)], -1)
        both = tf.image.random_crop(both, [SIZE, SIZE, 4])
        both = tf.image.random_flip_left_right(both)
        image, label = both[..., :3], tf.cast(both[..., 3], tf.int32)
        image = tf.image.random_brightness(image, 0.2)
        image = tf.image.random_contrast(image, 0.8, 1.2)
        image = tf.image.random_saturation(image, 0.8, 1.2)
        return tf.clip_by_value(image, 0, 1), label

    stream = tf.data.Dataset.from_tensor_slices((files, masks)).shuffle(len(files))
    stream = stream.repeat().map(load, tf.data.AUTOTUNE).map(change, tf.data.AUTOTUNE)
    return stream.batch(BATCH).prefetch(tf.data.AUTOTUNE)


def ours(root, cache):
    """Pipeline of `kerasseg.data` with the same augmentation."""
    return data.pipeline(
        datasets.folder(root, split=None, classes=tuple("abcd")),
        batch_size=BATCH,
        augment=augment.standard(size=(SIZE, SIZE), scale=(0.6, 2.0)),
        reading=data.Reading(cache=cache),
    )


def reading(stream):
    """Reading of a stream as a case of `measure`.

    The stream is finite: an endless one would run in the background of other cases.
    """
    stream = stream.take(BATCHES)

    def read():
        for _ in stream:
            pass

    return read, BATCH * BATCHES


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_data(root)
        cases = {
            "tutorial": reading(tutorial(root)),
            "ours": reading(ours(root, cache=False)),
            "ours, decoded images kept in memory": reading(ours(root, cache=True)),
        }
        measured = benchmark.measure(cases, repeats=options.repeats)
    result = {"cases": measured}
    for name in list(cases)[1:]:
        speed = ratios(measured, "tutorial", name)
        result[f"images/s of {name} / tutorial"] = speed
    record("pipeline", result)


if __name__ == "__main__":
    main()
