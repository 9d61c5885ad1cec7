"""Runs StarDist itself: `python -m tests.parity.stardist_reference FOLDER [CASE...]`.

Trains a small one on ellipses for a minute, so that there are objects, and writes
CASE.zip as its authors publish theirs, and CASE.npz with what it finds. With FOLDER
"fixtures", writes tests/files/stardist.zip and .npz instead, of the smallest. Needs
`pip install stardist tensorflow` in an environment of its own (scripts/parity.sh).
"""

import pathlib
import sys
import zipfile

import numpy as np

from tests.parity.cases import STARS

FILES = pathlib.Path(__file__).parents[1] / "files"
FIXTURE = "2D_versatile_fluo"
SIZES = ((160, 160), (151, 135))  # of images; the second is continued by mirroring


def scene(size, channels, rng):
    """Image uint8 [H, W] or [H, W, 3] of ellipses that may touch, and their labels."""
    labels, image = np.zeros(size, "int32"), np.zeros(size, "float32")
    y, x = np.indices(size)
    for _ in range(size[0] * size[1] // 1000):
        at, turn = rng.uniform(0, size, 2), rng.uniform(0, np.pi)
        a, b = rng.uniform(6, 13, 2)
        u = (x - at[1]) * np.cos(turn) + (y - at[0]) * np.sin(turn)
        v = (y - at[0]) * np.cos(turn) - (x - at[1]) * np.sin(turn)
        mask = (u / a) ** 2 + (v / b) ** 2 <= 1
        if not mask.any() or (labels[mask] > 0).mean() > 0.15:
            continue
        labels[mask & (labels == 0)] = labels.max() + 1
        image[mask] = np.maximum(image[mask], rng.uniform(90, 200))
    image += 20 + rng.normal(0, 8, size)
    if channels == 3:
        image = np.stack([0.9 * image, 0.7 * image + 20, 230 - 0.8 * image], -1)
    return np.clip(image, 0, 255).astype("uint8"), labels


def train(case, folder):
    """A StarDist that was trained for a minute, saved into its folder."""
    from csbdeep.utils import normalize
    from stardist.models import Config2D, StarDist2D

    base, features, channels, epochs = STARS[case]
    rng = np.random.default_rng(0)
    data = [scene((128, 128), channels, rng) for _ in range(24)]
    images = [normalize(image, 1, 99.8) for image, _ in data]
    labels = [label for _, label in data]
    config = Config2D(
        grid=(2, 2),
        n_channel_in=channels,
        unet_n_filter_base=base,
        net_conv_after_unet=features,
        train_patch_size=(128, 128),
        train_steps_per_epoch=50,
        train_epochs=epochs,
        train_learning_rate=1e-3,
        train_tensorboard=False,
    )
    model = StarDist2D(config, name=case, basedir=str(folder))
    model.train(images, labels, validation_data=(images[:4], labels[:4]))
    # Only these: more are not tried, which takes longer than the training.
    model.thresholds = {"prob": 0.5, "nms": 0.3}
    (folder / case / "thresholds.json").write_text('{"prob": 0.5, "nms": 0.3}')
    return model


def write(case, folder, out):
    """Write CASE.zip and CASE.npz into `out`."""
    from csbdeep.utils import normalize

    model = train(case, folder)
    name = "stardist" if out == FILES else case
    with zipfile.ZipFile(out / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for part in ("config.json", "thresholds.json", "weights_best.h5"):
            file.write(folder / case / part, f"{case}/{part}")
    rng, arrays = np.random.default_rng(7), {}
    for index, size in enumerate(SIZES):
        image, _ = scene(size, STARS[case][2], rng)
        labels, _ = model.predict_instances(normalize(image, 1, 99.8))
        arrays |= {f"{index}/image": image, f"{index}/labels": labels.astype("uint8")}
        if index == 0:
            # Its own `predict` raises distances below 0.001 to that.
            maps = model.predict(normalize(image, 1, 99.8))
            arrays |= {"probabilities": maps[0], "distances": maps[1]}
    if out == FILES:  # the maps are large
        arrays = {k: x for k, x in arrays.items() if "/" in k}
    np.savez_compressed(out / f"{name}.npz", **arrays)


def main(folder, *cases):
    if folder == "fixtures":
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            write(FIXTURE, pathlib.Path(folder), FILES)
        return
    for case in cases or STARS:
        write(case, pathlib.Path(folder), pathlib.Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
