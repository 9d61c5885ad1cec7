"""Options of prediction, one frozen dataclass per kind of model.

Recipe keys of [predict], flags of the command line, defaults, help texts and checks
follow from them; the functions of `kerasseg.predict` take the same names. Nothing here
imports tensorflow or keras.
"""

import dataclasses
import numbers
import re
import typing

from kerasseg.images.values import check_range
from kerasseg.names import check_options
from kerasseg.predict._option_checks import (
    check_border,
    check_percentiles,
    check_scales,
    check_tile,
)
from kerasseg.predict.views import check_flips

FITS = ("tile", "resize", "stretch")
ENGINES = ("auto", "tensorflow", "openvino", "onnx", "litert")  # see predict.engine
MAX_OBJECTS = 65_535  # label maps are written in 16 bits
SIDES = re.compile(r"(\d{1,5})x(\d{1,5})")
# Annotation of a field -> types that fit it, and how an error calls them.
KINDS = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a string"),
    tuple: ((tuple, list), "a list"),
    bool: (bool, "true or false"),
    type(None): (type(None), "none"),
}


def option(default, text, *, low=None, high=float("inf"), **flag):
    """Field of a dataclass of options: default, help text, range, and its flag.

    Args:
        default: value where nothing is given.
        text: one line for `--help`.
        low, high: least and largest value of a number.
        flag: "name" where it is not that of the field; "metavar"; "const" of a flag
            that takes no value; "choices" of words that may follow a flag.
    """
    metadata = {"help": text, "range": (low, high), **flag}
    return dataclasses.field(default=default, metadata=metadata)


def check(options):
    """Refuse values that do not fit the annotations and ranges of their fields."""
    for field in dataclasses.fields(options):
        name, value = field.name, getattr(options, field.name)
        kinds = typing.get_args(field.type) or (field.type,)
        if object in kinds or (value is None and type(None) in kinds):
            continue
        # True is an int, too.
        fits = isinstance(value, bool) <= (bool in kinds)
        if not fits or not any(isinstance(value, KINDS[kind][0]) for kind in kinds):
            wanted = " or ".join(KINDS[kind][1] for kind in kinds)
            raise ValueError(f"`{name}` must be {wanted}. Received: {value!r}.")
        _check_range(field, value)
    if range_given(options) is not None:
        check_range(range_given(options))
    bands = bands_given(options)
    if bands is not None and len(bands) not in (1, 3):
        raise ValueError(
            "`picture_bands` must be three bands, red, green, blue, or one. "
            f"Received: picture_bands={bands!r}."
        )


def _check_range(field, value):
    """Refuse numbers out of the range of their field, in a list too."""
    low, high = field.metadata["range"]
    if low is None:
        return
    name, several = field.name, isinstance(value, (tuple, list))
    for one in value if several else (value,):
        if several and not isinstance(one, numbers.Integral):
            raise ValueError(f"`{name}` must be whole numbers. Received: {value!r}.")
        if not low <= one <= high:  # NaN, too
            limits = f"at least {low}" if high == float("inf") else f"in {low}..{high}"
            raise ValueError(f"`{name}` must be {limits}. Received: {name}={value!r}.")


def value_range_option():
    """Field of the range of the images, the same for every kind of model."""
    text = "numbers of the images that are black and white (default: the run's)"
    return option(None, text, metavar="BLACK,WHITE")


def range_given(options):
    """The `value_range` of options; None for tasks that do without."""
    return getattr(options, "value_range", None)


def percentiles_given(options):
    """The `percentiles` of options; None for tasks that do without."""
    return getattr(options, "percentiles", None)


def picture_bands_option():
    """Field of the bands that pictures show, the same for every kind of model."""
    text = "bands that pictures show as red, green, blue, from 0 (default: 0,1,2)"
    return option(None, text, low=0, name="bands", metavar="R,G,B")


def cut_outs_option():
    """Field of the pictures of what was found, the same for every kind of model."""
    text = "also write what is found as PNG, transparent around it, into cutouts/"
    return option(False, text)


def flips_option():
    """Field of the views that are averaged, the same for class maps and stars."""
    return option(
        False,
        "average over the mirrored image too; `both`: also upside down; `all`: and on "
        "its side",
        choices=("horizontal", "both", "all"),
    )


def bands_given(options):
    """The `picture_bands` of options; None for tasks that do without."""
    return getattr(options, "picture_bands", None)


def check_bands(options, channels):
    """Refuse bands for pictures that images of so many channels do not have."""
    bands = bands_given(options)
    if bands is not None and max(bands) >= channels:
        raise ValueError(
            f"`picture_bands` must be bands of the model's images, 0..{channels - 1}. "
            f"Received: picture_bands={bands!r}."
        )


FOR_FILES = ("picture_bands", "cut_outs")  # and not for functions of one image


def arguments(options, *without):
    """Options as a dict without those that are for files alone, and others."""
    left_out = {*FOR_FILES, *without}
    return {name: x for name, x in vars(options).items() if name not in left_out}


@dataclasses.dataclass(frozen=True)
class ClassMapOptions:
    """Options of `predict.class_ids` and, but for areas, `predict.probabilities`."""

    tile_px: int | tuple | None = option(
        None, "predict by tiles of PX x PX pixels", low=1, name="tile", metavar="PX"
    )
    overlap_px: int | None = option(
        None, "overlap of neighbouring tiles", low=0, name="overlap", metavar="PX"
    )
    flips: bool | str = flips_option()
    scales: tuple | None = option(
        None, "average over the image at these scales", low=None, metavar="S,S,..."
    )
    refine: object = option(
        None, "refine along image edges by a dense CRF", name="crf", const="crf"
    )
    min_area_px: int = option(
        1, "regions of PX pixels at least", low=0, name="min-area", metavar="PX"
    )
    value_range: tuple | None = value_range_option()
    picture_bands: tuple | None = picture_bands_option()
    cut_outs: bool = cut_outs_option()

    def __post_init__(self):
        check(self)
        check_flips(self.flips)
        check_scales(self.scales)
        check_tile(self.tile_px)
        if not (self.refine in (None, "crf") or callable(self.refine)):
            raise ValueError(
                "`refine` must be None, 'crf' or a function. "
                f"Received: refine={self.refine!r}."
            )


@dataclasses.dataclass(frozen=True)
class StarOptions:
    """Options of `predict.stars`."""

    score_threshold: float = option(
        0.3, "objects that score S at least", low=0, high=1, name="score", metavar="S"
    )
    overlap_threshold: float = option(
        0.4, "objects that share S of the smaller one are the same", low=0, high=1
    )
    min_area_px: int = option(
        1, "objects of PX pixels at least", low=0, name="min-area", metavar="PX"
    )
    max_objects: int = option(
        1000,
        "only the N best objects of an image",
        low=1,
        high=MAX_OBJECTS,
        metavar="N",
    )
    vote: bool = option(
        False, "outlines that all polygons of an object agree on, not the best one's"
    )
    border: str = option(
        "edge", "what lies beyond the image: its last pixels, or its `mirror` image"
    )
    flips: bool | str = flips_option()
    percentiles: tuple | None = option(
        None,
        "percentiles of the image that are black and white, such as 1,99.8",
        low=None,
        metavar="BLACK,WHITE",
    )
    value_range: tuple | None = value_range_option()
    picture_bands: tuple | None = picture_bands_option()
    cut_outs: bool = cut_outs_option()

    def __post_init__(self):
        check(self)
        check_border(self.border)
        check_flips(self.flips)
        check_percentiles(self.percentiles)


@dataclasses.dataclass(frozen=True)
class InstanceOptions:
    """Options of `predict.instances`."""

    score_threshold: float = option(
        0.3, "objects that score S at least", low=0, high=1, name="score", metavar="S"
    )
    fit: str = option(
        "tile",
        "find objects by tile, or after a `resize` or `stretch` of the image, "
        "or by sides as 800x1333",
    )
    overlap_px: int | None = option(
        None, "overlap of neighbouring tiles", low=0, name="overlap", metavar="PX"
    )
    zoom: float = option(
        1.0, "enlarge images Z times to find objects", low=1 / 8, high=8, metavar="Z"
    )
    min_area_px: int = option(
        1, "objects of PX pixels at least", low=0, name="min-area", metavar="PX"
    )
    max_objects: int = option(
        1000,
        "only the N best objects of an image",
        low=1,
        high=MAX_OBJECTS,
        metavar="N",
    )
    value_range: tuple | None = value_range_option()
    picture_bands: tuple | None = picture_bands_option()
    cut_outs: bool = cut_outs_option()

    def __post_init__(self):
        check(self)
        if self.fit not in FITS and not self.sides_px:
            raise ValueError(
                f"`fit` must be in {FITS}, or sides as '800x1333'. "
                f"Received: fit={self.fit!r}."
            )
        if self.zoom != 1 and self.fit != "tile":
            raise ValueError(
                "`zoom` is for fit='tile': set zoom to 1, or fit to 'tile'. "
                f"Received: zoom={self.zoom}, fit={self.fit!r}."
            )

    @property
    def sides_px(self):
        """The shorter side and the most of the longer one, of `fit="800x1333"`."""
        found = SIDES.fullmatch(self.fit)
        sides = tuple(map(int, found.groups())) if found else ()
        return sides if sides and 32 <= sides[0] <= sides[1] else None


@dataclasses.dataclass(frozen=True)
class PanopticOptions:
    """Options of `predict.panoptic`."""

    score_threshold: float = option(
        0.1, "centres of objects that score S at least", low=0, high=1, name="score"
    )
    min_area_px: int = option(
        1, "segments of PX pixels at least", low=0, name="min-area", metavar="PX"
    )
    max_objects: int = option(
        200,
        "only the N best objects of an image",
        low=1,
        high=MAX_OBJECTS,
        metavar="N",
    )
    things: tuple | None = option(
        None,
        "ids of the classes whose objects are told apart",
        low=0,
        metavar="ID,ID,...",
    )
    value_range: tuple | None = value_range_option()
    picture_bands: tuple | None = picture_bands_option()
    cut_outs: bool = cut_outs_option()

    def __post_init__(self):
        check(self)


def as_options(kind, given):
    """An instance of a dataclass of options from what a user gave.

    Args:
        kind: the dataclass.
        given: None for its defaults, a dict of some of its fields, or an instance.

    Raises:
        ValueError: if a name is unknown, with the nearest, or a value is out of range.

    Example:
        >>> as_options(StarOptions, {"min_area_px": 5}).score_threshold
        0.3
    """
    if isinstance(given, kind):
        return given
    given = dict(given or {})
    check_options(given, defaults(kind), "prediction")
    return kind(**given)


def defaults(kind):
    """Default of each option by name, of a dataclass of options."""
    return {field.name: field.default for field in dataclasses.fields(kind)}
