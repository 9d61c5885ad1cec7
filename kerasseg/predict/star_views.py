"""Maps of StarDist averaged over mirrored and turned views of an image (numpy).

A view is padded before it is laid, so that its maps, which may know every second pixel
only, tell of the same pixels; and its rays are named by where they point in the image.
"""

import numpy as np

from kerasseg.predict.views import VIEWS, View


def averaged(maps_of, image, flips):
    """Object probabilities and distances of an image, as all its views see them.

    Args:
        maps_of: function of an image [h, w, C] -> (probabilities [ceil(h / grid),
            ceil(w / grid)], distances [..., R], both float32, and the grid).
        image: [H, W, C].
        flips: key of `views.VIEWS`.

    Returns:
        As `maps_of`: means of the probabilities, and of the distances weighted by them.

    Raises:
        ValueError: if rays do not fall on rays in a view.
    """
    first = maps_of(image)
    grid, num_rays, views = first[2], first[1].shape[-1], VIEWS[flips]
    if len(views) == 1:
        return first
    _check_rays(num_rays, flips)
    total, lengths = np.zeros_like(first[0]), np.zeros_like(first[1])
    for view in views:
        scores, distances = first[:2]
        if view != View():
            scores, distances = _seen(maps_of, image, view, grid)
        total += scores
        lengths += scores[..., None] * np.maximum(distances, 0)
    # Where no view sees an object, distances mean nothing.
    least = np.finfo("float32").tiny
    return total / len(views), lengths / np.maximum(total, least)[..., None], grid


def _seen(maps_of, image, view, grid):
    """Maps of one view, as the image lies."""
    # Reversed, the pixels of the grid are those that lay a multiple of it before the
    # end; the padding is cut off again with the first row or column of the maps.
    behind = [
        (0, (1 - side) % grid if is_reversed else 0)
        for side, is_reversed in zip(image.shape, (view.rows, view.columns))
    ]
    laid = view.of(np.pad(image, [*behind, (0, 0)], mode="edge")[None])[0]
    scores, distances, _ = maps_of(np.ascontiguousarray(laid))
    height, width = (-(-side // grid) for side in image.shape[:2])
    return tuple(
        view.undo(maps[None])[0, :height, :width]
        for maps in (scores, distances[..., _rays(view, distances.shape[-1])])
    )


def _rays(view, num_rays):
    """For each ray of the image, the ray of a view that points the same way."""
    ray = np.arange(num_rays)
    if view.columns:
        ray = num_rays // 2 - ray
    if view.rows:
        ray = -ray
    if view.turned:
        ray = num_rays // 4 - ray
    return ray % num_rays


def _check_rays(num_rays, flips):
    needed = 4 if flips == "all" else 2
    if num_rays % needed:
        raise ValueError(
            f"`flips`={flips!r} needs a model with a multiple of {needed} rays, so "
            f"that rays fall on rays. Received: {num_rays} rays."
        )
