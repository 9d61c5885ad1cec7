"""Ready augmentations for fields of use, and their composition."""

from kerasseg.augment.color import color
from kerasseg.augment.geometry import geometry
from kerasseg.augment.quality import quality
from kerasseg.augment.tensors import fold_in


# 0.5 to 2 is the range of DeepLabv3's training; 0.2 moves colours visibly, not more.
def standard(
    *,
    size,
    scale=(0.5, 2.0),
    flip="horizontal",
    rotation=0.0,
    exact=0.0,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    hue=0.0,
):
    """Usual augmentation of photographs: `geometry`, then `color`.

    Args:
        size, scale, flip, rotation, exact: see `geometry`.
        brightness, contrast, saturation, hue: see `color`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].
    """
    return compose(
        geometry(size=size, scale=scale, flip=flip, rotation=rotation, exact=exact),
        color(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue),
    )


# No direction is up on a slide; sizes of cells, unlike those of things in photographs,
# tell their kinds apart, so they change little.
def microscopy(
    *,
    size,
    scale=(0.8, 1.25),
    flip="both",
    rotation=180.0,
    elastic=10.0,
    exact=0.0,
    brightness=0.2,
    contrast=0.2,
    noise=0.0,
):
    """Augmentation of microscopy: any rotation, elastic warps, mirrored borders.

    Args:
        size, scale, flip, rotation, elastic, exact: see `geometry`.
        brightness, contrast, noise: see `color`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].

    Reference: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597
    """
    turn = {"rotation": rotation, "elastic": elastic, "outside": "reflect"}
    return compose(
        geometry(size=size, scale=scale, flip=flip, exact=exact, **turn),
        color(brightness=brightness, contrast=contrast, noise=noise),
    )


# Clouds, tunnels and night: twice the changes of light of `standard`.
def street(
    *,
    size,
    scale=(0.5, 2.0),
    flip="horizontal",
    exact=0.0,
    brightness=0.4,
    contrast=0.4,
    saturation=0.4,
    blur=1.0,
    jpeg=50,
):
    """Augmentation of streets seen from a car: never upside down, any light.

    Args:
        size, scale, flip, exact: see `geometry`.
        brightness, contrast, saturation: see `color`.
        blur, jpeg: see `quality`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].
    """
    return compose(
        geometry(size=size, scale=scale, flip=flip, exact=exact),
        color(brightness=brightness, contrast=contrast, saturation=saturation),
        quality(blur=blur, jpeg=jpeg),
    )


# Left and right may be swapped, but patients do not stand on their heads.
def medical(
    *,
    size,
    scale=(0.8, 1.25),
    flip="horizontal",
    rotation=20.0,
    elastic=6.0,
    exact=0.0,
    brightness=0.2,
    contrast=0.3,
    gamma=0.3,
):
    """Augmentation of scans and photographs of bodies: small turns, soft warps.

    Args:
        size, scale, flip, rotation, elastic, exact: see `geometry`. None for `flip`
            where left and right differ.
        brightness, contrast, gamma: see `color`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].
    """
    turn = {"rotation": rotation, "elastic": elastic}
    return compose(
        geometry(size=size, scale=scale, flip=flip, exact=exact, **turn),
        color(brightness=brightness, contrast=contrast, gamma=gamma),
    )


def inspection(
    *,
    size,
    scale=(0.8, 1.25),
    flip="both",
    rotation=10.0,
    exact=0.0,
    brightness=0.3,
    contrast=0.3,
    noise=0.1,
    blur=1.0,
):
    """Augmentation of parts under a camera: any side up, other lamps, out of focus.

    Args:
        size, scale, flip, rotation, exact: see `geometry`.
        brightness, contrast, noise: see `color`.
        blur: see `quality`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].
    """
    return compose(
        geometry(size=size, scale=scale, flip=flip, rotation=rotation, exact=exact),
        color(brightness=brightness, contrast=contrast, noise=noise),
        quality(blur=blur),
    )


def aerial(
    *,
    size,
    scale=(0.5, 2.0),
    flip="both",
    rotation=180.0,
    exact=0.0,
    brightness=0.3,
    contrast=0.3,
    saturation=0.2,
    hue=0.02,
):
    """Augmentation of the ground seen from above: every direction is up.

    Args:
        size, scale, flip, rotation, exact: see `geometry`.
        brightness, contrast, saturation, hue: see `color`.

    Returns:
        Function (sample, seed) -> sample with an image [*size, C].
    """
    return compose(
        geometry(size=size, scale=scale, flip=flip, rotation=rotation, exact=exact),
        color(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue),
    )


def compose(*functions):
    """Apply functions one after the other, each with a seed of its own.

    Args:
        functions: any number of functions (sample, seed) -> sample, and of those of
            `augment.mixing`, (sample, seed, partners) -> sample.

    Returns:
        Function (sample, seed) -> sample; if some mix samples, (sample, seed, partners)
        -> sample, with their largest number of `partners` as an attribute. Partners go
        through the same functions, but are not mixed themselves.
    """
    wanted = [getattr(function, "partners", 0) for function in functions]

    def composed(sample, seed, partners=()):
        # Negative numbers, since functions fold in their positions, from 0 on.
        own = [fold_in(seed, -1 - index) for index in range(len(partners))]
        for position, function in enumerate(functions):
            here = fold_in(seed, position)
            if wanted[position]:
                sample = function(sample, here, partners[: wanted[position]])
                continue
            sample = function(sample, here)
            if any(wanted[position:]):  # otherwise nobody asks for them any more
                partners = [
                    function(partner, fold_in(one, position))
                    for partner, one in zip(partners, own)
                ]
        return sample

    composed.partners = max(wanted, default=0)
    return composed
