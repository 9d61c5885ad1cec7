"""Images whose labels a model has made, beside those that people have labelled."""

import functools
import json
import pathlib

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
    try:
        found = json.loads((root / INDEX).read_text(encoding="utf-8"))
        paths = {
            str(name): pathlib.Path(path) for name, path in found["images"].items()
        }
        channels = int(found["channels"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(
            root,
            f"labels that a model has made, with their {INDEX}",
            str(error),
            "Make them by kerasseg train --unlabelled FOLDER",
        ) from error
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
    weights = [len(made) / len(samples)] * len(samples) + [1.0] * len(made)
    return samples.followed_by(made).with_weights(weights)


def _read(files, channels, index):
    image, label = files[index]
    return {"image": read_image(image, channels=channels), "label": read_mask(label)}
