"""Cost of the instance models by stage.

Run: python -m benchmarks.objects [--sizes 256 512] [--xla]

All three on one encoder, as in the recipes for nuclei. Ever longer parts of each model
are timed, interleaved; a stage is the difference of two parts.
"""

import argparse
import functools

import keras
import numpy as np
import tensorflow as tf

from benchmarks.record import record
from kerasseg import encoders, training, zoo
from kerasseg.profiling import benchmark

NMS = {"num_candidates": 300}
MODELS = {
    "yolact": {"filters": 64, "nms": NMS},
    "center_mask": {
        "filters": 64,
        "head_filters": 48,
        "decoder": "unet",
        "shape_size": 16,
    },
    "mask_rcnn": {
        "filters": 64,
        "hidden": 256,
        "norm": "group",
        "canonical_box": 0.875,
        "num_proposals": 300,
        "nms": NMS,
    },
}
LOSS = {"mask_rcnn": {"num_rois": 64}}
# Layers that end a stage, beside the encoder before and the whole model after.
STAGES = {
    "yolact": {"detections": "heads"},
    "center_mask": {"detections": "heads"},
    "mask_rcnn": {"proposals": "proposals", "masks": "boxes"},
}
OBJECTS = 16  # per image in training


def build(name, size):
    """Instance model for one class and square images."""
    encoder = "efficientnet_lite0"
    return zoo.BUILDERS[name](1, encoder, image_size=(size, size), **MODELS[name])


def stages(name, model):
    """Parts of a model from its input on, by the name of their last stage."""
    encoder = encoders.of(model)
    parts = {"encoder": keras.Model(model.input, encoder(model.input))}
    for layer, stage in STAGES[name].items():
        before = model.get_layer(layer).input
        parts[stage] = keras.Model(model.input, before)
    return {**parts, "decoding and masks": model}


def inference_cases(name, model, jit_compile):
    """Inference of each part of a model on one image, as cases of `measure`."""
    rng = np.random.default_rng(0)
    image = tf.constant(rng.integers(0, 256, (1, *model.input_shape[1:])), "float32")
    cases = {}
    for stage, part in stages(name, model).items():
        run = tf.function(part, jit_compile=jit_compile)

        def predict(run=run):
            tf.nest.map_structure(lambda x: x.numpy().ravel()[:1], run(image))

        cases[f"{name}: {stage}"] = (predict, 1)
    return cases


def training_case(name, model, batch_size=4):
    """Training step on images of 16 square objects, as a case of `measure`."""
    rng = np.random.default_rng(0)
    size = model.input_shape[1]
    corners = rng.integers(0, size - 33, (batch_size, OBJECTS, 2))
    boxes = np.concatenate([corners, corners + 32], -1)
    places = np.arange(0, size, 4)
    rows = (places >= boxes[..., 1:2]) & (places < boxes[..., 3:])
    columns = (places >= boxes[..., :1]) & (places < boxes[..., 2:3])
    truth = {
        "boxes": boxes.astype("float32"),
        "classes": np.zeros((batch_size, OBJECTS), "int32"),
        "masks": (rows[..., None] & columns[..., None, :]).astype("float32"),
    }
    images = rng.integers(0, 256, (batch_size, size, size, 3)).astype("float32")
    losses = functools.partial(zoo.BUILDERS[name].losses, **LOSS.get(name, {}))
    step = training.make_train_step(
        model, training.Objective(losses, 0), keras.optimizers.Adam(1e-5)
    )
    truth = {key: tf.constant(value) for key, value in truth.items()}
    images = tf.constant(images)
    return lambda: float(step(images, truth)["loss"]), batch_size


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--xla", action="store_true", help="compile inference with XLA")
    options = parser.parse_args()
    for size in options.sizes:
        models = {name: build(name, size) for name in MODELS}
        cases = {}
        for name, model in models.items():
            cases |= inference_cases(name, model, options.xla)
            if not options.xla:
                cases[f"{name}: training step"] = training_case(name, model)
        result = {"cases": benchmark.measure(cases, repeats=options.repeats)}
        result["parameters"] = {name: m.count_params() for name, m in models.items()}
        record(f"objects {size}x{size}{', XLA' if options.xla else ''}", result)


if __name__ == "__main__":
    main()
