"""Ready augmentations for photographs and microscopy, and their composition."""

from kerasseg.augment.color import color
from kerasseg.augment.geometry import geometry
from kerasseg.augment.tensors import fold_in


def standard(
    *,
    size,
    scale=(0.5, 2.0),
    flip="horizontal",
    rotation=0.0,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    hue=0.0,
):
    """Usual augmentation of photographs: `geometry`, then `color`.

    Args:
        size, scale, flip, rotation: see `geometry`.
        brightness, contrast, saturation, hue: see `color`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].
    """
    return compose(
        geometry(size=size, scale=scale, flip=flip, rotation=rotation),
        color(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue),
    )


def microscopy(
    *,
    size,
    scale=(0.8, 1.25),
    flip="both",
    rotation=180.0,
    elastic=10.0,
    brightness=0.2,
    contrast=0.2,
    noise=0.0,
):
    """Augmentation of microscopy: any rotation, elastic warps, mirrored borders.

    Args:
        size, scale, flip, rotation, elastic: see `geometry`.
        brightness, contrast, noise: see `color`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].

    Reference: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597
    """
    turn = {"rotation": rotation, "elastic": elastic, "outside": "reflect"}
    return compose(
        geometry(size=size, scale=scale, flip=flip, **turn),
        color(brightness=brightness, contrast=contrast, noise=noise),
    )


def compose(*functions):
    """Apply functions one after the other, each with a seed of its own.

    Args:
        functions: any number of functions (sample, seed) -> sample.

    Returns:
        Function (sample, seed) -> sample.
    """

    def composed(sample, seed):
        for position, function in enumerate(functions):
            sample = function(sample, fold_in(seed, position))
        return sample

    return composed
