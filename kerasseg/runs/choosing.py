"""Options of prediction that a run chooses for itself after its training."""

import pathlib

from kerasseg import files, recipes
from kerasseg.runs.folder import CHOSEN, load

MOST_IMAGES = 24  # evenly spread over the validation samples


def choose(run, samples):
    """Choose options of prediction by the best weights of a run; write chosen.json.

    The scores of these images are then slightly too good. Options that the recipe gives
    in [predict] stay as they are, and so does a chosen.json that is there already.

    Args:
        run: run folder with weights.
        samples: validation Samples.

    Returns:
        dict of options; empty where nothing was to be chosen.
    """
    from kerasseg import evaluate

    run = pathlib.Path(run)
    if (run / CHOSEN).is_file():
        return {}
    model, recipe, _ = load(run, 0.0)
    task = recipes.task_of(recipe)
    options = task.make_options(recipe["predict"])
    num = min(len(samples), MOST_IMAGES)
    some = samples.subset([i * len(samples) // num for i in range(num)])
    scaled = evaluate.Scaled(some, options)
    trained = recipes.with_flips(recipe)
    found, tried = task.choose(task, model, scaled, options, trained)
    found = {key: x for key, x in found.items() if key not in recipe["predict"]}
    files.write_json(run / CHOSEN, {"options": found, "images": num, "tried": tried})
    return found
