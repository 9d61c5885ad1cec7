"""Images of an evaluation that its models were trained on."""

import os

from kerasseg import recipes
from kerasseg.runs.folder import read
from kerasseg.weights import catalog


def doubts(run, samples, root, split):
    """Sentences about runs that know some of the images by which they are scored.

    Args:
        run: as of `runs.evaluate`; of published weights nothing is known.
        samples: Samples of the evaluation.
        root: folder of the data; None for that of the first run.
        split: that `samples` are of.

    Returns:
        {"doubts": list of str}, or an empty dict: also of a run alone on the images it
        was validated on, which are others by construction, and of images that are
        drawn, not read.
    """
    if isinstance(run, catalog.Entry):
        return {}
    runs = run if isinstance(run, (list, tuple)) else [run]
    if len(runs) == 1 and split == "val":
        return {}
    root = root or read(runs[0])[1]["root"]
    if root is None:
        return {}
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
    return {"doubts": found} if found else {}


def _identities(samples):
    """Files of samples, or their names where they have none, to tell them apart."""
    if found := getattr(samples, "files", None):
        return {os.path.abspath(image) for image, *_ in found}
    return {*samples.names}
