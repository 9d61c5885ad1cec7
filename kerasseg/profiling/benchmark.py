"""Benchmarks of a training step, inference and the input pipeline.

Cases run interleaved (A B C A B C ...) and medians are reported, because machines
drift. CPU time counts all threads of the process and varies less than wall time.
"""

import statistics
import time

from kerasseg import machine


def measure(cases, *, repeats=5, warmup=1):
    """Time functions, interleaved.

    Args:
        cases: dict from name to (function without arguments, images per call).
        repeats: measured calls of each case.
        warmup: first calls of each case, which are not measured.

    Returns:
        dict from name to {"images_per_second", "wall_ms_per_image",
        "cpu_ms_per_image"}, medians over the calls.

    Example:
        >>> found = measure({"sum": (lambda: sum(range(9)), 1)})
        >>> found["sum"]["images_per_second"] > 0
        True
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
        num_classes: random labels are 0..num_classes - 1.
        size: height and width of the images, px.
        batch_size: images per step.

    Returns:
        dict of cases "training" and "inference", see `measure`.
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
        float(step(images, labels)["loss"])  # reading the value waits for the step

    def predict():
        tf.nest.map_structure(lambda x: x.numpy()[0, 0, 0, 0], infer(images))

    return {"training": (train, batch_size), "inference": (predict, batch_size)}


def matmul_case(size=2048):
    """Float32 matrix product, the machine's practical limit, as a case of `measure`.

    Args:
        size: rows and columns of the matrix.

    Returns:
        (dict of the case "matrix multiply", GFLOP per call).
    """
    import tensorflow as tf

    matrix = tf.random.normal([size, size])
    multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    return {"matrix multiply": (lambda: float(multiply()), 1)}, 2 * size**3 / 1e9


def pipeline_case(*, size=256, batch_size=8, batches=8):
    """Input pipeline on synthetic shapes with standard augmentation, as a case.

    Args:
        size: height and width of the crops, px.
        batch_size: images per batch.
        batches: batches per call.

    Returns:
        dict of the case "pipeline", see `measure`.
    """
    from kerasseg import augment, data, datasets

    stream = data.pipeline(
        datasets.shapes(64, size=2 * size, seed=0),
        batch_size=batch_size,
        augment=augment.standard(
            size=(size, size), scale=(0.5, 2.0), flip="horizontal", brightness=0.2
        ),
        reading=data.Reading(cache=True),
    ).take(batches)  # an endless stream would run in the background of other cases

    def read():
        for _ in stream:
            pass

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
    """Benchmark one architecture. It changes the process's dtype policy.

    Args:
        architecture: name in `kerasseg.zoo`.
        encoder: name in `kerasseg.encoders`; None takes the builder's default.
        num_classes: of the model.
        size: height and width of the images, px.
        batch_size: images per step.
        repeats: measured calls of each case.
        precision: Keras dtype policy, "float32" or "mixed_bfloat16".

    Returns:
        JSON-able dict: the settings, the medians of `measure` (with GFLOP per CPU
        second, and its ratio to a float32 matrix product's, in "training" and
        "inference"), peak memory of the process in MB (TensorFlow included) and
        versions. A training step counts as three forward passes.

    Raises:
        ValueError: if there is no such architecture.
    """
    # Before Keras imports TensorFlow, which reads the switch once.
    machine.use_onednn()
    import keras

    from kerasseg import zoo
    from kerasseg.names import look_up
    from kerasseg.profiling import operations

    builder = look_up(architecture, zoo.BUILDERS, "architecture")
    keras.config.set_dtype_policy(precision)
    options = {"encoder": encoder} if encoder else {}
    model = builder(num_classes, **options)
    cases = model_cases(model, num_classes, size=size, batch_size=batch_size)
    cases |= pipeline_case(size=size, batch_size=batch_size)
    limit, limit_gflop = matmul_case()
    measured = measure(cases | limit, repeats=repeats)
    # Operations are counted from static shapes.
    fixed_size = builder(num_classes, input_shape=(size, size, 3), **options)
    gflop = operations.gflops(fixed_size)
    _add_speeds(measured, gflop, limit_gflop)
    return {
        "architecture": architecture,
        "encoder": encoder or "default",
        "parameters": model.count_params(),
        "gflop_per_image": gflop,
        "size": size,
        "batch_size": batch_size,
        "precision": precision,
        "cases": measured,
        "peak_memory_mb": machine.peak_memory_mb(),
        "environment": machine.environment(),
    }


def _add_speeds(measured, gflop, limit_gflop):
    """Add GFLOP per CPU second, and its ratio to a matrix product's, in place."""
    limit_speed = limit_gflop / measured["matrix multiply"]["cpu_ms_per_image"]
    # A backward pass computes two products for each one of the forward pass.
    for name, passes in (("training", 3), ("inference", 1)):
        speed = passes * gflop / measured[name]["cpu_ms_per_image"]
        measured[name]["gflop_per_cpu_s"] = 1e3 * speed
        measured[name]["share_of_matrix_multiply"] = speed / limit_speed
