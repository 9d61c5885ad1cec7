"""Images of an evaluation that its models were trained on."""

import os

from kerasseg import recipes
from kerasseg.runs.folder import read


def doubts(runs, samples, root, split):
    """Sentences about runs that know some of the images by which they are scored.

    Args:
        runs: run folders, whose models are averaged where they are several.
        samples: Samples of the evaluation.
        root: folder of the data; None for that of the first run.
        split: that `samples` are of.

    Returns:
        list of str. None of a run alone on the images it was validated on, which are
        others by construction, and of images that are drawn, not read.
    """
    if len(runs) == 1 and split == "val":
        return []
    root = root or read(runs[0])[1]["root"]
    if root is None:
        return []
    found = []
    for run in runs:
        recipe, facts = read(run)
        if facts["root"] is None or not os.path.isdir(facts["root"]):
            continue
        if os.path.realpath(facts["root"]) != os.path.realpath(root):
            continue
        data = {key: x for key, x in recipe["data"].items() if key != "pseudo"}
        known = recipes.build_samples({**recipe, "data": data}, facts["root"], "train")
        if num := len(_identities(known) & _identities(samples)):
            found.append(
                f"{run} was trained on {num} of the {len(samples)} images: the score "
                "says little about new ones."
            )
    return found


def _identities(samples):
    """What tells samples apart: their files, or their names where they have none."""
    if found := getattr(samples, "files", None):
        return {os.path.abspath(image) for image, *_ in found}
    return {*samples.names}
