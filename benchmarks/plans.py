"""Plans beside hand-made recipes, trained for equally many minutes.

Run, with nothing beside it: python -m benchmarks.plans ROOT --minutes 15 [ROW ...]

ROOT holds a folder for each data set. The plan is `kerasseg train --minutes N`, trials
included; the recipe of the zoo has as many steps as fit into the same minutes, its
epochs and schedule as they are. Published weights of the data set are kept out of both.
Both are scored on the same validation images: as they are, and the plan as it chose
(thresholds and flips by these images, which makes that score slightly too good).

With --recorded, recipes are not trained again: the score and minutes are those of the
zoo's results.json, a bar that is higher where that training was longer, and that says
little where it was shorter or on a slower machine.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from typing import NamedTuple

from benchmarks.record import record, recorded
from kerasseg import machine, recipes

ZOO = pathlib.Path(__file__).parents[1] / "zoo"


class Row(NamedTuple):
    """A recipe, and by which options a plan reads the same data.

    Attributes:
        recipe: name in the zoo.
        form: of the data; None for that of the folder's name.
        task: of the plan; None for the one that it tells by the data.
        sets: options of --set, for both.
        split: that is scored.
        is_known: whether published weights were trained on these data.
    """

    recipe: str
    form: str | None = None
    task: str | None = None
    sets: tuple = ()
    split: str = "val"
    is_known: bool = False


ROWS = {
    "isbi2012": Row("unet_plain_isbi2012"),
    "chase_db1": Row("unet_efficientnet_lite0_chase_db1", is_known=True),
    "fruits_nuts": Row(
        "mask_rcnn_efficientnet_lite0_fruits_nuts",
        form="coco",
        sets=("data.val_fraction=0.5",),
    ),
    "magnetic_tile": Row("unet_efficientnet_lite0_magnetic_tile"),
    "camvid": Row("deeplab_v3_plus_efficientnet_lite0_camvid"),
    "dsb2018": Row("unet_efficientnet_lite0_dsb2018", task="semantic"),
    "dsb2018 objects": Row(
        "mask_rcnn_efficientnet_lite0_dsb2018", task="instances", is_known=True
    ),
    "davis dog": Row(
        "unet_efficientnet_lite0_davis",
        sets=("data.film=dog", "data.train=first", "data.val=first"),
        split="rest",
    ),
}
MEASURES = ("mask_ap", "mean_iou")
TITLE = "plans of "  # of the entries in results.json
START_S = 20  # to import TensorFlow, check the data, and write pictures
TRIAL_S = 20


def title(minutes):
    """Name of the entry in results.json."""
    return f"{TITLE}{minutes:g} minutes"


def measure(name, root, minutes, out, is_recorded=False):
    """Train and score both; returns the row of results.json."""
    row, folder = ROWS[name], name.split()[0]
    data, planned = pathlib.Path(root) / folder, out / "plan"
    other = _of_zoo(row) if is_recorded else None  # refused before anything is trained
    options = ["--minutes", f"{minutes:g}", "--format", row.form or folder]
    options += ["--task", row.task] if row.task else []
    fair = ('train.init=""',) if row.is_known else ()
    plan_s = _train([*options, *_set(*row.sets, *fair)], data, planned)
    other = other or _trained(row, data, minutes, out / "recipe")
    model = recipes.read(planned / "recipe.toml")["model"]
    as_chosen = _score(planned, data, row.split)
    (planned / "chosen.json").rename(out / "chosen.json")
    return {
        **other,
        "plan_as_chosen": as_chosen,
        "plan_score": _score(planned, data, row.split),
        "planned": f"{model['architecture']} {model.get('encoder', '')}".strip(),
        "recipe": row.recipe,
        "plan_minutes": plan_s / 60,
    }


def _trained(row, data, minutes, out):
    """Score and minutes of the recipe, trained here for as long as the plan."""
    path = ZOO / row.recipe / "recipe.toml"
    steps = _fitting_steps(path, data, minutes, row.sets)
    length = f"train.steps_per_epoch={steps}"
    seconds = _train([path, *_set(*row.sets, length)], data, out)
    return {
        "recipe_score": _score(out, data, row.split),
        "recipe_minutes": seconds / 60,
    }


def _of_zoo(row):
    """Score and minutes of the recipe as the zoo has them."""
    found = json.loads((ZOO / row.recipe / "results.json").read_text())
    return {
        "recipe_score": _first(found),
        "recipe_minutes": found["training"]["seconds"] / 60,
    }


def _set(*texts):
    return [word for text in texts for word in ("--set", text)]


def _train(arguments, data, out):
    """Seconds of `kerasseg train` from its start to its end."""
    start = time.monotonic()
    _kerasseg("train", *arguments, "--data", data, "--out", out)
    return time.monotonic() - start


def _score(run, data, split):
    """The first of `MEASURES` that `kerasseg evaluate` prints."""
    where = "--data", data, "--split", split
    text = _kerasseg("evaluate", "--run", run, *where, "--out", run, "--json")
    return _first(json.loads(text))


def _first(found):
    return next(found[key] for key in MEASURES if found.get(key) is not None)


def _kerasseg(*words):
    command = [sys.executable, "-m", "kerasseg", *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _fitting_steps(path, data, minutes, overrides):
    """Steps per epoch of a recipe, so that all of it takes so many minutes."""
    from kerasseg.plan import trial

    recipe = recipes.read(path, overrides)
    samples = {x: recipes.build_samples(recipe, data, x) for x in ("train", "val")}
    found = trial.run(recipe, samples, seconds=TRIAL_S)
    epochs = recipe["train"]["epochs"]
    seconds = 60 * minutes - START_S - found.setup_s
    seconds -= (epochs + 1) * found.image_s * len(samples["val"])
    return max(int(seconds / found.step_s / epochs), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("root", help="folder of data sets")
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--out", default="plans", help="folder for the runs")
    words = "compare with the recipe's results in the zoo"
    parser.add_argument("--recorded", action="store_true", help=words)
    options = parser.parse_args()
    machine.use_onednn()
    out = pathlib.Path(options.out) / f"{options.minutes:g}"
    for name in options.rows or ROWS:
        place = out / name.replace(" ", "_")
        one = measure(name, options.root, options.minutes, place, options.recorded)
        rows = {**recorded(title(options.minutes)).get("rows", {}), name: one}
        record(title(options.minutes), {"rows": rows}, show=False)
        print(name, one, flush=True)


if __name__ == "__main__":
    main()
