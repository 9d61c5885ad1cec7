"""Engines of prediction against TensorFlow and PyTorch: one image, batches of eight.

Needs pip install 'kerasseg[onnx,openvino,litert]'; those that are missing are left out.
PyTorch is measured if the Python of its environment is given (see torch_models.py).
--int8 (kerasseg[int8]) adds files of `export`, calibrated on noise: for speed only.
Run: python -m benchmarks.engines [MODEL ...] [--torch ENVIRONMENT/bin/python] [--int8]
"""

import argparse
import functools
import os
import statistics
import tempfile

import numpy as np

from benchmarks.record import ratios, record, recorded
from benchmarks.versus_torch import Torch
from kerasseg import export, predict, tasks, zoo
from kerasseg.export import quantization
from kerasseg.predict import converted, forward, runtimes, trials
from kerasseg.profiling import benchmark

WHOLE = "predict.class_ids_of_batch by"
# name -> (function that builds the model, side of the images)
MODELS = {
    "unet_base16": (lambda: zoo.unet(3, base_filters=16), 256),
    "unet_resnet34": (lambda: zoo.unet(21, "resnet34"), 512),
    "deeplab_v3_plus_lite0": (
        lambda: zoo.deeplab_v3_plus(21, "efficientnet_lite0", output_stride=16),
        384,
    ),
    "stardist_lite0": (lambda: zoo.stardist(encoder="efficientnet_lite0"), 256),
    "yolact_lite0": (
        lambda: zoo.yolact(1, "efficientnet_lite0", image_size=(256, 256)),
        256,
    ),
}


def twice(function):
    """Two calls in a row: before the first one others have used the caches."""

    def run():
        function()
        function()

    return run


class Peer:
    """Inference in PyTorch, as a case of `benchmark.measure`; `cpu` are its seconds."""

    def __init__(self, python, mode, name, batch):
        side = MODELS[name][1]
        self.worker = Torch(python, mode, model=name, batch=batch, side=side)
        self.cpu = []

    def __call__(self):
        self.cpu.append(sum(self.worker("inference")[0] for _ in range(2)))


def in_int8(model, photos):
    """Cases of files in int8; and formats that cannot hold the model, and why."""
    cases, refused = {}, {}
    names = [f"class {x}" for x in range(tasks.of(model).num_classes(model) or 1)]
    with tempfile.TemporaryDirectory() as folder:
        for format in runtimes.RUNTIMES:
            path = os.path.join(folder, format, "model")
            pictures = [photos[0]] * quantization.FEWEST
            try:
                options = {"precision": "int8", "pictures": pictures}
                options["class_names"] = names
                path = export.save(model, path, format=format, **options)
            except (export.ExportError, ImportError) as error:
                refused[f"{format} int8"] = str(error)
                continue
            run = runtimes.open_file(path, format).run
            cases[f"{format} int8"] = functools.partial(run, photos)
    return cases, refused


def measure(name, batch, repeats, python=None, int8=False):
    """Cases of one model: a call of each engine, and `predict.class_ids` by it.

    Beside them PyTorch, eager and compiled, where its interpreter is given, and files
    in int8, which take raw images and answer class ids or objects.
    """
    build, side = MODELS[name]
    model = build()
    rng = np.random.default_rng(0)
    photos = rng.integers(0, 256, (batch, side, side, 3), "uint8")
    images = photos.astype("float32")
    semantic = tasks.of(model).name == "semantic"
    answer = forward.to_class_ids if semantic else dict
    cases, refused = {}, {}
    for engine in trials.installed():
        one = predict.engine(model, engine)
        run = forward.compiled(one, answer)
        try:
            trials.call(run, images)
        except converted.EngineError as error:
            refused[engine] = str(error)
            continue
        cases[engine] = twice(functools.partial(trials.call, run, images)), 2 * batch
        if semantic:
            whole = functools.partial(predict.class_ids_of_batch, one, photos)
            cases[f"{WHOLE} {engine}"] = twice(whole), 2 * batch
    if int8:
        files, refused_too = in_int8(model, photos)
        cases |= {case: (twice(run), 2 * batch) for case, run in files.items()}
        refused |= refused_too
    peers = {
        f"pytorch {mode}": Peer(python, mode, name, batch)
        for mode in ("eager", "compile") * bool(python)
    }
    cases |= {case: (peer, 2 * batch) for case, peer in peers.items()}
    found = benchmark.measure(cases, repeats=repeats, warmup=2)
    for case, peer in peers.items():
        cpu = statistics.median(peer.cpu[-repeats:])
        found[case]["cpu_ms_per_image"] = 1e3 * cpu / (2 * batch)
    result = {"cases": found, "refused": refused}
    for case in found:
        engine = case.rpartition(" by ")[2]
        others = ("tensorflow", *peers) if case == engine else (engine,)
        for other in others:
            if other != case:
                result[f"{case} / {other}"] = ratios(found, case, other)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--torch", metavar="PYTHON", help="of PyTorch's environment")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    for name in options.models:
        for batch in options.batches:
            # No trial, and no file, of an earlier run.
            with tempfile.TemporaryDirectory() as folder:
                os.environ["KERASSEG_HOME"] = folder
                found = measure(
                    name, batch, options.repeats, options.torch, options.int8
                )
            key = f"{name}, batch {batch}"
            record("engines", {**recorded("engines"), key: found}, show=False)
            print(key)
            for case, value in found.items():
                if " / " in case:
                    print(f"  {case}: {value['wall']:.2f} wall, {value['cpu']:.2f} CPU")


if __name__ == "__main__":
    main()
