"""Facts about one sample and its files, for `examine`. Private."""

import contextlib
import dataclasses
import io
import pathlib

import numpy as np
from PIL import (
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from skimage.measure import label as measure_regions

from kerasseg.datasets import _near
from kerasseg.images import MAX_PIXELS, blurred_colors, mask_kinds, read_image
from kerasseg.images.content import detect_format, read_bytes
from kerasseg.images.decode import decode
from kerasseg.images.decoders import ORIENTATION

PLUGINS = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
MOST_VALUES = 4096  # different numbers of a mask that are counted one by one
MOST_CLASSES = 24  # of a label whose regions are measured


@dataclasses.dataclass(eq=False)
class Facts:
    """All that `examine` needs to know of one sample; None where it is not known.

    Attributes:
        name, side: of the sample, side "train" or "val".
        image, mask: files.
        errors: {"image", "mask" or "sample": text of the error}.
        size, mask_size: (height, width), upright.
        orientation: of EXIF, 1..8.
        channels, dtype, low, high: of the image as it is read.
        alpha: whether any pixel is transparent.
        brightness, contrast: mean and deviation, of the largest number of the dtype.
        signature: of `_near`.
        values: {number in the mask: pixels}, of one band; None of more.
        colors: {(r, g, b): pixels} of masks in colour.
        flat: the same of pixels in the midst of others of their colour.
        palette: {number in the mask: (r, g, b)} where the file has a palette.
        in_alpha: least and greatest opacity of a mask of one colour that is transparent
            in places.
        lossy: whether the mask was compressed with loss.
        objects: ids of the mask, if each is one region, see `mask_kinds`.
        label: {class id: pixels} as the sample gives them.
        areas: pixels of each object, or region of one class.
        touching: number of objects that touch another.
    """

    name: str
    side: str
    image: pathlib.Path | None = None
    mask: pathlib.Path | None = None
    errors: dict = dataclasses.field(default_factory=dict)
    size: tuple | None = None
    mask_size: tuple | None = None
    orientation: int = 1
    channels: int | None = None
    dtype: str | None = None
    low: float | None = None
    high: float | None = None
    alpha: bool = False
    brightness: float | None = None
    contrast: float | None = None
    signature: np.ndarray | None = None
    values: dict | None = None
    colors: dict | None = None
    flat: dict | None = None
    palette: dict | None = None
    in_alpha: tuple | None = None
    lossy: bool = False
    objects: tuple | None = None
    label: dict | None = None
    areas: np.ndarray | None = None
    touching: int | None = None


def measure(facts, read, raw):
    """Fill in what the files and the sample say.

    Args:
        facts: `Facts` with names and files.
        read: function without arguments -> sample, or None.
        raw: whether the mask file is a label image, to be looked at as it is stored;
            "labels" where the label of the sample is that.

    Returns:
        The facts.
    """
    sample = None
    if read is not None:
        try:
            sample = read()
        except Exception as error:  # of a decoder, or too little memory
            facts.errors["sample"] = _text(error)
    image = None if sample is None else np.asarray(sample["image"])
    if facts.image is not None:
        _header(facts)
        if image is None:
            try:
                image = read_image(facts.image, channels=None)
            except Exception as error:
                facts.errors["image"] = _text(error)
    if image is not None:
        _image(facts, image)
    if raw == "labels" and sample is not None:
        _numbers(facts, np.asarray(sample["label"]))
    elif raw and raw != "labels" and facts.mask is not None:
        try:
            _mask(facts)
        except Exception as error:
            facts.errors["mask"] = _text(error)
    if sample is not None:
        _label(facts, sample)
    return facts


def _text(error):
    return str(error) or type(error).__name__


def _header(facts):
    """Rotation and transparency, which reading undoes and drops."""
    with contextlib.suppress(Exception), _opened(facts.image) as file:
        facts.orientation = int(file.getexif().get(ORIENTATION, 1))
        facts.alpha = _is_clear(file)


def _opened(path):
    """The file by Pillow, its pixels not yet read."""
    # Plugins, not `Image.open`, whose warnings about size are a matter of the process.
    _, data = read_bytes(path, MAX_PIXELS)
    return PLUGINS[detect_format(path, data)](io.BytesIO(data))


def _is_clear(file):
    """Whether any pixel is transparent."""
    with_alpha = file.mode in ("RGBA", "LA", "PA")
    small = with_alpha and file.width * file.height <= MAX_PIXELS
    return small and file.getchannel("A").getextrema()[0] < 255


def alpha_of(path):
    """Opacity of the pixels of a file, uint8 [H, W]."""
    with _opened(path) as file:
        return np.asarray(file.getchannel("A"))


def _stored(facts, pixels):
    """Palette and alpha of a mask file, which say more than its numbers."""
    with contextlib.suppress(Exception), _opened(facts.mask) as file:
        if (pixels == pixels[:1, :1]).all() and _is_clear(file):
            facts.in_alpha = file.getchannel("A").getextrema()
        if facts.values:
            facts.palette = _colors_in(file, facts.values)


def palette_of(path, numbers):
    """{number: (r, g, b)} of some numbers in an image file; None without a palette."""
    with contextlib.suppress(Exception), _opened(path) as file:
        return _colors_in(file, numbers)


def _colors_in(file, numbers):
    if file.mode != "P":
        return None
    flat = file.getpalette("RGB")
    return {n: tuple(flat[3 * n : 3 * n + 3]) for n in numbers if 3 * n < len(flat)}


def _image(facts, image):
    facts.size, facts.dtype = image.shape[:2], image.dtype.name
    facts.channels = image.shape[2]
    facts.low, facts.high = float(image.min()), float(image.max())
    top = {"uint8": 255.0, "uint16": 65535.0}.get(facts.dtype, max(facts.high, 1e-9))
    small = image[:: max(1, image.shape[0] // 256), :: max(1, image.shape[1] // 256)]
    facts.brightness = float(small.mean() / top)
    facts.contrast = float(small.std() / top)
    facts.signature = _near.signature(image)


def _mask(facts):
    pixels, facts.lossy = decode(facts.mask, as_ids=True)
    facts.mask_size = pixels.shape[:2]
    if pixels.ndim == 3 and (pixels[..., :1] != pixels[..., 1:]).any():
        if pixels.shape[2] == 3 and pixels.dtype == np.uint8:
            facts.colors = blurred_colors.count_colors(pixels)
            facts.flat = blurred_colors.flat_colors(pixels)
        _stored(facts, pixels)
        return
    pixels = pixels[..., 0] if pixels.ndim == 3 else pixels
    _numbers(facts, pixels)
    _stored(facts, pixels)


def _numbers(facts, pixels):
    found, counts = _counted(pixels)
    if len(found) <= MOST_VALUES:
        facts.values = dict(zip(found.tolist(), counts.tolist()))
    whole = pixels.dtype.kind in "iu" and len(found) <= MOST_VALUES
    facts.objects = mask_kinds.marks_objects(pixels) if whole else None


def _counted(numbers):
    """Different numbers and how often each occurs, as `np.unique` but faster."""
    whole = numbers.dtype.kind in "iu" and numbers.size
    if not whole or numbers.min() < 0 or numbers.max() >= 65536:
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers.ravel())
    found = np.flatnonzero(counts)
    return found, counts[found]


def _label(facts, sample):
    label = np.asarray(sample["label"])
    facts.mask_size = facts.mask_size or label.shape
    found, counts = _counted(label)
    facts.label = dict(zip(found.tolist(), counts.tolist()))
    if "instances" in sample:
        maps = np.asarray(sample["instances"])
        num = len(sample["classes"])
        facts.areas = np.bincount(maps.ravel(), minlength=num + 1)[1:]
        facts.touching = len(_touching(maps[0]))
        return
    facts.areas = np.zeros(0, int)
    if len(found) <= MOST_CLASSES:
        kept = np.where(label == 255, 0, label)
        regions = measure_regions(kept, background=0, connectivity=2)
        facts.areas = np.bincount(regions.ravel())[1:]


def _touching(ids):
    """Ids of objects with a pixel beside one of another object."""
    found = set()
    for one, other in ((ids[1:], ids[:-1]), (ids[:, 1:], ids[:, :-1])):
        meet = (one != other) & (one > 0) & (other > 0)
        found |= {*np.unique(one[meet]).tolist(), *np.unique(other[meet]).tolist()}
    return found
