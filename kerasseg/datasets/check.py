"""One pass over a whole data set, before a training run reads it."""

import collections
import concurrent.futures
import os

import numpy as np

from kerasseg.images import EXTENSIONS, mask_kinds, values
from kerasseg.names import check_samples

IMAGE, MASK = 0, 1  # of the files of a sample


def check(samples, *, num_classes=None, limit=None, on_error="raise"):
    """Read every sample and report their contents, or raise at the first bad one.

    Args:
        samples: Samples, or anything with their attributes.
        num_classes: ids must be below it; default: the number of `samples.classes`.
        limit: number of samples to read, evenly spread; None reads all.
        on_error: "raise", or "list" to go on after bad samples and report them.

    Returns:
        dict that can be written as JSON: `num_samples`, `num_read`; `sizes` (height x
        width, the ten most frequent), `channels` and `dtypes`: number of samples with
        each; `smallest` and `largest`: height and width, each by itself; `pixels`:
        count of each class, by name; `ignored_share`: of all pixels, 0..1;
        `value_range`: (black, white) of the images, given or told by all of them
        together, None for uint8, see `images.values`; of samples with instances
        `objects`, the number of each class, and `crowds`; `failed`, if they are listed:
        dicts of "name" and "error"; `warnings`: list of sentences.

    Raises:
        ImageError: from reading, if a file is broken.
        ValueError: if there is no sample, or `on_error` is no option; or naming the
            file or sample, if arrays have wrong types or shapes, numbers of channels
            differ, a label holds ids that are no class, or the range of the images
            cannot be known.

    Example:
        >>> from kerasseg import datasets
        >>> report = datasets.check(datasets.shapes(4, size=64))
        >>> report["num_read"], report["sizes"], list(report["pixels"])[:2]
        (4, {'64 x 64': 4}, ['background', 'disc'])
    """
    check_samples(
        samples, "__len__", "__getitem__", "names", "classes", "ignore_label", "files"
    )
    names = list(samples.classes)
    num_classes = len(names) if num_classes is None else num_classes
    names = [*names, *(f"class {i}" for i in range(len(names), num_classes))]
    if not len(samples) or (limit is not None and limit < 1):
        raise ValueError(
            "There must be samples to read. "
            f"Received: {len(samples)} samples, limit={limit}."
        )
    if on_error not in ("raise", "list"):
        raise ValueError(
            f'`on_error` must be "raise" or "list". Received: {on_error!r}.'
        )
    num_read = min(limit or len(samples), len(samples))
    # Spread evenly: neighbours in a data set are often of one film or one class.
    indices = [i * len(samples) // num_read for i in range(num_read)]

    def measure(index):
        try:
            return _measure(samples[index], index, num_classes, samples)
        except Exception as error:  # a decoder's own, or too little memory, too
            if on_error == "raise":
                raise
            return error

    total = _Sums(num_classes)
    # Decoders work outside Python's lock; `map` cancels the rest after an error.
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for index, found in zip(indices, pool.map(measure, indices)):
            if not isinstance(found, Exception):
                found = total.add(found, _source(samples, index, IMAGE))
            if isinstance(found, Exception):
                if on_error == "raise":
                    raise found
                total.failed.append(_failure(samples, index, found))
    _check_foreground(samples, total)
    report = {
        "num_samples": len(samples),
        "num_read": num_read,
        **total.report(names),
        "value_range": _value_range(
            total.extents, getattr(samples, "value_range", None)
        ),
        **({"failed": total.failed} if on_error == "list" else {}),
    }
    return {**report, "warnings": _warnings(samples, report, total)}


class _Sums:
    """Counts of `check`, one sample after another."""

    def __init__(self, num_classes):
        self.pixels, self.objects = np.zeros([2, num_classes], np.int64)
        kinds = ("sizes", "channels", "dtypes")
        self.counts = {kind: collections.Counter() for kind in kinds}
        self.ignored = self.crowds = self.left_out = 0
        self.channels, self.has_objects, self.failed = None, False, []
        self.extents = {}

    def add(self, found, source):
        """Count a sample; returns an error instead if it does not fit the others."""
        self.channels = self.channels or (found["channels"], source)
        # A model has one number of channels: the first image's is taken as meant.
        if found["channels"] != self.channels[0]:
            return ValueError(
                "All images must have the same number of channels. Received: "
                f"{self.channels[0]} in {self.channels[1]}, {found['channels']} in "
                f"{source}. Fix: read them with `channels=3` or 1."
            )
        for key, counter in self.counts.items():
            counter[found[key]] += 1
        _widen(self.extents, found["extent"], source)
        self.pixels += found["pixels"]
        self.ignored += found["ignored"]
        self.has_objects |= found["objects"] is not None
        if found["objects"] is not None:
            self.objects += found["objects"]
            self.crowds += found["crowds"]
            self.left_out += found["left_out"]
        return found

    def report(self, names):
        shapes = [tuple(map(int, x.split(" x "))) for x in self.counts["sizes"]]
        counts = {key: dict(x.most_common(10)) for key, x in self.counts.items()}
        total = int(self.pixels.sum()) + self.ignored
        objects = dict(list(zip(names, self.objects.tolist()))[1:])
        return {
            **counts,
            "smallest": [min(sides) for sides in zip(*shapes)],
            "largest": [max(sides) for sides in zip(*shapes)],
            "pixels": dict(zip(names, self.pixels.tolist())),
            "ignored_share": self.ignored / max(total, 1),
            **({"objects": objects, "crowds": self.crowds} if self.has_objects else {}),
        }


def _failure(samples, index, error):
    text, name = str(error) or type(error).__name__, samples.names[index]
    sources = [_source(samples, index, part) for part in (MASK, IMAGE)]
    known = any(one in text for one in (*sources, name))
    return {"name": name, "error": text if known else f"{sources[0]}: {text}"}


def _source(samples, index, part=MASK):
    """Where a sample comes from, for messages: one of its files or its name."""
    if not samples.files:
        return samples.names[index]
    file = samples.files[index][part]
    # A file of annotations may be that of all samples.
    is_mask = file.suffix.lower() in EXTENSIONS
    return str(file) if is_mask else f"{samples.names[index]} in {file}"


def _measure(sample, index, num_classes, samples):
    source, picture = (_source(samples, index, part) for part in (MASK, IMAGE))
    image, label = np.asarray(sample["image"]), np.asarray(sample["label"])
    if image.ndim != 3 or image.dtype.name not in ("uint8", "uint16", "float32"):
        raise ValueError(
            "`image` must be uint8, uint16 or float32 [H, W, C]. "
            f"Received: {image.dtype} {list(image.shape)} in {picture}."
        )
    if label.ndim != 2 or label.dtype != np.int32:
        raise ValueError(
            "`label` must be int32 [H, W]. "
            f"Received: {label.dtype} {list(label.shape)} in {source}."
        )
    if image.shape[:2] != label.shape:
        raise ValueError(
            "`image` and `label` must have the same height and width. "
            f"Received: {image.shape[:2]} and {label.shape} in {source}."
        )
    valid = label[label != samples.ignore_label]
    wrong = valid[(valid < 0) | (valid >= num_classes)]
    if wrong.size:
        found, counts = np.unique(wrong, return_counts=True)
        listed = ", ".join(f"{i} ({n} pixels)" for i, n in zip(found[:5], counts))
        raise ValueError(
            f"`label` must hold class ids 0..{num_classes - 1}, or "
            f"{samples.ignore_label} for pixels to ignore. Received: {listed} in "
            f"{source}. Fix: {_fix_of(label, num_classes)}."
        )
    _check_instances(sample, label, source)
    return {
        "sizes": f"{label.shape[0]} x {label.shape[1]}",
        "channels": image.shape[2],
        "dtypes": image.dtype.name,
        "extent": _extent(image, picture),
        "pixels": np.bincount(valid, minlength=num_classes),
        "ignored": label.size - valid.size,
        **_objects(sample, num_classes),
    }


def _objects(sample, num_classes):
    """Numbers of objects by class, of crowds, and of what the reader left out."""
    if not {"instances", "classes"} <= sample.keys():
        return {"objects": None}
    classes = np.asarray(sample["classes"])
    crowd = np.asarray(sample.get("crowd", np.zeros(len(classes))), bool)
    return {
        "objects": np.bincount(classes[~crowd], minlength=num_classes)[:num_classes],
        "crowds": int(crowd.sum()),
        "left_out": int(sample.get("left_out", 0)),
    }


def _fix_of(label, num_classes):
    """Advice for a label with ids that are no class."""
    # Negative numbers are no ids of anything that could be guessed.
    if label.min() >= 0:
        counts = np.bincount(np.minimum(label, 256).ravel(), minlength=257)
        if mask_kinds.is_noisy_black_and_white(counts):
            spans = mask_kinds.to_paste("values", mask_kinds.SPANS)
            return f"black and white masks that were smoothed or JPEG: {spans}"
        if mask_kinds.are_objects([mask_kinds.marks_objects(label)]):
            one_class = mask_kinds.to_paste("values", {0: 0, "1-65535": 1})
            return f"these are objects: dataset mask_folders, or one class: {one_class}"
    from_one = mask_kinds.ids_from_one(num_classes)
    if from_one and num_classes in label:
        pasted = mask_kinds.to_paste("values", from_one)
        return f"if the masks count classes from 1, {pasted}; else name all classes"
    return "name all classes, or map the numbers with `values`"


def _extent(image, source):
    try:
        return values.extent(image)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


def _widen(extents, extent, source):
    """Keep the least and largest number of each dtype, and where the largest is."""
    dtype, low, high, whole = extent
    before = extents.setdefault(dtype, (low, high, whole, source))
    place = source if high > before[1] else before[3]
    low, high = min(low, before[0]), max(high, before[1])
    extents[dtype] = (low, high, whole and before[2], place)


def _value_range(extents, given):
    """Range of all images: their numbers together tell, or it is asked once."""
    found = {}
    for dtype, (low, high, whole, source) in extents.items():
        try:
            pair = values.range_from_extent(dtype, low, high, whole, given)
        except ValueError as error:
            raise ValueError(f"{source} and others: {error}") from error
        if dtype not in ("uint8", "bool"):
            found[pair] = source
    if given is None and len(found) > 1:
        listed = " and ".join(f"{pair}, as {source}" for pair, source in found.items())
        raise ValueError(
            "All images must have one range of values. Received: "
            f"{listed}. Fix: save them in one dtype and range."
        )
    return given or next(iter(found), None)


def _check_instances(sample, label, source):
    if "masks" not in sample:
        return
    masks, classes = np.asarray(sample["masks"]), np.asarray(sample.get("classes", []))
    wrong_masks = masks.dtype != bool or masks.shape[1:] != label.shape
    if wrong_masks or classes.dtype != np.int32 or classes.shape != masks.shape[:1]:
        raise ValueError(
            "`masks` must be bool [M, H, W] and `classes` int32 [M]. "
            f"Received: {masks.dtype} {list(masks.shape)} and {classes.dtype} "
            f"{list(classes.shape)} with a label {list(label.shape)} in {source}."
        )


def _check_foreground(samples, total):
    pixels = total.pixels
    if total.ignored and len(pixels) > 1 and not pixels[1:].any():
        if total.has_objects:  # only crowds: a warning says so
            return
        ignore_label = samples.ignore_label
        raise ValueError(
            "Labels must hold more than one class. Received: only 0 and "
            f"{ignore_label}, which is ignored, in all of them ("
            f"{_source(samples, 0)}, ...). Fix: if {ignore_label} is the foreground, "
            f"say so: {mask_kinds.to_paste('values', {0: 0, ignore_label: 1})}."
        )


def _warnings(samples, report, total):
    found = list(getattr(samples, "notes", ()))
    if total.left_out:
        found.append(f"Left out: {total.left_out} objects without a pixel.")
    if total.has_objects and not total.objects.any():
        found.append(
            f"There is no object to learn or to score, and {total.crowds} crowds."
        )
    absent = [
        f"Class {name!r} never occurs."
        for name, count in report["pixels"].items()
        if not count
    ]
    # A list of a hundred absent classes would hide the other warnings.
    if len(absent) > 8:
        absent = [f"{len(absent)} of {len(report['pixels'])} classes never occur."]
    found += absent
    if report["ignored_share"] > 0.5:
        found.append(f"{report['ignored_share']:.0%} of the pixels are ignored.")
    if len(report["dtypes"]) > 1:
        found.append(f"Images differ in dtype: {', '.join(report['dtypes'])}.")
    given = report["value_range"]
    for dtype, (low, high, _, source) in total.extents.items():
        black, white = values.range_from_extent(dtype, low, high, True, given)
        if black < high < black + (white - black) / values.DARK:
            found.append(
                f"Images are dark: {dtype} up to {high:g} of {white:g}, in {source}. "
                "If that is white, say so by `value_range`."
            )
    return found
