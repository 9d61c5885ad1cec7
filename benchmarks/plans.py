"""Plans beside hand-made recipes, trained for equally many minutes.

Run, with nothing beside it: python -m benchmarks.plans ROOT --minutes 15 [ROW ...]

ROOT holds a folder for each data set. The plan is `kerasseg train --minutes N`, trials
included; the recipe of the zoo has as many steps as fit into the same minutes, its
epochs and schedule as they are. Published weights of the data set are kept out of both.
Both are scored on the same validation images: as they are, and the plan as it chose
(thresholds and flips by these images, which makes that score slightly too good).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

from benchmarks.record import record, recorded
from kerasseg import machine, recipes

ZOO = pathlib.Path(__file__).parents[1] / "zoo"
# Row: recipe, and options of the plan beside --data, by which it reads the same splits.
ROWS = {
    "isbi2012": ("unet_plain_isbi2012", ["--format", "isbi2012"]),
    "chase_db1": ("unet_plain_chase_db1", ["--format", "chase_db1"]),
    "fruits_nuts": (
        "yolact_efficientnet_lite0_fruits_nuts",
        ["--format", "coco", "--set", "data.val_fraction=0.5"],
    ),
    "magnetic_tile": (
        "unet_efficientnet_lite0_magnetic_tile",
        ["--format", "magnetic_tile"],
    ),
    "camvid": ("deeplab_v3_plus_efficientnet_lite0_camvid", ["--format", "camvid"]),
    "dsb2018": (
        "unet_efficientnet_lite0_dsb2018",
        ["--format", "dsb2018", "--task", "semantic"],
    ),
    "dsb2018 objects": (
        "mask_rcnn_efficientnet_lite0_dsb2018",
        ["--format", "dsb2018", "--task", "instances"],
    ),
    "davis dog": (
        "unet_efficientnet_lite0_davis",
        [
            "--format",
            "davis",
            "--set",
            "data.film=dog",
            "--set",
            "data.train=first",
            "--set",
            "data.val=first",
        ],
    ),
}
KNOWN = {"chase_db1": "vessels", "dsb2018 objects": "nuclei"}  # weights of these data
SPLITS = {"davis dog": "rest"}  # that are scored, where it is not "val"
MEASURES = ("mask_ap", "mean_iou")
TITLE = "plans of "  # of the entries in results.json
START_S = 20  # to import TensorFlow, check the data, and write pictures
TRIAL_S = 20


def title(minutes):
    """Name of the entry in results.json."""
    return f"{TITLE}{minutes:g} minutes"


def row(name, root, minutes, out):
    """Train and score both; returns the row of results.json."""
    recipe, options = ROWS[name]
    data = pathlib.Path(root) / name.split()[0]
    if name in KNOWN:
        options = [*options, "--set", 'train.init=""']
    planned, made = out / "plan", out / "recipe"
    plan_s = _train(["--minutes", f"{minutes:g}", *options], data, planned)
    path = ZOO / recipe / "recipe.toml"
    more = [text for text in options if text.startswith("data.")]
    steps = _fitting_steps(path, data, minutes, more)
    more.append(f"train.steps_per_epoch={steps}")
    more = [word for text in more for word in ("--set", text)]
    recipe_s = _train([str(path), *more], data, made)
    model = recipes.read(planned / "recipe.toml")["model"]
    split = SPLITS.get(name, "val")
    found = {
        "plan_as_chosen": _score(planned, data, split),
        "recipe_score": _score(made, data, split),
    }
    (planned / "chosen.json").rename(out / "chosen.json")
    return {
        **found,
        "plan_score": _score(planned, data, split),
        "planned": f"{model['architecture']} {model.get('encoder', '')}".strip(),
        "recipe": recipe,
        "plan_minutes": plan_s / 60,
        "recipe_minutes": recipe_s / 60,
    }


def _train(arguments, data, out):
    """Seconds of `kerasseg train` from its start to its end."""
    start = time.monotonic()
    _kerasseg("train", *arguments, "--data", data, "--out", out)
    return time.monotonic() - start


def _score(run, data, split):
    """The first of `MEASURES` that `kerasseg evaluate` prints."""
    where = "--data", data, "--split", split
    text = _kerasseg("evaluate", "--run", run, *where, "--out", run, "--json")
    found = json.loads(text)
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
    options = parser.parse_args()
    machine.use_onednn()
    out = pathlib.Path(options.out) / f"{options.minutes:g}"
    for name in options.rows or ROWS:
        one = row(name, options.root, options.minutes, out / name.replace(" ", "_"))
        rows = {**recorded(title(options.minutes)).get("rows", {}), name: one}
        record(title(options.minutes), {"rows": rows}, show=False)
        print(name, one, flush=True)


if __name__ == "__main__":
    main()
