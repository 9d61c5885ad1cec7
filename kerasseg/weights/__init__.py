"""Reads published weight files safely and puts them into Keras models.

Nothing here imports tensorflow or torch, and no file is executed: a file is data or
it is refused with one typed error, `WeightsError`.

    >>> import numpy as np, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "small.npz")
    >>> np.savez(path, **{"stem_conv/kernel": np.ones((3, 3, 3, 8), "float32")})
    >>> {name: array.shape for name, array in read(path).items()}
    {'stem_conv/kernel': (3, 3, 3, 8)}
"""

from kerasseg.weights.checks import WeightsError
from kerasseg.weights.files import read
from kerasseg.weights.naming import Reordered, from_torch, named_variables
from kerasseg.weights.variables import adapt_channels, assign, load

__all__ = [
    "Reordered",
    "WeightsError",
    "adapt_channels",
    "assign",
    "from_torch",
    "load",
    "named_variables",
    "read",
]
