"""Replies of a SavedModel's signatures: bytes, and time above the bare logits.

Needs nothing but the weights `people`, which come along.
Run: python -m benchmarks.signatures [--sides 256 1024] [--repeats 15]
"""

import argparse
import functools
import tempfile

import cv2
import skimage.data
import tensorflow as tf

from benchmarks.record import record, recorded
from kerasseg import export, zoo
from kerasseg.profiling import benchmark

WEIGHTS, BARE = "people", "logits of the model"


def measure(model, signatures, side, repeats):
    """Time and bytes per reply of each signature, for a photograph as JPEG."""
    size = (side, side)
    photo = cv2.resize(skimage.data.astronaut(), size, interpolation=cv2.INTER_AREA)
    file = cv2.imencode(".jpg", photo[..., ::-1])[1].tobytes()
    bare = tf.function(lambda images: {"logits": model(images, training=False)})
    runs = {BARE: functools.partial(bare, tf.constant(photo[None], tf.float32))}
    for name, signature in signatures.items():
        (spec,) = signature.structured_input_signature[1].values()
        is_file = spec.dtype == tf.string
        value = tf.constant([file] if is_file else photo[None], spec.dtype)
        runs[name] = functools.partial(signature, **{spec.name: value})
    cases = {name: (functools.partial(read, run), 1) for name, run in runs.items()}
    found = benchmark.measure(cases, repeats=repeats, warmup=2)
    for name, row in found.items():
        row["reply_bytes"] = read(runs[name])
        row["cpu_ms_above_logits"] = (
            row["cpu_ms_per_image"] - found[BARE]["cpu_ms_per_image"]
        )
    return found


def read(run):
    """Bytes of all that a signature returns; waits for it."""
    arrays = [x.numpy() for x in run().values()]
    return sum(len(x[0]) if x.dtype == object else x.nbytes for x in arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    model = zoo.load(WEIGHTS)
    with tempfile.TemporaryDirectory() as folder:
        names = {"class_names": model.classes, "warm_up_sizes": ()}
        path = export.saved_model(model, f"{folder}/served", **names)
        signatures = tf.saved_model.load(str(path)).signatures
        for side in options.sides:
            found = measure(model, signatures, side, options.repeats)
            key = f"{WEIGHTS}, {side} px"
            record("signatures", {**recorded("signatures"), key: found}, show=False)
            print(key)
            for name, row in found.items():
                print(
                    f"  {name}: {row['reply_bytes']:,} bytes, "
                    f"{row['cpu_ms_per_image']:.1f} CPU ms "
                    f"({row['cpu_ms_above_logits']:+.1f}), "
                    f"{row['wall_ms_per_image']:.1f} ms"
                )


if __name__ == "__main__":
    main()
