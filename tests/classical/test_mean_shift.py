"""Mean shift on noise and on regions of small size or contrast."""

import numpy as np

from kerasseg import classical, images


def test_mean_shift_sees_through_noise(scene):
    image, mask = scene
    labels = classical.mean_shift(image, color_radius=20.0)
    inside = np.bincount(labels[mask]).argmax()
    assert ((labels == inside) == mask).mean() > 0.97


def test_mean_shift_keeps_small_regions_of_strong_contrast_only():
    image = np.full([60, 100, 3], 100, "uint8")
    image[20:28, 20:28] = 230  # 64 px, about 120 units of CIELAB in bytes
    image[20:28, 70:78] = 115  # 64 px, about 15 units
    image = images.scale(image, (0, 255))  # not stretched to its own range
    labels = classical.mean_shift(image, spatial_radius=4.0)
    assert labels.max() == 1 and labels[24, 24] == 1 and labels[24, 74] == 0
    assert classical.mean_shift(image, spatial_radius=4.0, min_size=70).max() == 0
    finer = classical.mean_shift(image, spatial_radius=4.0, detail_size=50)
    assert finer.max() == 2
