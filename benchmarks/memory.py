"""Peak memory of training U-Net 64..1024 at 256x256, batch 8, by memory-saving setting.

Each setting runs in a process of its own, because the peak of a process never falls.
Run: python -m benchmarks.memory
"""

import json
import subprocess
import sys
import time

from benchmarks.record import record
from kerasseg import machine

SETTINGS = {
    "plain": {},
    "accumulate 2": {"accumulate": 2},
    "accumulate 4": {"accumulate": 4},
    "accumulate 8": {"accumulate": 8},
    "recompute": {"recompute": True},
}


def train(accumulate=1, recompute=False):
    """Run two steps; returns peak memory in MB and CPU seconds of the second."""
    import keras
    import tensorflow as tf

    from kerasseg import losses, training, zoo

    with keras.RematScope(mode="activations" if recompute else None):
        model = zoo.unet(2)
    optimizer = keras.optimizers.SGD(0.01)
    step = training.make_train_step(
        model,
        losses.CrossEntropy(),
        optimizer,
        options=training.StepOptions(accumulate=accumulate),
    )
    images = tf.random.uniform((8, 256, 256, 3), 0, 255)
    labels = tf.random.uniform((8, 256, 256), 0, 2, "int32")
    float(step(images, labels)["loss"])
    begin = time.process_time()
    float(step(images, labels)["loss"])
    return {"peak_mb": machine.peak_memory_mb(), "cpu_s": time.process_time() - begin}


def main():
    if len(sys.argv) > 1:
        print(json.dumps(train(**SETTINGS[sys.argv[1]])))
        return
    result = {}
    for setting in SETTINGS:
        command = [sys.executable, "-m", "benchmarks.memory", setting]
        done = subprocess.run(command, capture_output=True, text=True)
        failed = {"failed": done.stderr.splitlines()[-1:]}
        result[setting] = (
            failed if done.returncode else json.loads(done.stdout.splitlines()[-1])
        )
    record("memory of training unet 64..1024, 256x256, batch 8", result)


if __name__ == "__main__":
    main()
