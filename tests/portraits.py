"""A drawn portrait that a network trained on photos takes for a person."""

import numpy as np

# Center x, y and half axes in pixels of 256 x 256, and RGB; later ones lie on top.
ELLIPSES = (
    (128, 262, 92, 84, (38, 52, 96)),  # shoulders
    (128, 175, 22, 40, (205, 155, 125)),  # neck
    (128, 98, 50, 60, (60, 40, 28)),  # hair
    (128, 112, 41, 54, (222, 172, 140)),  # face
    (112, 104, 7, 4, (245, 245, 245)),
    (144, 104, 7, 4, (245, 245, 245)),
    (112, 104, 3, 3, (50, 35, 25)),
    (144, 104, 3, 3, (50, 35, 25)),
    (112, 94, 9, 2, (60, 40, 28)),  # brows
    (144, 94, 9, 2, (60, 40, 28)),
    (128, 122, 5, 9, (208, 152, 120)),  # nose
    (128, 143, 15, 4, (172, 78, 74)),  # mouth
)


def portrait(size=256):
    """RGB uint8 [size, size, 3]: head and shoulders before a grey wall."""
    image = np.empty((size, size, 3), "uint8")
    image[:] = np.linspace(150, 205, size).astype("uint8")[:, None, None]
    for *ellipse, color in ELLIPSES:
        image[_inside(*ellipse, size)] = color
    return image


def person(size=256):
    """Where the portrait shows the person: bool [size, size]."""
    return np.any([_inside(*ellipse, size) for *ellipse, _ in ELLIPSES], axis=0)


def _inside(x, y, width, height, size):
    at = (np.arange(size) + 0.5) * 256 / size
    return ((at - x) / width) ** 2 + ((at[:, None] - y) / height) ** 2 <= 1
