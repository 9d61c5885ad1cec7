"""kerasseg: image segmentation for TensorFlow and Keras 3.

Subpackages load on first use, so that `import kerasseg` alone stays fast:

    >>> import kerasseg
    >>> model = kerasseg.zoo.unet(num_classes=3)  # doctest: +SKIP
"""

import sys

from kerasseg.names import announce_to_keras, lazy

__version__ = "0.1.0"

__all__ = [
    "augment",
    "blocks",
    "classical",
    "crf",
    "data",
    "datasets",
    "detection",
    "encoders",
    "evaluate",
    "export",
    "images",
    "instance",
    "layers",
    "loading",
    "losses",
    "metrics",
    "names",
    "plan",
    "predict",
    "profiling",
    "recipes",
    "report",
    "runs",
    "tasks",
    "training",
    "tune",
    "video",
    "viz",
    "weights",
    "zoo",
]
__getattr__, __dir__ = lazy(__name__, dict.fromkeys(__all__))
announce_to_keras()
if "ipykernel" in sys.modules:  # a notebook
    from kerasseg import machine

    machine.prepare_notebook()
