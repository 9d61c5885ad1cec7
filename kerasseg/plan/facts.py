"""Facts about a data set on which a plan rests: sizes, shares, objects, directions."""

import dataclasses

import cv2
import numpy as np

from kerasseg import datasets

MOST_TRAIN, MOST_VAL = 200, 60  # samples whose files are measured, evenly spread
MOST_LOOKED_AT = 32  # samples whose shapes are measured
CELLS = 16  # rows and columns of the small pictures that directions are told by
MISSING = ("empty classes", "classes of one side")  # findings of `datasets.examine`
FLIPS = {
    "vertical": lambda x: x[::-1],
    "horizontal": lambda x: x[:, ::-1],
    "transposed": lambda x: x.swapaxes(0, 1),
}


@dataclasses.dataclass(frozen=True)
class DataFacts:
    """Facts about a data set; JSON-able by `dataclasses.asdict`.

    Attributes:
        num_train, num_val: numbers of samples.
        height, width: medians, px.
        mean_px, most_px: pixels of an image, on average, and of the largest one.
        channels, dtype: of the images.
        grey: whether their channels are all alike.
        classes: names.
        shares: of the labelled pixels, one per class.
        image_shares: of the images that show it, one per class.
        empty_share: share of the images that show the first class only.
        has_objects: whether samples tell objects apart.
        side_px: 1st, 5th, 50th and 95th percentile of the root of objects' areas;
            () without any.
        most_objects: 95th percentile of the objects of an image.
        touching_share: share of the objects that touch another.
        solidity: median of area over that of the convex hull; None without objects.
        width_px: typical width of what is labelled; None where nothing ends.
        told: {flip: (consistency, p)}, see `directions`.
        remarks: sentences about classes that training or validation will not see.
    """

    num_train: int
    num_val: int
    height: int
    width: int
    mean_px: int
    most_px: int
    channels: int
    dtype: str = "uint8"
    grey: bool = False
    classes: tuple = ("background", "object")
    shares: tuple = (0.9, 0.1)
    image_shares: tuple = (1.0, 1.0)
    empty_share: float = 0.0
    has_objects: bool = False
    side_px: tuple = ()
    most_objects: int = 0
    touching_share: float = 0.0
    solidity: float | None = None
    width_px: float | None = None
    told: dict = dataclasses.field(default_factory=dict)
    remarks: tuple = ()


def look(sides, *, on_progress=None):
    """Measure a data set.

    Args:
        sides: {"train": Samples, "val": Samples}.
        on_progress: as in `datasets.examine`.

    Returns:
        `DataFacts`.

    Raises:
        ValueError: if files cannot be read, or hold ids of no class.

    Example:
        >>> samples = datasets.shapes(6, size=64)
        >>> facts = look({"train": samples, "val": samples.subset([0])})
        >>> facts.height, facts.has_objects, len(facts.shares)
        (64, True, 4)
    """
    most = {"train": MOST_TRAIN, "val": MOST_VAL}
    some = {side: spread(samples, most[side]) for side, samples in sides.items()}
    found = datasets.examine(some, on_progress=on_progress)
    broken = [text for one in found.facts for text in one.errors.values()]
    if broken:  # a training would stop there, too
        raise ValueError(f"{len(broken)} files cannot be used, such as: {broken[0]}")
    read = found.facts
    _check_ids(found)
    sizes = np.array([one.size for one in read])
    rows = list(found.shares()["classes"].values())
    height, width = np.median(sizes, axis=0)
    return DataFacts(
        num_train=len(sides["train"]),
        num_val=len(sides["val"]),
        height=int(height),
        width=int(width),
        mean_px=int(sizes.prod(axis=1).mean()),
        most_px=int(sizes.prod(axis=1).max()),
        channels=int(read[0].channels),
        dtype=read[0].dtype,
        classes=tuple(found.classes),
        shares=tuple(float(row["share"]) for row in rows),
        image_shares=tuple(round(row["images"] / len(read), 3) for row in rows),
        empty_share=float(np.mean([not _others(one.label) for one in read])),
        remarks=_remarks(found, sum(map(len, sides.values()))),
        **_of_objects(read),
        **_of_shapes(spread(sides["train"], MOST_LOOKED_AT)),
    )


def spread(samples, most):
    """At most so many samples, evenly spread."""
    num = min(len(samples), most)
    return samples.subset([i * len(samples) // num for i in range(num)])


def _check_ids(found):
    """Refuse ids of no class, which a training would meet after its start only."""
    classes = found.classes
    if len(classes) < 2:
        raise ValueError(
            "`classes` must name two at least, by id; a background is the first. "
            f"Received: {', '.join(classes)}."
        )
    for one in found.facts:
        beyond = [i for i in one.label if i >= len(classes) and i != found.ignore_label]
        if beyond:
            raise ValueError(
                "`classes` must name each id of the masks but that of ignored pixels, "
                f"{found.ignore_label}. Received: {len(classes)} names, "
                f"{_listed(classes)}, and the ids "
                f"{min(one.label)}..{max(beyond)} in {one.name!r}."
            )


def _remarks(found, num):
    """Warnings about classes that are missing in those of `num` samples looked at."""
    warnings = [one for one in found.findings if one.kind in MISSING]
    within = "" if len(found.facts) == num else f" in the {len(found.facts)} looked at"
    return tuple(f"{one.text}{within}: {_listed(one.names)}" for one in warnings)


def _listed(names, most=12):
    return ", ".join([*names[:most], *["..."] * (len(names) > most)])


def _others(label):
    """Pixels of other classes than the first, and not ignored."""
    return sum(num for i, num in label.items() if i not in (0, 255))


def _of_objects(read):
    """Facts about objects, or regions of one class where samples tell none apart."""
    known = [one for one in read if one.areas is not None]
    areas = np.concatenate([one.areas for one in known]) if known else np.zeros(0)
    areas = areas[areas > 0]
    touching = [one.touching for one in known if one.touching is not None]
    found = {"has_objects": bool(touching)}
    if not len(areas):
        return found
    counts = [np.count_nonzero(one.areas) for one in known]
    sides = np.percentile(np.sqrt(areas), (1, 5, 50, 95))
    return found | {
        "side_px": tuple(round(float(x), 1) for x in sides),
        "most_objects": int(np.percentile(counts, 95)),
        "touching_share": round(sum(touching) / len(areas), 3),
    }


def _of_shapes(samples):
    """Facts for which pixels are looked at."""
    widths, solid, grey, pictures = {}, [], [], []
    for index in range(len(samples)):
        sample = samples[index]
        image, label = np.asarray(sample["image"]), np.asarray(sample["label"])
        grey.append(bool((image == image[..., :1]).all()))
        for class_id, width in _widths(label).items():
            widths.setdefault(class_id, []).append(width)
        if "instances" in sample:
            solid += _solidities(np.asarray(sample["instances"])[0])
        pictures.append(_small(image, label, len(samples.classes)))
    typical = [float(np.median(x)) for x in widths.values()]
    # Of two classes the thinner one: what is left between structures may be as thin.
    middle = min if len(typical) <= 2 else np.median
    return {
        "grey": all(grey),
        "width_px": round(float(middle(typical)), 1) if typical else None,
        "solidity": round(float(np.median(solid)), 3) if solid else None,
        "told": {name: directions(pictures, flip) for name, flip in FLIPS.items()},
    }


def _widths(label):
    """Width of each class of a label, px: four times the mean distance to its edge."""
    found = {}
    for class_id in np.unique(label).tolist():
        mask = label == class_id
        if class_id == 255 or mask.all():
            continue
        distance = cv2.distanceTransform(mask.astype("uint8"), cv2.DIST_L2, 5)
        # In a strip of w pixels the mean is (w + 2) / 4: 1, 2, 2, 1 for w = 4.
        found[class_id] = max(4 * float(distance[mask].mean()) - 2, 1.0)
    return found


def _solidities(ids):
    """Area over that of the convex hull, of up to 50 objects of a map."""
    from skimage.measure import regionprops

    regions = [one for one in regionprops(ids) if one.area >= 16]
    return [float(one.solidity) for one in regions[:50]]


def _small(image, label, num_classes):
    """Shares of the classes in cells of an image: float32 [CELLS, CELLS, K]."""
    if num_classes > 40:  # sparse: all others against the first
        label, num_classes = np.where(label == 255, 255, np.minimum(label, 1)), 2
    masks = [(label == class_id).astype("float32") for class_id in range(num_classes)]
    size = (CELLS, CELLS)
    return np.stack(
        [cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in masks], -1
    )


def directions(pictures, flip):
    """Measure how consistently pictures differ from their flips.

    Each picture minus its flip is a vector; in street scenes, where the sky is always
    above, all of these point the same way, and in pictures without an up they point
    anywhere.

    Args:
        pictures: arrays [n, n, K] of one shape.
        flip: function of such an array, its own inverse.

    Returns:
        (mean cosine between the vectors of two pictures, p of so large a mean if each
        vector's sign were drawn).

    Example:
        >>> sky = np.zeros([4, 4, 1])
        >>> sky[:2] = 1
        >>> directions([sky] * 8, FLIPS["vertical"])[0]
        1.0
        >>> directions([sky] * 8, FLIPS["horizontal"])[0]
        0.0
    """
    vectors = np.stack([(x - flip(x)).ravel() for x in pictures])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.maximum(lengths, 1e-6)
    cosines, num = vectors @ vectors.T, len(vectors)
    if num < 2:
        return 0.0, 1.0
    np.fill_diagonal(cosines, 0)

    def mean(signs):
        return np.einsum("...i,ij,...j->...", signs, cosines, signs) / (num * (num - 1))

    measured = float(mean(np.ones(num)))
    drawn = np.random.default_rng(0).choice([-1.0, 1.0], (999, num))
    p = (1 + np.count_nonzero(mean(drawn) >= measured - 1e-12)) / 1000
    return round(measured, 3), float(p)
