"""Dense CRF: refine class probabilities along the edges of their image.

`dense_crf` does it in one call. Its parts can be combined in other ways, too: kernels
of any features (`gaussian_kernel`, or `exact_kernel` for small images), built once and
used for many maps, and `mean_field` over a list of them. Nothing here imports
tensorflow.
"""

from kerasseg.crf.dense import Appearance, Smoothness, dense_crf, image_kernels
from kerasseg.crf.exact import exact_kernel
from kerasseg.crf.lattice import gaussian_kernel
from kerasseg.crf.mean_field import free_energy, mean_field

__all__ = [
    "Appearance",
    "Smoothness",
    "dense_crf",
    "exact_kernel",
    "free_energy",
    "gaussian_kernel",
    "image_kernels",
    "mean_field",
]
