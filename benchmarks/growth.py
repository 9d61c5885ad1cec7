"""Growth of training and inference cost with image size, batch size and replicas.

Run: python -m benchmarks.growth [--repeats 3]
"""

import argparse

import keras
import tensorflow as tf

from benchmarks.record import record
from kerasseg import losses, training, zoo
from kerasseg.profiling import benchmark, operations

SIZES, BATCHES = (128, 256, 512, 1024), (1, 2, 4, 8, 16, 32)


def build(size=None):
    """U-Net of 16 base filters; `size` fixes the image size."""
    return zoo.unet(2, base_filters=16, input_shape=(size, size, 3))


def costs(cases, repeats):
    """CPU and wall time per image of training and inference."""
    measured = benchmark.measure(cases, repeats=repeats)
    return {
        kind: {
            key: measured[kind][key]
            for key in ("cpu_ms_per_image", "wall_ms_per_image")
        }
        for kind in ("training", "inference")
    }


def replicated(count, repeats):
    """Training on `count` virtual devices of this CPU, 8 images in all."""
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])
    with strategy.scope():
        model, optimizer = build(), keras.optimizers.SGD(0.01)
    step = training.make_train_step(
        model, losses.CrossEntropy(), optimizer, strategy=strategy
    )
    images = tf.random.uniform((8, 256, 256, 3), 0, 255)
    labels = tf.random.uniform((8, 256, 256), 0, 2, "int32")
    case = {"training": (lambda: float(step(images, labels)["loss"]), 8)}
    return benchmark.measure(case, repeats=repeats)["training"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    model = build()
    by_size = {
        size: {
            "gflops": operations.gflops(build(size)),
            **costs(
                benchmark.model_cases(model, 2, size=size, batch_size=1),
                options.repeats,
            ),
        }
        for size in SIZES
    }
    by_batch = {
        batch: costs(
            benchmark.model_cases(model, 2, size=128, batch_size=batch),
            options.repeats,
        )
        for batch in BATCHES
    }
    by_replicas = {count: replicated(count, options.repeats) for count in (1, 2)}
    record(
        "growth of unet_base16",
        {
            "batch 1, by size": by_size,
            "128x128, by batch": by_batch,
            "256x256, batch 8, by replicas": by_replicas,
        },
    )


if __name__ == "__main__":
    main()
