"""Choices of a plan: facts -> options of a recipe, each with its reason.

One function per choice; none of them reads a file or needs TensorFlow.
"""

import copy
import math
import typing

import numpy as np

THIN_PX = 14  # structures below lose their shape at an eighth of the resolution
RARE = 0.05  # share of the pixels
EMPTY = 0.25  # share of images without anything
LARGE_PX = 4e6  # of an image that is predicted at once
MASK_STRIDE = 4  # px of the image per value in the masks of instance models
SMALL_PX = 32  # side that objects should have at least for such masks
LARGE_OBJECT_PX = 80  # that may be shrunk to twice that
UNHURRIED_MINUTES = 30


class Choice(typing.NamedTuple):
    """One option of a recipe, and why it has this value.

    With the key None, the value is a whole table, or a list of tables, and the reason a
    dict of those of its options.
    """

    table: str
    key: str | None
    value: object
    reason: str | dict


def assemble(choices):
    """Tables of a recipe and {(table, key): reason} from choices, later ones first.

    Example:
        >>> assemble([Choice("train", "seed", 0, "any")])
        ({'train': {'seed': 0}}, {('train', 'seed'): 'any'})
    """
    tables, reasons = {}, {}
    for table, key, value, reason in choices:
        if key is None:
            tables[table] = copy.deepcopy(value)  # later choices may add to it
            reasons |= {(table, option): text for option, text in reason.items()}
        else:
            tables.setdefault(table, {})[key] = value
            reasons[table, key] = reason
    return tables, reasons


def value_of(choices, key):
    """Value of the choice of a key."""
    return next(one.value for one in choices if one.key == key)


def task(facts, asked=None):
    """The kind of model: "semantic" or "instances", with the reason.

    Raises:
        ValueError: if objects are asked for, and the data tell none apart.
    """
    if asked == "instances" and not facts.has_objects:
        raise ValueError(
            "`task` = instances needs data that tell objects apart: COCO JSON, mask "
            "folders, YOLO, ... (`kerasseg list`). Received: masks of classes. Fix: "
            "--task semantic; or, if each object has a number of its own in the masks, "
            "--format mask_folders."
        )
    if asked:
        return asked, "as asked for"
    if not facts.has_objects:
        return "semantic", "the masks hold classes, not objects"
    if facts.most_objects <= 1:
        return "semantic", "there is one object in an image, so a mask tells it"
    return "instances", f"up to {facts.most_objects} objects in an image are told apart"


def zoom(facts, minutes):
    """Enlargement of images for models whose masks have a quarter of the size.

    Args:
        facts: `DataFacts` with objects.
        minutes: of the training; large objects are shrunk where it is short.

    Returns:
        (factor, reason).
    """
    middle = facts.side_px[2]
    value = clip(round(2 * SMALL_PX / middle) / 2, 1.0, 4.0)
    reason = f"half of the objects are smaller than {middle:g} px"
    if middle > LARGE_OBJECT_PX and minutes < UNHURRIED_MINUTES:
        value = clip(round(8 * SMALL_PX / middle) / 4, 0.25, 1.0)
        reason += ", and the time is short"
    cells = middle * value / MASK_STRIDE
    return value, f"{reason}: {cells:.0f} cells of the masks, at a quarter of the size"


def crop(facts, zoom=None):
    """Height and width of training crops, px.

    Args:
        facts: `DataFacts`.
        zoom: enlargement of images for models of objects; None for class maps.

    Returns:
        ([height, width], reason).
    """
    if zoom is None:
        multiple, width = 16, facts.width_px or 20.0
        side = clip(16 * width, 192, 320)
        about = f"16 times the width of structures, {width:g} px, within 192 and 320"
    else:
        multiple, large = 32, zoom * (facts.side_px[2] * facts.side_px[3]) ** 0.5
        side = clip(5 * large, 192, 512)
        about = f"5 times a large object, {large:.0f} px, within 192 and 512"
    sides, seen = [], [(zoom or 1) * x for x in (facts.height, facts.width)]
    for length in seen:
        inside = max(math.floor(length / multiple) * multiple, multiple)
        sides.append(int(min(max(round(side / multiple), 1) * multiple, inside)))
    return sides, f"{about}; the typical image has {seen[0]:.0f} x {seen[1]:.0f} px"


def clip(value, low, high):
    """Return `value` within low and high."""
    return min(max(value, low), high)


def losses(facts):
    """[[loss]] of class maps: cross-entropy with Dice, weights where shares differ.

    Returns:
        `Choice` of the whole table.
    """
    present = [x for x in facts.shares if x > 0]
    entropy, dice = {"name": "CrossEntropy"}, {"name": "Dice"}
    least = min(present, default=1.0)
    about = (
        f"the rarest of {len(facts.shares)} classes covers {least:.2%} of the pixels"
    )
    reasons = {"name": "cross-entropy for all pixels, Dice for small classes"}
    if least >= RARE or len(present) < 2:
        reasons["name"] += f"; {about}, so no weights"
        return Choice("loss", None, [entropy, dice], reasons)
    middle = float(np.median(present))
    # The root, within 0.5 and 4: full inverse shares let rare classes spill over.
    entropy["class_weights"] = [
        round(clip((middle / x) ** 0.5, 0.5, 4.0), 2) if x > 0 else 1.0
        for x in facts.shares
    ]
    reasons["class_weights"] = (
        f"{about}: the root of the median share over each one's own, 0.5 to 4"
    )
    if facts.empty_share > EMPTY:
        dice["per_image"] = False
        reasons["per_image"] = (
            f"{facts.empty_share:.0%} of the images show no class but the first"
        )
    return Choice("loss", None, [entropy, dice], reasons)


def prediction(facts, task, zoom=None):
    """[predict]: enlargement, overlap and least area of objects; tiles of large images.

    Args:
        facts: `DataFacts`.
        task: "semantic", "instances" or "stars".
        zoom: enlargement of the images; None for models that do without.

    Returns:
        list of `Choice`.
    """
    found = []
    if task == "semantic":
        if facts.most_px > LARGE_PX:
            reason = f"images of up to {facts.most_px / 1e6:.0f} megapixels"
            found.append(Choice("predict", "tile_px", 1024, reason))
        return found
    if zoom is not None:
        value, reason = zoom
        found.append(Choice("predict", "zoom", value, reason))
        overlap = int(min(max(math.ceil(facts.side_px[3] * 1.2 / 16) * 16, 32), 128))
        reason = "tiles overlap so far that nearly every object is whole in one"
        found.append(Choice("predict", "overlap_px", overlap, reason))
    least = max(int(facts.side_px[0] ** 2 / 2), 1)
    side = f"{facts.side_px[0]:g}"
    reason = f"99 % of the objects are larger than {side} x {side} px: half of that"
    found.append(Choice("predict", "min_area_px", least, reason))
    return found
