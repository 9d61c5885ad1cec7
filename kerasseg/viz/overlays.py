"""Overlays of label maps on images, contours, and images for display."""

import cv2
import numpy as np

from kerasseg.images import values
from kerasseg.viz.colors import check_label, colorize
from kerasseg.viz.legends import legend, with_legend


def display(image):
    """Convert any image to 8-bit RGB for display (not as input of a model).

    Args:
        image: [H, W] or [H, W, C]; black and white are those of `images.values`. Where
            the numbers do not tell, they are its darkest and brightest one: a picture
            to look at needs no answer, and `images.scale` gives one. Of more than three
            channels the first three are shown, of two the first.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        ValueError: if `image` is not numbers [H, W] or [H, W, C].

    Example:
        >>> display(np.array([[0.0, 1.0]]))[0].tolist()
        [[0, 0, 0], [255, 255, 255]]
    """
    image = values.as_array(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.dtype.kind not in "iufb" or 0 in image.shape:
        raise ValueError(
            "`image` must be numbers [H, W] or [H, W, C]. "
            f"Received: shape={image.shape}, dtype={image.dtype}."
        )
    if image.dtype.kind == "f" and not isinstance(image, values.Scaled):
        # A picture is shown even where some of its numbers are none.
        image = np.nan_to_num(image, posinf=0, neginf=0)
    image = _to_bytes(image)[..., : 1 if image.shape[2] < 3 else 3]
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image.copy()


def _to_bytes(image):
    try:
        image = values.scale(image)
    except ValueError:  # the range cannot be known
        image = values.stretch(image) * 255
    if image.dtype == "uint8":
        return image
    return np.clip(np.round(np.asarray(image)), 0, 255).astype("uint8")


def select_bands(image, bands=None):
    """The bands of an image that its pictures show.

    Args:
        image: [H, W] or [H, W, C].
        bands: three positions in C from 0, shown as red, green, blue, or one for grey;
            None leaves the image as it is, of which `display` shows the first three.

    Returns:
        [H, W, 1 or 3], in the numbers of the image.

    Raises:
        ValueError: if the image has fewer bands.

    Example:
        >>> select_bands(np.array([[[10, 11, 12, 13]]]), (3, 2, 1)).tolist()
        [[[13, 12, 11]]]
    """
    if bands is None:
        return image
    image = values.as_array(image)
    image = image[..., None] if image.ndim == 2 else image
    num = image.shape[2]
    if len(bands) not in (1, 3) or not all(0 <= band < num for band in bands):
        raise ValueError(
            f"`bands` must be three of the image's bands 0..{num - 1}, or one. "
            f"Received: bands={bands!r}."
        )
    return image[..., list(bands)]


def overlay(
    image,
    label,
    *,
    palette=None,
    alpha=0.45,
    contours=True,
    background=0,
    ignore_label=255,
    class_names=None,
):
    """Overlay a label map on an image: tint, contours and, if asked, a legend.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        label: class ids [H, W].
        palette: uint8 [K, 3]; None for `viz.palette`.
        alpha: opacity of the tint, 0..1. Contours are always opaque.
        contours: whether to draw contours of the regions.
        background: class id that leaves the image as it is; None tints every class.
        ignore_label: id tinted in light grey, without contours; None if there is none.
        class_names: names by class id; adds a legend of the classes that occur.

    Returns:
        uint8 [H, W, 3]; wider with a legend, which also enlarges images below 200 px.

    Raises:
        ValueError: if sizes differ, or an id has no colour or no name.

    Example:
        >>> image, label = np.zeros([1, 2, 3], "uint8"), np.array([[0, 1]])
        >>> overlay(image, label, alpha=0.5, contours=False)[0].tolist()
        [[0, 0, 0], [115, 80, 0]]
    """
    picture, label = display(image), check_label(label)
    check_same_size(picture, label, "label")
    colors = colorize(label, palette, ignore_label=ignore_label)
    tinted = _differs(label, background)
    # Of the whole picture at once: faster than of the tinted pixels, which are copied.
    mixed = cv2.addWeighted(picture, 1 - alpha, colors, alpha, 0)
    picture = np.where(tinted[..., None], mixed, picture)
    if contours:
        edge = _edges(label) & tinted & _differs(label, ignore_label)
        # In the full colour, so that a class can be told from its neighbours under the
        # tint.
        picture[edge] = colors[edge]
    if class_names is None:
        return picture
    ids = [int(i) for i in np.unique(label) if i not in (ignore_label, background)]
    size = picture.shape[0]
    key = legend(class_names, palette, class_ids=ids, height_px=size)
    return with_legend(picture, key)


def check_same_size(image, label, name):
    """Raise a ValueError if a label map has another size than the image."""
    if image.shape[:2] != label.shape[:2]:
        raise ValueError(
            f"`{name}` must have the size of the image. Received: "
            f"{name} {label.shape[:2]}, image {image.shape[:2]}."
        )


def _differs(label, class_id):
    return np.ones(label.shape, bool) if class_id is None else label != class_id


def _edges(label):
    """Pixels within a line's width of another class, on both sides of each border."""
    # One pixel to each side up to 700 px, more in larger images.
    width = 2 * max(1, round(max(label.shape) / 700)) + 1
    ids = label.astype("float32")  # exact below 2**24; OpenCV filters no int32
    kernel = np.ones([width, width], "uint8")
    return cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)


def contours(label, *, background=0, ignore_label=255, min_area_px=1):
    """Contours of the connected regions as polygons.

    Args:
        label: class ids [H, W].
        background: class id left out; None takes every class.
        ignore_label: id left out; None if there is none.
        min_area_px: smaller regions are left out.

    Returns:
        List of {"class_id", "area_px", "rings"}, JSON-able, one per 8-connected region.
        `rings` holds the outer ring first, then holes, each [[x, y], ...] in pixel
        centres; `cv2.fillPoly` of all rings of a region at once restores its pixels
        exactly.

    Example:
        >>> (square,) = contours(np.pad(np.ones([2, 2], int), 1))
        >>> square["area_px"], square["rings"]
        (4, [[[1, 1], [1, 2], [2, 2], [2, 1]]])
    """
    label = check_label(label)
    regions = []
    for class_id in np.unique(label):
        if class_id in (background, ignore_label):
            continue
        mask = (label == class_id).astype("uint8")
        for rings in _rings(mask):
            area = _area(rings)
            if area >= min_area_px:
                points = [ring[:, 0].tolist() for ring in rings]
                region = {"class_id": int(class_id), "area_px": area, "rings": points}
                regions.append(region)
    return regions


def _rings(mask):
    """Lists of rings, one list per region: outer ring first, then its holes."""
    # CCOMP: two levels, outer rings (without a parent) and their holes.
    rings, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = tree[0, :, 3]
    regions = {i: [rings[i]] for i in np.flatnonzero(parents < 0)}
    for i in np.flatnonzero(parents >= 0):
        regions[parents[i]].append(rings[i])
    return regions.values()


def _area(rings):
    left, top, width, height = cv2.boundingRect(rings[0])
    mask = np.zeros([height, width], "uint8")
    cv2.fillPoly(mask, rings, 1, offset=(-left, -top))
    return int(np.count_nonzero(mask))  # `cv2.contourArea` would leave out half pixels
