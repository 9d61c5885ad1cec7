"""Examination of a data set: everything that would spoil a training, and its fix."""

import concurrent.futures
import dataclasses
import functools
import os
import pathlib

import numpy as np

from kerasseg.datasets import (
    _finding,
    _findings,
    _findings_classes,
    _findings_stored,
    _findings_table,
    _layout,
    _splits,
)
from kerasseg.datasets._facts import Facts, measure
from kerasseg.images import EXTENSIONS, ImageError
from kerasseg.images.listing import image_files
from kerasseg.names import check_samples

# Beyond, a loss of a class of few pixels trains its noise.
MOST_WEIGHT = 10.0


@dataclasses.dataclass(frozen=True)
class Examination:
    """Result of `examine`.

    Attributes:
        findings: list of `Finding` of "kind", "severity" ("fault", "warning", "note"),
            "text", "names", "fix" and "action", the faults first.
        facts: what is known of each sample.
        classes: class names by id; () if they are not known.
        ignore_label: id of pixels without a class.
        raw: whether masks were looked at as stored, see `examine`.
        colors: table of their colours, if it is given.
    """

    findings: list
    facts: list
    classes: tuple
    ignore_label: int = 255
    raw: bool | str = False
    colors: dict | None = None

    @property
    def faults(self):
        """Findings that would spoil a training."""
        return [one for one in self.findings if one.severity == _finding.FAULT]

    def report(self):
        """JSON-able dict of "findings", "classes" and "class_weights"."""
        found = [dataclasses.asdict(one) for one in self.findings]
        for one in found:
            one.pop("action")
        return {"findings": found, **self.shares()}

    def shares(self):
        """Pixels, share, images and proposed weight of each class.

        Weights are the median frequency over the class's own, of pixels in the images
        where it occurs (Eigen and Fergus, 2015, https://arxiv.org/abs/1411.4734), at
        most 10.
        """
        pixels, around = np.zeros([2, len(self.classes)])
        images = np.zeros(len(self.classes), int)
        for facts in self.facts:
            ids = facts.label or {}
            ids = {i: n for i, n in ids.items() if 0 <= i < len(self.classes)}
            ids.pop(self.ignore_label, None)
            for class_id, num in ids.items():
                pixels[class_id] += num
                around[class_id] += sum(ids.values())
                images[class_id] += 1
        frequency = pixels / np.maximum(around, 1)
        middle = np.median(frequency[pixels > 0]) if pixels.any() else 0
        weights = np.where(pixels > 0, middle / np.maximum(frequency, 1e-12), 0)
        total = max(pixels.sum(), 1)
        rows = {
            name: {"pixels": int(p), "share": round(p / total, 6), "images": int(n)}
            for name, p, n in zip(self.classes, pixels, images)
        }
        found = np.minimum(weights, MOST_WEIGHT).round(3).tolist()
        return {"classes": rows, "class_weights": found}


def examine(
    sides,
    *,
    root=None,
    raw=False,
    num_classes=None,
    colors=None,
    errors=(),
    on_progress=None,
):
    """Look at every file of a data set and say what would spoil a training.

    Found are files that cannot be read or do not belong together, masks of black and
    white, of colours, of objects, blurred by JPEG, or with ids of no class, sizes that
    differ, rotation by EXIF, transparency, ranges that are not known, near duplicates
    on both sides, classes that are missing, rare or on one side, and pictures that are
    much brighter or larger than the others.

    Args:
        sides: {"train": Samples, "val": Samples}; one may be missing.
        root: folder of images and masks in a layout of `folder`, to find files that
            have no partner, and all of them where samples cannot be made; or None.
        raw: whether numbers in mask files are looked at as they are stored, because
            nothing maps them; "labels" looks at those in labels, of files of many.
        num_classes: number of classes, where it is given; None to tell slips from
            classes by their gaps.
        colors: {(r, g, b): class id}, where such a table is given; None without.
        errors: what readers raised, told if no fault that is found explains it.
        on_progress: function of (number of samples done, of all).

    Returns:
        `Examination`.

    Raises:
        ValueError: if `sides` is no such dict.

    Example:
        >>> from kerasseg import datasets
        >>> found = examine({"train": datasets.shapes(4, size=64)})
        >>> found.faults, list(found.shares()["classes"])[:2]
        ([], ['background', 'disc'])
    """
    _check_sides(sides)
    jobs, findings, errors = [], [], list(errors)
    for side, samples in sides.items():
        for index, name in enumerate(samples.names):
            image, mask = samples.files[index] if samples.files else (None, None)
            facts = Facts(name, side, _image(image), mask)
            jobs.append((facts, functools.partial(samples.__getitem__, index)))
    if root is not None:
        lonely, pairs = _partners(_layout.descend(pathlib.Path(root)))
        # Samples that can be made tell of them in their notes.
        findings += [x for x in lonely if x.kind != "second masks" or errors]
        known = {one.image for one, _ in jobs}
        for name, side, image, mask in pairs:  # of sides that cannot be made
            # What no sample can be made of is still a picture whose faults can be
            # named.
            if image not in known and errors:
                jobs.append((Facts(name, side, image, mask), None))
    facts = _measured(jobs, raw, on_progress)
    first = next(iter(sides.values()), None)
    classes = first.classes if first is not None else ()
    ignored = first.ignore_label if first is not None else 255
    findings += _findings.of_files(facts)
    if raw:
        names = None if num_classes is None else classes
        findings += _of_masks(facts, colors, ignored, names)
    given = first.value_range if first is not None else None
    findings += _findings_classes.of_images(facts, given)
    findings += _findings_classes.of_duplicates(facts)
    if classes:
        findings += _findings_classes.of_classes(facts, classes, ignored)
    findings = _without_echoes(findings)
    findings += _other_errors(facts, findings)
    if not any(one.severity == _finding.FAULT for one in findings):
        # Where a fault explains why no samples were made, their error would say it
        # twice.
        texts = dict.fromkeys(map(str, errors))
        findings += [_finding.Finding("errors", _finding.FAULT, x) for x in texts]
    order = (_finding.FAULT, _finding.WARNING, _finding.NOTE)
    findings.sort(key=lambda one: order.index(one.severity))
    return Examination(findings, facts, tuple(classes), ignored, raw, colors)


def _check_sides(sides):
    if not isinstance(sides, dict):
        raise ValueError(
            '`sides` must be a dict such as {"train": samples, "val": samples}. '
            f"Received: {type(sides).__name__}."
        )
    for samples in sides.values():
        check_samples(samples, "__getitem__", "names", "classes", "files")


def _without_echoes(findings):
    """Findings without those that follow from another one."""
    kinds = {one.kind for one in findings}
    left = []
    for one in findings:
        is_first = one.kind == "empty classes" and len(one.names) == 1
        is_echo = "from one" in kinds and is_first
        no_classes = one.kind in ("nothing", "empty classes")
        if not is_echo and not ("black and white" in kinds and no_classes):
            left.append(one)
    return left


def _of_masks(facts, colors, ignored, names):
    """Findings about masks as they are stored."""
    if colors:
        return list(_findings_table.of_table(facts, colors))
    stored = list(_findings_stored.of_stored(facts))
    told = {name for one in stored for name in one.names}
    left = [one for one in facts if one.name not in told]
    return stored + list(_findings.of_masks(left, ignored, names))


def _measured(jobs, raw, on_progress):
    """Facts of all jobs, pairs of facts and a function that reads the sample."""

    def look(job):
        one, read = job
        is_image = one.mask is not None and one.mask.suffix.lower() in EXTENSIONS
        return measure(one, read, raw if is_image else False)

    facts = []
    # Decoders work outside Python's lock; more than 8 wait for the disk.
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for one in pool.map(look, jobs):
            facts.append(one)
            if on_progress:
                on_progress(len(facts), len(jobs))
    return facts


def _image(path):
    """The path of an image file; None of anything else, such as a page of a stack."""
    is_image = path is not None and path.suffix.lower() in EXTENSIONS
    return path if is_image else None


def _other_errors(facts, findings):
    """A finding about samples whose error no other finding explains."""
    told = {f.kind for f in findings if f.severity == _finding.FAULT}
    named = {name for one in findings for name in one.names}
    left = [
        f
        for f in facts
        if "sample" in f.errors and not f.errors.keys() & {"image", "mask"}
    ]
    left = [f for f in left if f.name not in named or not told]
    if left:
        yield _finding.Finding(
            "errors",
            _finding.FAULT,
            f"{_finding.count(left, 'sample')} cannot be used, such as: "
            f"{left[0].errors['sample']}",
            [f.name for f in left],
        )


ALONE = (  # files without a partner: kind, severity, what they are, and the fix
    (
        "no label",
        _finding.FAULT,
        "image",
        "without a mask",
        "Add the masks, or move the images away",
    ),
    (
        "no image",
        _finding.WARNING,
        "mask",
        "without an image, left out",
        "Add the images, or delete the masks",
    ),
    (
        "second masks",
        _finding.WARNING,
        "picture",
        "neither image nor mask of a sample, left out",
        "Several masks of one image: join them, or make masks/CLASS/ of them",
    ),
)


def _partners(root):
    """Findings about files without a partner, and (name, side, image, mask) of all."""
    pairs, images, masks, others = [], [], [], []
    sides = _splits.listed_sides(root)
    for split in (None, *_layout.SPLITS):
        try:
            folders = _layout.find_folders(root, split)
        except ImageError:
            continue
        if folders is None or (split is None and pairs):
            continue
        # Images and masks in one folder, told apart by their endings.
        if folders[0] == folders[1]:
            stored = image_files(folders[0])
            found, paired = _layout.pair_beside(stored)
            left = {}
            known = {p for some in (found, paired) for ps in some.values() for p in ps}
            others += [p for ps in stored.values() for p in ps if p not in known]
        else:
            found, left = (image_files(folder) for folder in folders)
            paired = _layout.match(found, left)
        used = {path for paths in paired.values() for path in paths}
        masks += [p for paths in left.values() for p in paths if p not in used]
        for name, paths in sorted(found.items()):
            mask = paired.get(name)
            if not mask:
                images.append(paths[0])
                continue
            side = split or sides.get(name, "train")
            pairs.append((name, side, paths[0], mask[0]))
    found = {"no label": images, "no image": masks, "second masks": others}
    findings = [
        _finding.Finding(
            kind,
            severity,
            f"{_finding.count(found[kind], thing)} {text}",
            [path.name for path in found[kind]],
            fix,
        )
        for kind, severity, thing, text, fix in ALONE
        if found[kind]
    ]
    return findings, pairs
