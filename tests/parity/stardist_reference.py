"""Runs StarDist itself: `python -m tests.parity.stardist_reference FOLDER [CASE...]`.

Trains a small one on ellipses for a minute, so that there are objects, and writes
CASE.zip as its authors publish theirs, and CASE.npz with what it finds. With FOLDER
"fixtures", writes tests/files/stardist.zip and .npz instead, of the smallest, and
stardist_own.zip and .npz, of random weights. Needs
`pip install stardist tensorflow` in an environment of its own (scripts/parity.sh).
"""

import pathlib
import sys
import zipfile

import numpy as np

from tests.parity.cases import OWN_STARDIST, STARS

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
    pack(folder / case, out / f"{name}.zip")
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


def write_own(folder, out):
    """Write stardist_own.zip, of random weights, and .npz with its maps of noise."""
    from stardist.models import Config2D, StarDist2D

    model = StarDist2D(Config2D(**OWN_STARDIST), name="own", basedir=str(folder))
    rng = np.random.default_rng(3)
    # Biases are zero at first, which no error of theirs would show.
    arrays = model.keras_model.get_weights()
    arrays = [x + rng.normal(0, 0.1, x.shape).astype("float32") for x in arrays]
    model.keras_model.set_weights(arrays)
    model.keras_model.save_weights(str(folder / "own/weights_best.h5"))
    (folder / "own/thresholds.json").write_text('{"prob": 0.4, "nms": 0.2}')
    pack(folder / "own", out / "stardist_own.zip")
    image = rng.uniform(0, 1, (24, 32, OWN_STARDIST["n_channel_in"])).astype("float32")
    probabilities, distances = model.predict(image)[:2]
    maps = {"image": image, "probabilities": probabilities, "distances": distances}
    np.savez_compressed(out / "stardist_own.npz", **maps)


def pack(folder, path):
    """Write a model's folder as a zip, as its authors publish theirs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for part in ("config.json", "thresholds.json", "weights_best.h5"):
            file.write(folder / part, f"{folder.name}/{part}")


def main(folder, *cases):
    if folder == "fixtures":
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            write(FIXTURE, pathlib.Path(folder), FILES)
            write_own(pathlib.Path(folder), FILES)
        return
    for case in cases or STARS:
        write(case, pathlib.Path(folder), pathlib.Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
