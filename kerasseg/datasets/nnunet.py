"""nnU-Net and the Medical Decathlon: imagesTr, labelsTr and dataset.json."""

import functools
import json
import pathlib
import re

import numpy as np

from kerasseg.datasets import _json, _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder, read_image, read_mask


def _found(root):
    base = _pairs.find_parent(root, "imagesTr", "labelsTr")
    if base is None or not _sniff.images_of(base / "labelsTr"):
        return None
    return (
        "imagesTr/ and labelsTr/"
        + " and dataset.json" * (base / "dataset.json").is_file()
    )


@reads("nnU-Net", _found)
def nnunet(root, split=None, *, ignore_label=255, val_fraction=0.2):
    """Images in the folders of nnU-Net, as PNG or TIFF; volumes are not read.

    `imagesTr/CASE_0000.png` belongs to `labelsTr/CASE.png`; several channels of a case,
    `_0000`, `_0001`, ..., become the bands of one image. Classes are the `labels` of
    `dataset.json`, {"name": id} or {"id": "name"}; one called "ignore" is ignored.

    Args:
        root: folder, or one above it.
        split: None for all of imagesTr, "train" or "val" by rule as in `folder`, "test"
            for imagesTs where labelsTs is there.
        ignore_label: id of ignored pixels.
        val_fraction: share of the cases in "val".

    Returns:
        Samples of `image` [H, W, C] and `label` int32 [H, W].

    Raises:
        ImageError: if files are missing or broken.

    Reference: Isensee et al., 2021, https://doi.org/10.1038/s41592-020-01008-z
    """
    root = pathlib.Path(root)
    check_folder(root)
    base = _pairs.find_parent(root, "imagesTr", "labelsTr")
    if base is None:
        raise ImageError(root, "imagesTr and labelsTr", "not both", "Check the path")
    end = "Ts" if split == "test" else "Tr"
    labels = _pairs.by_stem(_sniff.images_of(base / f"labels{end}"))
    channels = {}
    for path in _sniff.images_of(base / f"images{end}"):
        # The four digits number the channels, and stand even where there is one.
        case = re.sub(r"_\d{4}$", "", path.stem)
        channels.setdefault(path.stem if path.stem in labels else case, []).append(path)
    missing = sorted(set(labels) - set(channels))
    if missing or not labels:
        raise ImageError(
            base / f"images{end}",
            "an image for each label, CASE_0000 and CASE, as PNG or TIFF",
            f"{len(missing)} of {len(labels)} without: {', '.join(missing[:3])}",
            "Add the images, or move the labels away; slices of volumes must be PNG or "
            "TIFF",
        )
    names, mapped = _classes(base / "dataset.json", labels, ignore_label)
    read_label = functools.partial(read_mask, values=mapped)
    pairs = [Pair(case, channels[case][0], mask) for case, mask in labels.items()]
    read = functools.partial(_read, channels, read_label)
    return _pairs.make_samples(
        base,
        None if split == "test" else split,
        pairs,
        read,
        names,
        val_fraction=val_fraction,
        ignore_label=ignore_label,
    )


def _classes(path, masks, ignore_label):
    """Class names in the order of their ids, and the ids of the numbers in masks."""
    if not path.is_file():
        used = set()
        for mask in masks.values():
            used |= {*np.unique(read_mask(mask)).tolist()} - {ignore_label}
        return tuple(f"class {i}" for i in range(max(used, default=1) + 1)), None
    document = _json.load(path, form="nnU-Net's JSON")
    labels = document.get("labels") if isinstance(document, dict) else None
    ids = {}
    for key, value in labels.items() if isinstance(labels, dict) else ():
        # Version 1 wrote {"0": "background"}, version 2 {"background": 0}.
        name, number = (value, key) if isinstance(value, str) else (key, value)
        if not re.fullmatch(r"\d+", str(number)):
            _json.fail(
                path,
                "a whole number for each class, no regions",
                json.dumps({key: value}),
            )
        ids[int(number)] = name
    ignored = [number for number, name in ids.items() if name.lower() == "ignore"]
    names = [ids[number] for number in sorted(ids) if number not in ignored]
    if sorted(ids) != list(range(len(ids))) or len({*names}) < len(names) or not names:
        _json.fail(path, "labels 0, 1, 2, ... with different names", f"{labels}"[:90])
    mapped = {number: number for number in sorted(ids)}
    return tuple(names), mapped | dict.fromkeys([*ignored, ignore_label], ignore_label)


def _read(channels, read_label, pair):
    bands = [read_image(path, channels=None) for path in channels[pair.name]]
    sizes = {band.shape[:2] for band in bands}
    if len(sizes) > 1:
        raise ImageError(
            pair.image, "channels of one size", f"{sorted(sizes)}", "Export them again"
        )
    image = np.concatenate(bands, 2) if len(bands) > 1 else bands[0]
    label = read_label(pair.mask)
    _pairs.check_size(pair.image, image, pair.mask, label)
    return {"image": image, "label": label}
