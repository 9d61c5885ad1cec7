"""Measures what a model costs: training step, inference, input pipeline.

Cases run in turn (A B C A B C ...) and medians are reported, because machines drift.
CPU time counts all threads of the process and is steadier than wall time.
"""

import resource
import statistics
import time

from kerasseg import machine


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


def matmul_case(size=2048):
    """The machine's limit: a float32 matrix product, as a case of `measure`.

    Returns:
        (dict of the case "matrix multiply", its GFLOP a call).
    """
    import tensorflow as tf

    matrix = tf.random.normal([size, size])
    multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    return {"matrix multiply": (lambda: float(multiply()), 1)}, 2 * size**3 / 1e9


def pipeline_case(*, size=256, batch_size=8, batches=8):
    """Input pipeline on synthetic shapes with the usual augmentation, as a case."""
    from kerasseg import augment, data, datasets

    stream = data.pipeline(
        datasets.shapes(64, size=2 * size, seed=0),
        batch_size=batch_size,
        augment=augment.standard(
            size=(size, size), scale=(0.5, 2.0), flip="horizontal", brightness=0.2
        ),
        reading=data.Reading(cache=True),
    ).take(batches)  # an endless one would go on in the background of other cases

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
    """Benchmark one builder.

    Args:
        architecture: name in `kerasseg.zoo`.
        encoder: name in `kerasseg.encoders`; None takes the builder's default.
        num_classes, size, batch_size: of the problem.
        repeats: measured calls.
        precision: Keras dtype policy, "float32" or "mixed_bfloat16".

    Returns:
        JSON-able dict: the settings, `measure`'s medians (with GFLOP/s by CPU time, and
        as a share of a float32 matrix product's, in "training" and "inference"), peak
        memory in MB (of the process, TensorFlow included) and versions. A training
        step counts as three inferences.
    """
    machine.use_onednn()
    import keras

    from kerasseg import evaluate, zoo
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
    gflop = operations.gflops(
        builder(num_classes, input_shape=(size, size, 3), **options)
    )
    limit_speed = limit_gflop / measured["matrix multiply"]["cpu_ms_per_image"]
    for name, passes in (("training", 3), ("inference", 1)):
        speed = passes * gflop / measured[name]["cpu_ms_per_image"]
        measured[name]["gflop_per_cpu_s"] = 1e3 * speed
        measured[name]["share_of_matrix_multiply"] = speed / limit_speed
    return {
        "architecture": architecture,
        "encoder": encoder or "default",
        "parameters": model.count_params(),
        "gflop_per_image": gflop,
        "size": size,
        "batch_size": batch_size,
        "precision": precision,
        "cases": measured,
        "peak_memory_mb": peak_memory_mb(),
        "environment": evaluate.environment(),
    }


def peak_memory_mb():
    """Peak memory of this process so far, MB.

    From VmHWM where there is /proc: `ru_maxrss` of a child begins at its parent's size.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
