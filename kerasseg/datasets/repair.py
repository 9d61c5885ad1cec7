"""A corrected copy of a data set: all that can be mended without asking."""

import collections
import pathlib
import shutil

import cv2
import numpy as np

from kerasseg.datasets import _near
from kerasseg.datasets._by_rule import select_by_hash
from kerasseg.datasets._facts import alpha_of
from kerasseg.datasets.convert import new_folder
from kerasseg.images import (
    ImageError,
    blurred_colors,
    read_image,
    scale,
    write_image,
    write_mask,
)
from kerasseg.images.class_ids import ids_of_colors
from kerasseg.images.decode import decode
from kerasseg.images.decoders import upright

ASPECT = 0.02  # masks of another shape are not those of their images


def repair(examination, out, *, read=None):
    """Write a corrected copy as images, label images and lists of a split.

    Numbers of masks are mapped, blurred masks cut at 128, or at the nearest of their
    colours, masks of another size
    resampled to the nearest pixel or turned as EXIF turns their image, images written
    upright, without alpha and in a range that is known, and copies of a picture put on
    one side. What cannot be mended is left out, with its reason. Nothing is changed in
    place.

    Args:
        examination: result of `examine`.
        out: folder to make; it must not exist, or be empty.
        read: function of `Facts` -> sample; None where masks are read as they are
            stored.

    Returns:
        JSON-able dict of "out", "images" (number written), "changed" ({what: number})
        and "left_out" ({name: reason}).

    Raises:
        ImageError: if nothing is left, or `out` is not empty.
    """
    plan = {}
    for one in examination.findings:
        plan[one.kind] = {**(one.action or {}), "names": {*one.names}}
    plan["several classes"] = _several_classes(examination, plan)
    changed, left_out, kept = collections.Counter(), {}, []
    # Whole or not at all: a corrected copy that lacks files would be trained on.
    with new_folder(out) as folder:
        for facts in examination.facts:
            try:
                image, label = _mended(facts, plan, read, examination, changed)
            except (ValueError, OSError) as error:
                left_out[facts.name] = str(error)
                continue
            _write_image(folder, facts, image, changed)
            write_mask(folder / f"labels/{facts.name}.png", label)
            kept.append((facts, {*np.unique(label).tolist()} - {255}))
        if not kept:
            raise ImageError(out, "a sample that can be mended", "none", "See above")
        _write_lists(folder, kept, changed)
        _write_classes(folder, examination, plan, kept, changed)
    return {
        "out": str(out),
        "images": len(kept),
        "changed": dict(changed),
        "left_out": left_out,
    }


def _mended(facts, plan, read, examination, changed):
    """Image and label of a sample."""
    raw, table = examination.raw, examination.colors
    if facts.image is None and read is None:
        raise ValueError("there is no image file")
    if raw and raw != "labels":
        image = read_image(facts.image, channels=None)
        pixels, lossy = decode(facts.mask, as_ids=not table)
        is_sharp = facts.name not in plan_names(plan, "blurred colours")
        if table and is_sharp:
            label = ids_of_colors(facts.mask, pixels, table)
        else:
            label = _label(facts, pixels, lossy, plan, changed)
    else:
        sample = read(facts)
        image, label = np.asarray(sample["image"]), np.asarray(sample["label"])
        if raw:
            label = _label(facts, label, False, plan, changed)
    if "bands" in plan and image.shape[2] not in (1, 3):
        raise ValueError(f"an image of {image.shape[2]} bands among others")
    span = plan.get("value range", {}).get("value_range")
    if span and image.dtype != np.uint8:
        # `scale` answers in 0..255; 257 times that is 0..65535, so 16-bit readers need
        # no range.
        image = np.round(scale(image, span) * 257).astype("uint16")
        changed["images scaled to 16 bits"] += 1
    if label.shape != image.shape[:2]:
        label = _resized(label, image.shape[:2], facts, changed)
    return image, label


def _several_classes(examination, plan):
    """Whether sound masks hold several classes, so that white may be any of them."""
    odd = plan_names(plan, "blurred") | plan_names(plan, "black and white")
    used = set()
    for facts in examination.facts:
        if facts.name not in odd and facts.values is not None:
            used |= {number for number in facts.values if 0 < number < 255}
    return len(used) > 1


def _label(facts, pixels, lossy, plan, changed):
    """Class ids of a mask as it is stored."""
    if facts.name in plan_names(plan, "mask in alpha"):
        changed["masks taken from alpha"] += 1
        return (alpha_of(facts.mask) >= 128).astype("int32")
    if facts.name in plan_names(plan, "palettes"):
        table = plan["palettes"].get("colors")
        if table is None:
            raise ValueError(f"{facts.mask.name}: which colour is which, is not known")
        changed["masks mapped by the colours of their palettes"] += 1
        pixels = pixels[..., 0] if pixels.ndim == 3 else pixels
        ids = {number: table[color] for number, color in facts.palette.items()}
        return _mapped(pixels.astype("int32"), ids)
    if facts.colors is not None and "colors" in plan.get("colours", {}):
        table = plan["colours"]["colors"]
        if all(color in table for color in facts.colors):
            changed["masks of colours mapped"] += 1
            return ids_of_colors(facts.mask, pixels, table)
    table = plan.get("blurred colours", {}).get("colors")
    if facts.name in plan_names(plan, "blurred colours") and table:
        changed["blurred masks of colours made sharp"] += 1
        return blurred_colors.ids_around(pixels, table)
    white = plan_names(plan, "blurred") | plan_names(plan, "black and white")
    if facts.name in white and plan["several classes"]:
        raise ValueError(
            f"{facts.mask.name}: which of the classes white is, is not known"
        )
    if facts.name in plan_names(plan, "blurred"):
        changed["blurred masks cut at 128"] += 1
        grey = pixels if pixels.ndim == 2 else pixels.mean(-1)
        return (grey >= 128).astype("int32")
    if facts.colors is not None:
        raise ValueError(
            f"{facts.mask.name}: which colour is which class, is not known"
        )
    if lossy:
        raise ValueError(f"{facts.mask.name}: compressed with loss, ids are not known")
    pixels = (pixels[..., 0] if pixels.ndim == 3 else pixels).astype("int32")
    for kind in ("black and white", "objects", "grey levels", "ids", "from one"):
        mapping = plan.get(kind, {}).get("values")
        of_all = kind in ("objects", "from one")
        if mapping and (of_all or facts.name in plan_names(plan, kind)):
            changed[f"masks mapped ({kind})"] += 1
            pixels = _mapped(pixels, mapping)
    return pixels


def plan_names(plan, kind):
    """Names of the samples that an entry of the plan is about."""
    return plan.get(kind, {}).get("names", set())


def _mapped(pixels, mapping):
    if "1-65535" in mapping:
        return (pixels > 0).astype("int32")
    result = pixels.copy()
    for number, class_id in mapping.items():
        result[pixels == number] = class_id
    return result


def _resized(label, size, facts, changed):
    if facts.orientation > 1 and label.shape == size[::-1]:
        turned = upright(label, facts.orientation)
        if turned.shape == size:
            changed["masks turned as EXIF says"] += 1
            return np.ascontiguousarray(turned)
    aspect = (label.shape[0] * size[1]) / (label.shape[1] * size[0])
    if abs(aspect - 1) > ASPECT:
        raise ValueError(
            f"a mask of another shape: {label.shape[1]} x {label.shape[0]}, image "
            f"{size[1]} x {size[0]}"
        )
    changed["masks resampled to the size of their images"] += 1
    stored = label.astype("uint16")
    # OpenCV's INTER_NEAREST (5.0, too) takes no account of half pixels and shifts
    # masks.
    kind = cv2.INTER_NEAREST_EXACT
    return cv2.resize(stored, size[::-1], interpolation=kind).astype("int32")


def _write_image(folder, facts, image, changed):
    plain = facts.orientation == 1 and not facts.alpha and facts.image is not None
    # Copied, not written again: a JPEG must not lose once more.
    if plain and _is_file_of(facts.image, image):
        target = folder / "images" / f"{facts.name}{facts.image.suffix.lower()}"
        shutil.copyfile(facts.image, _made(target))
        return
    if facts.orientation > 1:
        changed["images turned upright"] += 1
    if facts.alpha:
        changed["images without their alpha"] += 1
    suffix = ".png" if image.dtype.name in ("uint8", "uint16") else ".tif"
    if image.shape[2] not in (1, 3):
        np.save(_made(folder / f"images/{facts.name}.npy"), image)
        return
    write_image(folder / f"images/{facts.name}{suffix}", image)


def _is_file_of(path, image):
    """Whether a file holds just this image, not a page or a band of it."""
    try:
        stored = read_image(path, channels=None)
    except ValueError:
        return False
    alike = stored.dtype == image.dtype and stored.shape[:2] == image.shape[:2]
    # Grey ones may be read as RGB.
    bands = stored.shape[2], image.shape[2]
    alike = alike and (bands[0] == bands[1] or bands == (1, 3))
    return alike and bool((stored == image).all())


def _made(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_lists(folder, kept, changed):
    """train.txt and val.txt: sides as they were, but copies of a picture on one."""
    facts = [one for one, _ in kept]
    sides = [one.side for one in facts]
    linked = _near.groups(
        len(facts), _near.pairs([one.signature for one in facts], _near.SAME)
    )
    for index, first in enumerate(linked):
        if sides[index] != sides[first]:
            sides[index] = sides[first]
            changed["images moved to the side of their copy"] += 1
    seen = {side: set() for side in ("train", "val")}
    for side, (_, ids) in zip(sides, kept):
        seen.setdefault(side, set()).update(ids)
    if len(facts) > 1 and (not seen["val"] or seen["val"] - seen["train"]):
        names = [(one.name, index) for index, one in enumerate(facts)]
        keys = [
            facts[first].name if linked.count(first) > 1 else None for first in linked
        ]
        kinds = [ids for _, ids in kept]
        chosen = select_by_hash(folder, "val", names, 0.2, kinds, keys)
        sides = ["train"] * len(facts)
        for _, index in chosen:
            sides[index] = "val"
        changed["new split"] += 1
    for side in ("train", "val"):
        listed = sorted(one.name for one, s in zip(facts, sides) if s == side)
        pathlib.Path(folder, f"{side}.txt").write_text("\n".join(listed) + "\n")


def _write_classes(folder, examination, plan, kept, changed):
    names = list(examination.classes)
    if first := plan.get("from one", {}).get("first"):
        names.insert(0, first)
        changed[f"{first!r} named before the other classes"] += 1
    tables = (plan.get(kind, {}) for kind in ("colours", "blurred colours"))
    colors = next((one["colors"] for one in tables if "colors" in one), None)
    if colors and not names:
        names = ["color {} {} {}".format(*color) for color in colors]
    most = max((max(ids, default=0) for _, ids in kept), default=0)
    if len(names) <= most or any(name.startswith("class ") for name in names):
        names = [f"class {class_id}" for class_id in range(max(most, 1) + 1)]
    pathlib.Path(folder, "classes.txt").write_text("\n".join(names) + "\n")
