"""Synthetic shapes: a data set that needs no files and no downloads."""

import functools
import operator

import cv2
import numpy as np

from kerasseg.datasets.samples import Samples

CLASSES = ("background", "disc", "square", "triangle")
COLORS = ((40, 40, 48), (230, 85, 70), (75, 160, 235), (245, 200, 75))

_MIN_CONTRAST = 60  # grey levels between the colours of a shape and its surroundings

MAX_NUM, MAX_SIDE = 1_000_000, 10_000  # names and pictures are in memory


def shapes(num, *, size=128, seed=0, max_shapes=4, texture=10.0):
    """Textured discs, squares and rotated triangles that overlap on uneven ground.

    Colours and textures (grain, stripes, clouds) are drawn alike for all classes, so
    that only the outline tells them apart. At least 60 % of each shape stays visible.

    Args:
        num: number of samples.
        size: pixels, an int for squares or (height, width); at least 32.
        seed: another seed gives other samples, for a validation set, say. Sample i of a
            seed does not depend on `num`.
        max_shapes: largest number of shapes per image; there is at least one.
        texture: largest amplitude of the patterns, in grey levels of 255; shapes differ
            by 60 from the mean of the background. 0 is flat, more than 20 is hard.

    Returns:
        Samples with `image` uint8 [H, W, 3], `label` int32 [H, W] 0..3, `masks` bool
        [M, H, W] of the visible parts, from back to front, the same as ids in
        `instances` int32 [1, H, W], and `classes` int32 [M], the ids of the label: 1
        disc, 2 square, 3 triangle.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> sample = shapes(1, size=64)[0]
        >>> bool((sample["masks"].any(0) == (sample["label"] > 0)).all())
        True
    """
    height, width = size if np.ndim(size) else (size, size)
    for name, value, low in (
        ("num", num, 1),
        ("size", min(height, width), 32),
        ("seed", seed, 0),
        ("max_shapes", max_shapes, 1),
    ):
        if operator.index(value) < low:
            raise ValueError(f"`{name}` must be at least {low}. Received: {value}.")
    if num > MAX_NUM:
        raise ValueError(f"`num` must be at most {MAX_NUM}. Received: {num}.")
    if max(height, width) > MAX_SIDE:
        raise ValueError(f"`size` must be at most {MAX_SIDE}. Received: {size}.")
    if not 0 <= texture < 1000:  # NaN is not, either
        raise ValueError(
            f"`texture` must be at least 0 and below 1000. Received: {texture}."
        )
    return Samples(
        names=tuple(f"shapes_{index:05d}" for index in range(num)),
        read=functools.partial(_draw, height, width, seed, max_shapes, texture),
        classes=CLASSES,
        colors=COLORS,
    )


def _draw(height, width, seed, max_shapes, texture, index):
    rng = np.random.default_rng((seed, index))
    image, base = _ground(rng, height, width, texture)
    owner = np.zeros((height, width), np.uint8)  # 0 ground, k the k-th shape
    areas, classes = [], []
    for _ in range(rng.integers(1, max_shapes, endpoint=True)):
        class_id = int(rng.integers(1, 4))
        mask = _place(rng, class_id, owner, areas)
        if mask is None:  # no free place in a few tries: one shape less
            continue
        areas.append(cv2.countNonZero(mask))
        classes.append(class_id)
        inside = mask.view(bool)
        owner[inside] = len(classes)
        _paint(rng, image, mask, base, texture)
    light = rng.uniform(0.75, 1.25, (2, 2)).astype(np.float32)
    image *= cv2.resize(light, (width, height))[..., None]
    cv2.GaussianBlur(image, (3, 3), rng.uniform(0.4, 0.8), dst=image)
    image += rng.uniform(2, 5) * rng.standard_normal(image.shape, np.float32)
    classes = np.array(classes, np.int32)
    ids = np.arange(1, len(classes) + 1, dtype=np.uint8)
    return {
        "image": np.clip(np.rint(image), 0, 255).astype(np.uint8),
        "label": np.concatenate([[0], classes]).astype(np.int32)[owner],
        "masks": owner == ids[:, None, None],
        "instances": owner[None].astype(np.int32),
        "classes": classes,
    }


def _ground(rng, height, width, texture):
    base = rng.uniform(70, 185) + rng.uniform(-30, 30, 3)
    hills = (base + rng.uniform(-20, 20, (3, 3, 3))).astype(np.float32)
    ground = cv2.resize(hills, (width, height), interpolation=cv2.INTER_CUBIC)
    return ground + _texture(rng, height, width, texture)[..., None], base


def _texture(rng, height, width, texture):
    """Grey pattern [H, W] around 0: grain, stripes or clouds."""
    strength = texture * rng.uniform(0.3, 1)
    kind = rng.integers(3)
    if kind == 0:
        return strength * rng.standard_normal((height, width), np.float32)
    if kind == 1:
        angle, wavelength_px = rng.uniform(0, np.pi), rng.uniform(4, 12)
        wave = 2 * np.pi / wavelength_px * np.array([np.sin(angle), np.cos(angle)])
        y = np.arange(height, dtype=np.float32)[:, None] * np.float32(wave[0])
        x = np.arange(width, dtype=np.float32) * np.float32(wave[1])
        return strength * np.sin(y + x + np.float32(rng.uniform(0, 2 * np.pi)))
    grid = (height // 6 + 2, width // 6 + 2)
    coarse = 1.2 * strength * rng.standard_normal(grid, np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def _place(rng, class_id, owner, areas):
    """Mask uint8 0/1 that leaves most of each earlier shape visible, or None."""
    height, width = owner.shape
    for _ in range(8):
        radius = rng.uniform(0.14, 0.25) * min(height, width)
        margin = 0.9 * radius  # a shape may be cut by the border, its centre is inside
        center = rng.uniform(margin, [width - margin, height - margin])
        mask = np.zeros((height, width), np.uint8)
        _fill(rng, mask, class_id, center, radius)
        left = np.bincount(owner[mask == 0], minlength=len(areas) + 1)[1:]
        if (left >= 0.6 * np.array(areas)).all():
            return mask
    return None


def _fill(rng, mask, class_id, center, radius):
    # Equal areas, so that size does not tell the class either: corners lie at
    # sqrt(pi / 2) and sqrt(4 pi / (3 sqrt(3))) times the radius of a disc.
    if class_id == 1:
        angles, distance = np.linspace(0, 2 * np.pi, 48, endpoint=False), radius
    elif class_id == 2:
        angles, distance = np.pi / 4 * np.array([1, 3, 5, 7]), 1.253 * radius
    else:
        angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi / 3 * np.arange(3)
        distance = 1.555 * radius
    corners = center + distance * np.stack([np.cos(angles), np.sin(angles)], 1)
    # shift=4: coordinates in sixteenths of a pixel.
    cv2.fillPoly(mask, [np.rint(corners * 16).astype(np.int32)], 1, shift=4)


def _paint(rng, image, mask, base, texture):
    x, y, width, height = cv2.boundingRect(mask)
    part = np.s_[y : y + height, x : x + width]
    color = rng.uniform(30, 225, 3)
    while abs(color - base).mean() < _MIN_CONTRAST:
        color = rng.uniform(30, 225, 3)
    paint = color.astype(np.float32) + _texture(rng, height, width, texture)[..., None]
    cv2.copyTo(paint, mask[part], image[part])
