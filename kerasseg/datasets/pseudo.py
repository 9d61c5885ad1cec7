"""Images whose labels a model has made, beside those that people have labelled."""

import functools
import json
import pathlib

import numpy as np

from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError, read_image, read_mask

INDEX = "index.json"


def with_pseudo_labels(samples, root):
    """Samples followed by images whose labels a model has made.

    Args:
        samples: Samples, the labelled ones.
        root: folder that `runs.pseudo.label` has written: index.json, {"images":
            {name: path}, "channels"}, and labels/NAME.png of class ids, 255 where the
            model was not sure.

    Returns:
        Samples, of which every second one that is drawn is labelled by people.

    Raises:
        ImageError: if the folder is none of these.
    """
    root = pathlib.Path(root)
    paths, channels = _read_index(root)
    if not paths:
        return samples
    names = tuple(paths)
    files = tuple((paths[name], root / f"labels/{name}.png") for name in names)
    made = Samples(
        tuple(f"pseudo/{name}" for name in names),
        functools.partial(_read, files, channels),
        samples.classes,
        samples.ignore_label,
        files=files,
        value_range=samples.value_range,
    )
    return keep_halves(samples.followed_by(made), root)


def keep_halves(samples, root):
    """Samples of `with_pseudo_labels` with weights by which halves are drawn again.

    Args:
        samples: Samples, with weights for what is rare in each half, or none.
        root: as in `with_pseudo_labels`.
    """
    num = len(samples) - len(_read_index(pathlib.Path(root))[0])
    weights = np.ones(len(samples)) if samples.weights is None else samples.weights
    halves = np.split(np.array(weights, float), [num])
    if not len(halves[1]):
        return samples
    halves[0] *= halves[1].sum() / halves[0].sum()
    return samples.with_weights(np.concatenate(halves))


def _read_index(root):
    """Paths of the images by name, and their channels."""
    try:
        found = json.loads((root / INDEX).read_text(encoding="utf-8"))
        paths = {
            str(name): pathlib.Path(path) for name, path in found["images"].items()
        }
        return paths, int(found["channels"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(
            root,
            f"labels that a model has made, with their {INDEX}",
            str(error),
            "Make them by kerasseg train --unlabelled FOLDER",
        ) from error


def _read(files, channels, index):
    image, label = files[index]
    return {"image": read_image(image, channels=channels), "label": read_mask(label)}
