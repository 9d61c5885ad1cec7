"""kerasseg: image segmentation for TensorFlow and Keras 3.

Subpackages load on first use, so that `import kerasseg` alone stays fast:

    >>> import kerasseg
    >>> model = kerasseg.zoo.unet(num_classes=3)  # doctest: +SKIP
"""

import importlib

__version__ = "0.1.0"

__all__ = [
    "augment",
    "benchmark",
    "blocks",
    "checkpoints",
    "classical",
    "crf",
    "data",
    "datasets",
    "encoders",
    "evaluate",
    "export",
    "history",
    "images",
    "inference",
    "instance",
    "layers",
    "loading",
    "losses",
    "metrics",
    "names",
    "predict",
    "recipes",
    "report",
    "runs",
    "training",
    "viz",
    "weights",
    "zoo",
]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'kerasseg' has no attribute {name!r}")
    return importlib.import_module(f"kerasseg.{name}")


def __dir__():
    return sorted([*globals(), *__all__])
