"""Dense CRF of an image: smoothness and appearance kernels, then mean field.

The model has two Gaussian kernels, each an object of its own, as in the published
program: `Smoothness` compares positions, `Appearance` positions and colours.
"""

import numbers
import typing

import numpy as np

from kerasseg.crf.lattice import gaussian_kernel
from kerasseg.crf.mean_field import mean_field
from kerasseg.images import values


class Smoothness(typing.NamedTuple):
    """Smoothness kernel: connects pixels that are near each other.

    The defaults are those of the authors' program.

    Attributes:
        sxy: standard deviation in space, px.
        weight: 0 leaves the kernel out.
    """

    sxy: float = 3
    weight: float = 3


class Appearance(typing.NamedTuple):
    """Appearance (bilateral) kernel: connects near pixels of similar colour.

    The defaults are those of the authors' program.

    Attributes:
        sxy: standard deviation in space, px.
        srgb: standard deviation in colour, in units of 0..255.
        weight: 0 leaves the kernel out.
    """

    sxy: float = 80
    srgb: float = 13
    weight: float = 10


SMOOTHNESS, APPEARANCE = Smoothness(), Appearance()


def dense_crf(
    image,
    probabilities,
    *,
    smoothness=SMOOTHNESS,
    appearance=APPEARANCE,
    iterations=5,
    compatibility=None,
    value_range=None,
):
    """Sharpen class probabilities along the edges of their image.

    A fully connected CRF: every pixel is connected to every other one, by the sum of
    a smoothness and an appearance kernel. The default kernels lowered the mean IoU of
    all three networks that were measured; kernels chosen on a few training images
    raised it (benchmarks/crf_table.py). Mean IoU and boundary F-score within 2 px,
    validation images; S and A are `Smoothness` and `Appearance`:

    - DeepLabv3+, CamVid: .731 .540 before, .738 .569 with S(sxy=1), A(10, 3, 7);
      .672 .480 with the defaults, which erase poles and signs.
    - FCN at stride 16, CamVid: .572 .187 before, .584 .299 with S(weight=0),
      A(10, 3, 7); .552 .313 with the defaults.
    - U-Net, nuclei of DSB 2018: .936 .908 before, .937 .903 with S(weight=0),
      A(20, 20, 7); .933 .891 with the defaults.

    Args:
        image: [H, W] or [H, W, C], grey, RGB or any channels.
        probabilities: [H, W, K] floats that sum to 1 over K, or K = 1: the probability
            of the foreground. `predict.probabilities` returns such arrays.
        smoothness: `Smoothness`.
        appearance: `Appearance`.
        iterations: number of mean-field updates.
        compatibility: label compatibility, symmetric [K, K] ([2, 2] for K = 1): the
            cost of two classes side by side; None for the Potts model.
        value_range: numbers of `image` that are black and white; None for what its
            dtype and numbers say, see `images.values`.

    Returns:
        float32 [H, W, K]. The arguments are not changed. Time and memory are linear in
        H * W * K.

    Raises:
        ValueError: if sizes differ, values are not finite or out of range.

    Example:
        >>> image = np.repeat([[0, 255]], 4, axis=0).repeat(4, axis=1)
        >>> foreground = np.where(image > 0, 0.7, 0.3)
        >>> foreground[1, 1] = 0.6
        >>> refined = dense_crf(image.astype("uint8"), foreground[..., None])
        >>> bool(refined[1, 1, 0] < 0.5)
        True

    Reference: Kraehenbuhl & Koltun, 2011, https://arxiv.org/abs/1210.5644
    """
    image = values.as_array(image)
    size, given = image.shape[:2], np.shape(probabilities)
    if len(given) != 3 or given[:2] != size:
        raise ValueError(
            "`probabilities` must be [H, W, K] of the image's size. Received: "
            f"shape={given} for an image of shape={np.shape(image)}."
        )
    kernels = image_kernels(
        image, smoothness=smoothness, appearance=appearance, value_range=value_range
    )
    return mean_field(
        probabilities, kernels, iterations=iterations, compatibility=compatibility
    )


def image_kernels(
    image,
    *,
    smoothness=SMOOTHNESS,
    appearance=APPEARANCE,
    kernel=gaussian_kernel,
    value_range=None,
):
    """Build the kernels of `dense_crf`, to be used for several maps of one image.

    Args:
        image, smoothness, appearance, value_range: as for `dense_crf`.
        kernel: `gaussian_kernel`, or `exact_kernel` for small images.

    Returns:
        List of (weight, function) for `mean_field`. Kernels of other features can be
        added: `(weight, gaussian_kernel(features / deviations))`.

    Raises:
        ValueError: if an argument is not as above.

    Example:
        >>> image = np.zeros([4, 5, 3], "uint8")
        >>> kernels = image_kernels(image, smoothness=Smoothness(weight=2))
        >>> [weight for weight, _ in kernels]
        [2, 10]
    """
    colors = _colors(image, value_range)
    _check_kernel("smoothness", smoothness, Smoothness)
    _check_kernel("appearance", appearance, Appearance)
    height, width = colors.shape[:2]
    # (x, y), the order of the published program: the lattice's results depend on it.
    positions = np.indices([height, width], "float32")[::-1].transpose(1, 2, 0)
    kernels = []
    if smoothness.weight:
        kernels.append((smoothness.weight, kernel(positions / smoothness.sxy)))
    if appearance.weight:
        parts = [positions / appearance.sxy, colors / appearance.srgb]
        kernels.append((appearance.weight, kernel(np.concatenate(parts, -1))))
    return kernels


def _colors(image, value_range):
    """An image as float32 [H, W, C] in 0..255."""
    image = values.as_array(image)
    if image.dtype.kind not in "uifb" or image.ndim not in (2, 3) or not image.size:
        raise ValueError(
            "`image` must be numbers [H, W] or [H, W, C]. "
            f"Received: shape={image.shape}, dtype={image.dtype}."
        )
    colors = np.asarray(values.scale(image, value_range)).astype("float32")
    return colors if colors.ndim == 3 else colors[..., None]


def _check_kernel(name, kernel, kind):
    if not isinstance(kernel, kind):
        raise ValueError(
            f"`{name}` must be crf.{kind.__name__}({', '.join(kind._fields)}). "
            f"Received: {kernel!r}."
        )
    for field, value in kernel._asdict().items():
        # At 1e-3 an image of 1000 px reaches the lattice's limit of 1e6 deviations.
        low = 0 if field == "weight" else 1e-3
        if not (isinstance(value, numbers.Real) and low <= value <= 1e6):
            raise ValueError(
                f"`{name}.{field}` must be a number within {low}..1e6. "
                f"Received: {value!r}."
            )
