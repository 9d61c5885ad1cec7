"""The one rule of value ranges: which numbers of a picture are black and white.

Models take 0..255. Reading, checks, training, prediction, evaluation, the CRF, pictures
and classical methods ask this module how the numbers of an image get there:

| dtype            | numbers                        | black..white               |
|------------------|--------------------------------|----------------------------|
| bool             |                                | False..True                |
| uint8            |                                | 0..255                     |
| uint16           | up to 16384 or more            | 0..65535                   |
| uint16           | below: 10, 12, 14 bits or dim? | asked                      |
| float            | up to 1/255 or more, to 1      | 0..1                       |
| float, integers  | 0..16 or more, up to 255       | 0..255                     |
| float, integers  | up to 16384 or more, to 65535  | 0..65535                   |
| float, integers  | negative, or any other         | asked                      |

Asked: an error that says so until `value_range=(black, white)` is given; `scale` makes
the same of one image for any function. A range belongs to a data set, so that all of
its images are scaled alike: samples have a `value_range`, and a run remembers that of
its training data. A range is not applied to dtypes that say their own: uint8 is 0..255
whatever 12-bit range is given, and integers are not within (0, 1). Numbers outside of a
given range are refused (one percent is forgiven), and so are floats in 0..1 where the
range is a wider one.
"""

import threading

import numpy as np

from kerasseg.images.arrays import as_array

SLACK = 0.01  # share of a range that filters may overshoot
DIM = 16_384  # 16-bit images below may hold 14 bits, or fewer
DARK = 16  # of 255; below, numbers may be of any unit
FAINT = 1 / 255  # of 1; below, all would be black
STEPS = 2**14  # of `stretch`: coarser than float32's rounding of 256 grey levels
UNIT, BYTE, WORD = (0.0, 1.0), (0.0, 255.0), (0.0, 65535.0)


class Scaled(np.ndarray):
    """Array float32 whose numbers are known to mean 0..255; its slices are, too."""

    def __array_wrap__(self, array, context=None, return_scalar=False):
        # Numbers that were computed from it are of any range.
        if return_scalar or array.ndim == 0:  # numpy 1 does not tell
            return array[()]
        return array.view(np.ndarray)


def scale(image, value_range=None):
    """An image in 0..255, for any function of this package.

    Args:
        image: [H, W], [H, W, C] or a batch, or what `as_array` takes.
        value_range: (black, white); None for what dtype and numbers say, see above.

    Returns:
        float32 that is known to be in 0..255, however dim it is; without
        `value_range`, uint8 as it is.

    Raises:
        ValueError: if the range cannot be known, or does not fit the numbers.

    Example:
        >>> scale(np.array([[0, 4095]], "uint16"), (0, 4095)).tolist()
        [[0.0, 255.0]]
    """
    image = as_array(image)
    found = range_of(image, value_range)
    if image.dtype == "uint8" and value_range is not None:
        image = image.astype("float32")  # `Scaled`: what was asked is no guess
    return rescale(image, found)


def range_of(image, value_range=None):
    """Numbers of an image that are black and white: (low, high).

    Args:
        image: array of numbers, also memory-mapped: it is read once.
        value_range: as for `scale`.

    Raises:
        ValueError: as `scale`, and if a number is not finite.
    """
    if value_range is not None:
        value_range = check_range(value_range)
    if isinstance(image, Scaled) or (image.dtype == "uint8" and value_range is None):
        return BYTE
    return range_from_extent(*extent(image), value_range)


def extent(image):
    """Dtype, least and largest number of an image, and whether all are whole ones."""
    if image.dtype.kind not in "uifb" or not image.size:
        raise ValueError(
            "`image` must be numbers, at least one. "
            f"Received: shape={image.shape}, dtype={image.dtype}."
        )
    low, high = image.min(), image.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("`image` must be finite. Received: NaN or infinity in it.")
    small = image.dtype.kind == "f" and high <= 1 + SLACK  # else it does not matter
    whole = not small or bool((image == np.floor(image)).all())
    return image.dtype, float(low), float(high), whole


def range_from_extent(dtype, low, high, whole=True, value_range=None):
    """Range of images with these numbers, as `range_of`.

    Args:
        dtype: of the images.
        low, high: their least and largest number.
        whole: whether floats in 0..1 are only 0 and 1.
        value_range: (black, white), or None.
    """
    dtype = np.dtype(dtype)
    if value_range is not None and _applies(dtype, high, value_range):
        return _checked(dtype, low, high, whole, value_range)
    if dtype.kind == "b":
        return UNIT
    if dtype == "uint8":
        return BYTE
    is_float = dtype.kind == "f"
    if low >= -SLACK * max(high, 0) and (is_float or low >= 0):
        forgiven = 1 + SLACK * is_float
        if high == 0:  # black in any range
            return WORD if dtype == "uint16" else BYTE
        if is_float and FAINT <= high <= forgiven:
            return UNIT
        if dtype != "uint16" and DARK <= high <= 255 * forgiven:
            return BYTE
        if DIM <= high <= 65535 * forgiven:
            return WORD
    raise ValueError(
        "`value_range`, the numbers that are black and white, must be given where an "
        f"image does not tell. Received: {_text(dtype, low, high)}.{_fix(low, high)}"
    )


def range_of_dtype(dtype, value_range=None):
    """Range of all uint8 or uint16 images; None where their numbers must tell it.

    Args:
        dtype: "uint8" or "uint16".
        value_range: (black, white) of the data; None, or 0..255, for none of its own.
    """
    black, white = check_range(value_range or BYTE)
    if (black, white) != BYTE and _applies(np.dtype(dtype), np.inf, (black, white)):
        return black, white
    return BYTE if dtype == "uint8" else None


def check_range(value_range):
    """A range as (low, high), floats.

    Raises:
        ValueError: if it is no pair of finite numbers, the smaller one first.
    """
    try:
        low, high = map(float, value_range)
    except (TypeError, ValueError):
        low = high = np.nan
    if not -np.inf < low < high < np.inf:
        raise ValueError(
            "`value_range` must be two numbers, black and white, such as (0, 4095). "
            f"Received: value_range={value_range!r}."
        )
    return low, high


def rescale(image, found):
    """Numbers of a range of `range_of` in 0..255: `Scaled`, or uint8 as it is."""
    if isinstance(image, Scaled) or (image.dtype == "uint8" and found == BYTE):
        return image
    low, high = found
    image = image.astype("float64" if image.dtype == "float64" else "float32")
    if low:
        image -= image.dtype.type(low)
    image *= image.dtype.type(255)  # first: 16-bit numbers times 255 are exact
    image /= image.dtype.type(high - low)
    return image.astype("float32", copy=False).view(Scaled)


def stretch(image):
    """An image in 0..1 between its own darkest and brightest number, for any range.

    For methods that compare pixels of one picture with each other: they see the same in
    it whatever its dtype, scale and offset. Nothing is clipped.

    Args:
        image: array of finite numbers. What `scale` returned is divided by 255 instead.

    Returns:
        float32, in steps of 2**-14, so that all forms are equal to the last bit; 0
        where all numbers are equal.
    """
    if isinstance(image, Scaled):
        return np.asarray(image) / np.float32(255)
    if image.dtype == "float32" or image.dtype.kind != "f":
        image = image.astype("float64")
    low, high = image.min(), image.max()
    if low == high:
        return np.zeros(image.shape, "float32")
    # Halves: the range of the largest numbers would be infinite.
    share = (image / 2 - low / 2) / (high / 2 - low / 2)
    return (np.round(share * STEPS) / STEPS).astype("float32")


def between_percentiles(image, percentiles):
    """An image whose percentiles become 0 and 255, for models that were trained so.

    Nothing is clipped. All channels are taken together.

    Args:
        image: array of finite numbers, of any range.
        percentiles: (low, high), in percent.

    Returns:
        float32 that is known to be scaled; 0 where both percentiles are equal.

    Example:
        >>> between_percentiles(np.array([[300, 400, 500, 900]]), (0, 100)).tolist()
        [[0.0, 42.5, 85.0, 255.0]]
    """
    image = np.asarray(image)
    extent(image)  # finite numbers
    low, high = np.percentile(image, percentiles).astype("float32")
    image = image.astype("float32") - low
    image *= np.float32(0 if low == high else 255 / (high - low))
    return image.view(Scaled)


class DataRange:
    """The range of the images of one data set, given or that of the first that tells.

    Args:
        value_range: (black, white), or None.
    """

    def __init__(self, value_range=None):
        self.value_range = None if value_range is None else check_range(value_range)
        self.lock = threading.Lock()

    def scale(self, image):
        """As `scale`, but by one range for all images.

        Raises:
            ValueError: as `scale`, and if an image contradicts those before.
        """
        image = as_array(image)
        if isinstance(image, Scaled) or image.dtype == "bool":
            return scale(image)
        with self.lock:
            if image.dtype == "uint8" and self.value_range is None:
                return image
            facts = extent(image)
            found = range_from_extent(*facts, self.value_range)
            tells = facts[2] != 0 and image.dtype != "uint8"
            if self.value_range is None and tells:
                self.value_range = found
        if image.dtype == "uint8" and self.value_range != BYTE:
            image = image.astype("float32")  # as the wider images beside it
        return rescale(image, found)


def _applies(dtype, most, value_range):
    """Whether a range can be that of a dtype; False if the dtype says its own."""
    low, high = value_range
    if dtype == "uint8":
        return low >= 0 and 1 < high <= 255
    return dtype.kind == "f" or (dtype.kind in "iu" and (high > 1 or most <= 1))


def _checked(dtype, low, high, whole, value_range):
    least, most = value_range
    span = most - least
    outside = low < least - SLACK * span or high > most + SLACK * span
    # Fractions within 0..1, or numbers around 0, would look black in a wider range.
    is_unit = 0 < high <= 1 + SLACK and low >= -SLACK and not whole
    is_centred = low < least - SLACK and high < least + span / DARK
    if outside or ((is_unit or is_centred) and span >= DARK):
        # Of counts such as those of 12 bits, which a camera of 14 exceeds.
        counts = outside and least == 0 <= low and most > 255
        ends = map(_number, likely_range(0, high)) if counts else ("black", "white")
        pair, command = _ways(*ends)
        raise ValueError(
            f"Images must be within their data's range, {_number(least)}.."
            f"{_number(most)}, all alike. Received: {_text(dtype, low, high)}. Fix: "
            "scale this one by its own range, kerasseg.images.scale(image, (black, "
            f"white)), or give all another: value_range={pair}; {command}."
        )
    return value_range


def _text(dtype, low, high):
    return f"{dtype} within {_number(low)}..{_number(high)}"


def _number(value):
    return f"{value:.6g}"


def likely_range(low, high):
    """Range (black, white) that numbers which do not tell it have most likely.

    Example:
        >>> likely_range(629, 3904), likely_range(-0.5, 0.9)
        ((0, 4095), (-1, 1))
    """
    if low >= 0 and high > 255:
        bits = next((b for b in (10, 12, 14, 16) if high < 2**b), None)
        return 0, 2**bits - 1 if bits else high
    if low >= 0:
        return 0, 255 if high > 1 else 1 if high >= FAINT else high
    return (-1, 1) if low >= -1 and high <= 1 else (low, high)


def _fix(low, high):
    """The range that would do, and the ways to give it."""
    black, white = likely_range(low, high)
    bits = white + 1 if black == 0 and float(white).is_integer() else 0
    bits = int(np.log2(bits)) if bits in (2**8, 2**10, 2**12, 2**14, 2**16) else 0
    why = f" for {bits} bits" if bits else ""
    pair, command = _ways(_number(black), _number(white))
    return (
        f" Fix: value_range={pair}{why}, or kerasseg.images.scale(image, {pair}); "
        f"{command}."
    )


def _ways(black, white):
    """A range in Python, and as options of commands."""
    return f"({black}, {white})", (
        f"on the command line --value-range={black},{white}, or where that is no "
        f"option --set 'data.value_range=[{black},{white}]'"
    )
