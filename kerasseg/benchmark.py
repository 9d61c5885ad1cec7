"""Measures what a model costs: training step, inference, input pipeline.

Cases run in turn (A B C A B C ...) and medians are reported, because machines drift.
CPU time counts all threads of the process and is steadier than wall time.
"""

import resource
import statistics
import time


def measure(cases, *, repeats=5, warmup=1):
    """Time functions in turn.

    Args:
        cases: dict from name to (function without arguments, images per call).
        repeats: measured calls of each.
        warmup: calls of each that come first and do not count.

    Returns:
        dict from name to {"images_per_second", "wall_ms_per_image",
        "cpu_ms_per_image"}, medians over the calls.
    """
    for function, _ in cases.values():
        for _ in range(warmup):
            function()
    walls = {name: [] for name in cases}
    cpus = {name: [] for name in cases}
    for _ in range(repeats):
        for name, (function, images) in cases.items():
            wall, cpu = time.perf_counter(), time.process_time()
            function()
            walls[name].append((time.perf_counter() - wall) / images)
            cpus[name].append((time.process_time() - cpu) / images)
    return {
        name: {
            "images_per_second": 1 / statistics.median(walls[name]),
            "wall_ms_per_image": 1e3 * statistics.median(walls[name]),
            "cpu_ms_per_image": 1e3 * statistics.median(cpus[name]),
        }
        for name in cases
    }


def model_cases(model, num_classes, *, size=256, batch_size=8):
    """Training step and inference of a model on random images, as cases of `measure`.

    Args:
        model: semantic keras.Model.
        num_classes: labels are drawn from 0..num_classes - 1.
        size: height and width of the images, px.
        batch_size: images a step.

    Returns:
        dict of cases "training" and "inference".
    """
    import keras
    import numpy as np
    import tensorflow as tf

    from kerasseg import losses, training

    rng = np.random.default_rng(0)
    shape = (batch_size, size, size, model.input_shape[-1])
    images = tf.constant(rng.integers(0, 256, shape), "float32")
    labels = tf.constant(rng.integers(0, max(num_classes, 2), shape[:3]), "int32")
    step = training.make_train_step(
        model, losses.CrossEntropy(), keras.optimizers.Adam(1e-4)
    )
    infer = tf.function(lambda x: model(x, training=False))

    def train():
        float(step(images, labels)["loss"])  # reading the number waits for the step

    def predict():
        tf.nest.map_structure(lambda x: x.numpy()[0, 0, 0, 0], infer(images))

    return {"training": (train, batch_size), "inference": (predict, batch_size)}


def pipeline_case(*, size=256, batch_size=8, batches=8):
    """Input pipeline on synthetic shapes with the usual augmentation, as a case."""
    from kerasseg import augment, data, datasets

    stream = data.pipeline(
        datasets.shapes(64, size=2 * size, seed=0),
        batch_size=batch_size,
        augment=augment.standard(
            size=(size, size), scale=(0.5, 2.0), flip="horizontal", brightness=0.2
        ),
        cache=True,
    )
    iterator = iter(stream)

    def read():
        for _ in range(batches):
            next(iterator)

    return {"pipeline": (read, batch_size * batches)}


def run(
    architecture,
    encoder=None,
    *,
    num_classes=21,
    size=256,
    batch_size=8,
    repeats=5,
    precision="float32",
):
    """Benchmark one builder.

    Args:
        architecture: name in `kerasseg.zoo`.
        encoder: name in `kerasseg.encoders`; None takes the builder's default.
        num_classes, size, batch_size: of the problem.
        repeats: measured calls.
        precision: Keras dtype policy, "float32" or "mixed_bfloat16".

    Returns:
        JSON-able dict: the settings, `measure`'s medians, peak memory in MB (of the
        process, TensorFlow included) and versions.
    """
    import keras

    from kerasseg import evaluate, zoo
    from kerasseg.names import look_up

    builder = look_up(architecture, zoo.BUILDERS, "architecture")
    keras.config.set_dtype_policy(precision)
    model = builder(num_classes, **({"encoder": encoder} if encoder else {}))
    cases = model_cases(model, num_classes, size=size, batch_size=batch_size)
    cases |= pipeline_case(size=size, batch_size=batch_size)
    return {
        "architecture": architecture,
        "encoder": encoder or "default",
        "parameters": model.count_params(),
        "size": size,
        "batch_size": batch_size,
        "precision": precision,
        "cases": measure(cases, repeats=repeats),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "environment": evaluate.environment(),
    }
