"""Engines: a model computed by another runtime, wherever prediction takes a model.

>>> from kerasseg import predict
>>> fast = predict.engine(model, "openvino")  # doctest: +SKIP
>>> class_ids = predict.class_ids(fast, image)  # doctest: +SKIP
"""

import functools

import numpy as np

from kerasseg import names
from kerasseg.predict import converted, forward, runtimes, trials
from kerasseg.predict.options import ENGINES


class Engine:
    """A model that another runtime computes, with the weights it had when it was made.

    It goes wherever `predict`, `tasks.predict` and `evaluate.score` take a model, and
    has the model's own attributes; it cannot be trained.

    Attributes:
        model: keras.Model.
        engine: name of the runtime.
    """

    def __init__(self, model, name, answering):
        """Args: model; name; and a function from what `answering` takes to it."""
        self.model, self.engine = model, name
        self._answering, self._known = answering, {}

    def answering(self, answer):
        """Function of float32 images [N, H, W, C], as `forward.compiled`."""
        if answer not in self._known:
            self._known[answer] = self._answering(answer)
        return self._known[answer]

    def __getattr__(self, name):
        if name in ("model", "_known"):  # not there yet, as in a copy
            raise AttributeError(name)
        return getattr(self.model, name)


def engine(model, name="auto"):
    """A model computed by another runtime.

    The first image goes through TensorFlow, too, and what both answer is compared.
    Files that a model was converted to, which takes seconds, and which engine was the
    fastest, are kept in the cache folder (`KERASSEG_HOME`).

    Args:
        model: keras.Model of any task. Weights that it gets later have no effect.
        name: "tensorflow" (the model as it is), "openvino", "onnx", "litert", or
            "auto": for each size of images, the fastest of those that are installed, by
            a short trial with the first image; remembered for the model, the size and
            the machine.

    Returns:
        `Engine`, or the model itself.

    Raises:
        ValueError: if there is no such engine, or the backend is not TensorFlow.
        ImportError: if its packages are missing.
        EngineError: later, when the first image comes: if the runtime cannot compute
            the model, or class ids of more than one pixel in a thousand, or numbers by
            more than 0.001, differ from TensorFlow's.
    """
    import keras

    names.look_up(name, dict.fromkeys(ENGINES), "engine")
    if name == "tensorflow":
        return model
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"engine={name!r} needs KERAS_BACKEND=tensorflow. "
            f"Received: {keras.backend.backend()!r}."
        )
    if name == "auto":
        return Engine(model, name, functools.partial(trials.fastest, model))
    runtimes.require(name, *runtimes.RUNTIMES[name].packages)
    return Engine(model, name, functools.partial(converted.compiled, model, name))


def of_file(model, path, format, value_range=None):
    """A model in whose place a file computes that `export.save` wrote.

    Args:
        model: keras.Model that was written.
        path: the file.
        format: "onnx", "openvino" or "litert".
        value_range: that it was written with; None for 0..255.

    Returns:
        `Engine` for class ids (without flips or tiles), or for all that it returns.
    """
    program = runtimes.open_file(path, format)
    black, white = value_range or (0, 255)

    def answering(answer):
        def run(images):
            if program.dtype != "uint8":
                images = images * np.float32((white - black) / 255) + np.float32(black)
            found = program.run(images.astype(program.dtype))
            if answer is dict:
                return found
            if answer is not forward.to_class_ids:
                raise converted.EngineError(
                    f"{path} gives class ids and their confidence only: flips, tiles "
                    "and refinement need the model."
                )
            return found["class_ids"]

        return run

    return Engine(model, format, answering)
