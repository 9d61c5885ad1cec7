"""Train a class-map model with JAX: data, augmentation and steps on the accelerator.

    python scripts/train_on_jax.py pack zoo/unet_plain_chase_db1 ROOT/chase_db1 eyes.npz
    python scripts/train_on_jax.py train zoo/unet_plain_chase_db1/jax.toml eyes.npz \\
        weights.npz --seconds 150

For GPUs on which JAX runs and TensorFlow does not. `pack` needs TensorFlow, to read a
recipe, and may run elsewhere; `train` needs only Keras and JAX. The whole data set lies
in the accelerator's memory, every crop is drawn there anew, and the schedule ends when
the time does. Weights are moving averages, float16 where nothing is lost; `kerasseg
train --set train.init=weights.npz` and `kerasseg.weights.load` read them.
"""

import argparse
import functools
import math
import os
import pathlib
import re
import time
import tomllib

import cv2
import numpy as np

IGNORE = 255
STEPS_PER_CALL = 10  # in one program: the host only sets the learning rate between
B1, B2, EPSILON = 0.9, 0.999, 1e-7  # of Adam
TO_YIQ = np.float32(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]]
)


def pack(recipe, root, out):
    """Write both sides of a recipe's data into one file, without loss."""
    from kerasseg import recipes

    recipe, arrays = recipes.read(recipe), {}
    for side in ("train", "val"):
        samples = recipes.build_samples(recipe, root, side)
        arrays["classes"] = np.array(samples.classes)
        for kind in ("image", "label"):
            coded = [_png(sample[kind]) for sample in samples]
            arrays[f"{side}_{kind}"] = np.concatenate(coded)
            arrays[f"{side}_{kind}_ends"] = np.cumsum([len(x) for x in coded])
    np.savez(out, **arrays)


def _png(array):
    array = np.asarray(array)
    if array.dtype.kind == "i":
        array = array.astype("uint8")  # labels
    if array.dtype != np.uint8:
        raise SystemExit(f"Pictures must be of 8 bits. Received: {array.dtype}.")
    return cv2.imencode(".png", array[..., ::-1] if array.ndim == 3 else array)[1]


def unpack(arrays, side):
    """Images uint8 [N, H, W, C], labels [N, H, W] padded with 255, and sizes [N, 2]."""
    images, labels = (
        [
            cv2.imdecode(part, cv2.IMREAD_UNCHANGED)
            for part in np.split(
                arrays[f"{side}_{kind}"], arrays[f"{side}_{kind}_ends"][:-1]
            )
        ]
        for kind in ("image", "label")
    )
    sizes = np.int32([label.shape for label in labels])
    images = [x[..., None] if x.ndim == 2 else x[..., ::-1] for x in images]
    full = (len(labels), *sizes.max(0))
    stacked, truth = np.zeros([*full, images[0].shape[-1]], "uint8"), np.full(full, 255)
    for i, (height, width) in enumerate(sizes):
        stacked[i, :height, :width] = images[i]
        truth[i, :height, :width] = labels[i]
    return stacked, truth.astype("uint8"), sizes


def sampler(options):
    """Function (key, data, index) -> augmented image float32 [h, w, C] and label.

    The names are those of `kerasseg.augment`, with `aspect` (largest logarithm of the
    stretch of either axis) and `channel` (gain of each channel alone).
    """
    import jax
    import jax.numpy as jnp

    known = {"size", "scale", "aspect", "flip", "rotation", "elastic", "outside"}
    known |= {"brightness", "contrast", "saturation", "hue", "gamma", "channel"}
    known |= {"blur", "noise"}
    if unknown := {*options} - known:
        raise SystemExit(
            f"[augment] cannot {sorted(unknown)} here, but {sorted(known)}."
        )
    (height, width), (low, high) = options["size"], options.get("scale", [1, 1])
    flips = [
        options.get("flip") in (kind, "both") for kind in ("vertical", "horizontal")
    ]
    mirrored = options.get("outside") == "reflect"

    def positions(key, size):
        """Rows and columns of the image where the pixels of the crop lie: [2, h, w]."""
        keys = jax.random.split(key, 6)
        scale = low * (high / low) ** jax.random.uniform(keys[0])
        stretch = jax.random.uniform(keys[1], (2,), minval=-1, maxval=1)
        scale = scale * jnp.exp(options.get("aspect", 0.0) * stretch)
        lots = jax.random.uniform(keys[2], (2,)) < 0.5
        sign = jnp.where(lots & jnp.array(flips), -1.0, 1.0)
        angle = math.radians(options.get("rotation", 0.0))
        angle *= jax.random.uniform(keys[3], minval=-1, maxval=1)
        half = jnp.array([height, width]) / 2 / scale
        centre = half + jax.random.uniform(keys[4], (2,)) * (size - 2 * half)
        grid = jnp.stack(jnp.mgrid[:height, :width]).astype("float32")
        grid -= (jnp.array([height, width]) - 1)[:, None, None] / 2
        if options.get("elastic"):
            shift = jax.random.normal(keys[5], (2, 4, 4)) * options["elastic"]
            shift *= jax.random.uniform(keys[0])
            grid += jax.image.resize(shift, grid.shape, "cubic")
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        turned = jnp.einsum("ij,jhw->ihw", jnp.array([[cos, -sin], [sin, cos]]), grid)
        return turned * (sign / scale)[:, None, None] + (centre - 0.5)[:, None, None]

    def sample(key, data, index):
        images, labels, sizes = data
        place, look = jax.random.split(key)
        size = sizes[index].astype("float32")
        at, last = positions(place, size), (size - 1)[:, None, None]
        inside = ((at > -0.5) & (at < last + 0.5)).all(0)
        if mirrored:
            around = (at + 0.5) % (2 * last + 2) - 0.5
            at = jnp.where(around > last + 0.5, 2 * last + 1 - around, around)
        row, column = jnp.clip(jnp.round(at), 0, last).astype("int32")
        label = jnp.where(inside, labels[index, row, column].astype("int32"), IGNORE)
        first = jnp.floor(at)
        weights, image = (at - first)[..., None], 0.0
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            step = jnp.array([i, j], "float32")[:, None, None]
            row, column = jnp.clip(first + step, 0, last).astype("int32")
            share = (weights[0] if i else 1 - weights[0]) * (
                weights[1] if j else 1 - weights[1]
            )
            image += share * images[index, row, column].astype("float32")
        image = recolour(look, image, options)
        visible = True if mirrored else inside[..., None]
        return jnp.where(visible, jnp.clip(image, 0, 255), 0.0), label

    return sample


def recolour(key, image, options):
    """Random colours, blur and noise of one image [h, w, C]."""
    import jax
    import jax.numpy as jnp

    keys = iter(jax.random.split(key, 12))

    def draw(name, low=-1.0, shape=()):
        lot = jax.random.uniform(next(keys), shape, minval=low, maxval=1.0)
        return options.get(name, 0.0) * lot

    channels = image.shape[-1]
    angle, chroma = 2 * jnp.pi * draw("hue"), 1 + draw("saturation")
    if channels == 3:
        cos, sin = chroma * jnp.cos(angle), chroma * jnp.sin(angle)
        turn = jnp.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
        image = image @ (jnp.linalg.inv(TO_YIQ) @ turn @ TO_YIQ).T
    image *= 1 + draw("channel", shape=(channels,)) + draw("brightness")
    mean = image.mean((0, 1))
    image = mean + (image - mean) * (1 + draw("contrast"))
    top = jnp.maximum(image.max(), 1e-3)
    power = (1 + options.get("gamma", 0.0)) ** jax.random.uniform(
        next(keys), minval=-1, maxval=1
    )
    image = top * jnp.maximum(image / top, 0.0) ** power
    for axis, deviation in enumerate([draw("blur", 0.0) + 1e-2] * 2):
        offsets = np.arange(-4, 5)
        kernel = jnp.exp(-0.5 * (offsets / deviation) ** 2)
        parts = zip(offsets.tolist(), kernel / kernel.sum())
        image = sum(weight * jnp.roll(image, i, axis) for i, weight in parts)
    spread = draw("noise", 0.0) * image.std()
    return image + spread * jax.random.normal(next(keys), image.shape)


def make_update(model, loss, sample, settings, num_images):
    """Jitted function (state, key, rate, data) -> state, losses: ten steps of AdamW."""
    import jax
    import jax.numpy as jnp

    from kerasseg.recipes.build import NOT_DECAYED

    batch, decay = settings["batch_size"], settings.get("weight_decay", 1e-2)
    decays = [re.search(NOT_DECAYED, v.path) is None for v in model.trainable_variables]

    def objective(weights, others, images, labels):
        logits, others = model.stateless_call(weights, others, images, training=True)
        return loss(labels, logits), others

    def step(state, key, rate, data):
        weights, others, m, v, averages, count = state
        which, how = jax.random.split(key)
        index = jax.random.randint(which, (batch,), 0, num_images)
        draw = jax.vmap(sample, (0, None, 0))
        images, labels = draw(jax.random.split(how, batch), data, index)
        gradient = jax.value_and_grad(objective, has_aux=True)
        (value, others), found = gradient(weights, others, images, labels)
        count += 1
        m = [B1 * a + (1 - B1) * g for a, g in zip(m, found)]
        v = [B2 * a + (1 - B2) * g * g for a, g in zip(v, found)]
        scale = jnp.sqrt(1 - B2**count) / (1 - B1**count)
        weights = [
            w - rate * (scale * a / (jnp.sqrt(b) + EPSILON) + decay * d * w)
            for w, a, b, d in zip(weights, m, v, decays)
        ]
        keep = jnp.minimum(settings.get("ema_decay", 0.999), (1 + count) / (10 + count))
        averages = [keep * a + (1 - keep) * w for a, w in zip(averages, weights)]
        return (weights, others, m, v, averages, count), value

    @functools.partial(jax.jit, donate_argnums=0)
    def update(state, key, rate, data):
        def body(state, key):
            return step(state, key, rate, data)

        return jax.lax.scan(body, state, jax.random.split(key, STEPS_PER_CALL))

    return update


def train(spec, packed, out, seconds):
    """Train for so many seconds after compiling, print progress, write weights."""
    os.environ["KERAS_BACKEND"] = "jax"
    import jax
    import jax.numpy as jnp
    import keras

    from kerasseg import losses, zoo

    spec = tomllib.loads(pathlib.Path(spec).read_text())
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(0)
    with np.load(packed) as file:
        arrays = {name: file[name] for name in file.files}
    images, labels, sizes = unpack(arrays, "train")
    options = dict(spec["model"])
    builder = getattr(zoo, options.pop("architecture"))
    shape = (None, None, images.shape[-1])
    model = builder(len(arrays["classes"]), input_shape=shape, **options)
    parts = [dict(part) for part in spec["loss"]]
    loss = losses.Weighted([(1.0, losses.LOSSES[x.pop("name")](**x)) for x in parts])
    sample, settings = sampler(spec["augment"]), spec["train"]
    update = make_update(model, loss, sample, settings, len(images))
    data = tuple(map(jnp.asarray, (images, labels, sizes)))
    weights = [jnp.array(v.value) for v in model.trainable_variables]
    others = [jnp.array(v.value) for v in model.non_trainable_variables]
    zeros = [jnp.zeros_like(w) for w in weights]
    averages = [jnp.array(w) for w in weights]
    state = (weights, others, zeros, [*map(jnp.array, zeros)], averages, 0.0)
    key = jax.random.key(0)
    state, _ = jax.block_until_ready(update(state, key, 0.0, data))  # compiles
    begin, shown, calls, share = time.time(), 0.0, 1, 0.0
    while share < 1:
        key, now = jax.random.split(key)
        rate = min(1.0, share / 0.03) * 0.5 * (1 + math.cos(math.pi * share))
        rate *= settings["learning_rate"]
        state, values = jax.block_until_ready(update(state, now, rate, data))
        calls, share = calls + 1, (time.time() - begin) / seconds
        if share - shown > 0.05:
            steps, shown = calls * STEPS_PER_CALL, share
            print(f"{share:4.0%}  {steps} steps  loss {values.mean():.4f}", flush=True)
    save(model, state, out)
    steps = calls * STEPS_PER_CALL
    print(f"{steps} steps of {settings['batch_size']} images in {seconds:.0f} s: {out}")


def save(model, state, out):
    """Write averaged weights and batch statistics by path."""
    from kerasseg.weights.npz import write_half

    weights, others = state[4], state[1]
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    values = map(np.asarray, [*weights, *others])
    write_half({v.path: value for v, value in zip(variables, values)}, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    one = commands.add_parser("pack", help="data of a recipe into one file")
    for name in ("recipe", "root", "out"):
        one.add_argument(name)
    one = commands.add_parser("train", help="train on a packed file")
    for name in ("spec", "packed", "out"):
        one.add_argument(name)
    one.add_argument("--seconds", type=float, default=150.0)
    arguments = vars(parser.parse_args())
    {"pack": pack, "train": train}[arguments.pop("command")](**arguments)


if __name__ == "__main__":
    main()
