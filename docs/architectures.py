"""The page of architectures; as a program it measures and draws them, to be kept.

python docs/architectures.py          # all of them: some minutes
python docs/architectures.py unet     # one of them

One that was not kept is measured and drawn whenever the site is built.
"""

import contextlib
import inspect
import json
import os
import pathlib
import sys
import tomllib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import diagrams
import keras

from kerasseg import profiling, recipes, tasks, zoo
from kerasseg.names import parameters

COSTS = pathlib.Path(__file__).with_name("architectures") / "costs.json"
CLASSES = 21  # those of PASCAL VOC, as in most papers
INTRODUCTION = f"""# Architectures

Each is a function of [`kerasseg.zoo`](api/zoo.md); `kerasseg info NAME --encoder
ENCODER` says the same of any pair. Parameters and operations (multiply-adds count as
two) are those of the default encoder, {CLASSES} classes (StarDist has none) and images
of {diagrams.SIZE} x {diagrams.SIZE}.

Diagrams are drawn from the models: a box is a stage of layers, its second line the
resolution and the channels; green boxes are taps of the encoder, blue ones outputs, and
lower is coarser. On a phone, move them sideways.
"""
HEAD = ("| architecture | default encoder | parameters | GFLOPs |", "|---|---|---|---|")


def build(name):
    """Model of an architecture as the page shows it."""
    known = parameters(zoo.BUILDERS[name])
    options = {"num_classes": CLASSES} if "num_classes" in known else {}
    size = (diagrams.SIZE, diagrams.SIZE)
    # Models of objects have one image size.
    options |= (
        {"image_size": size} if "image_size" in known else {"input_shape": (*size, 3)}
    )
    return zoo.BUILDERS[name](**options)


def measured(name):
    """Cost and diagram of an architecture."""
    model, gflops = build(name), None
    with contextlib.suppress(ValueError):  # heads that run at several sizes
        gflops = round(profiling.gflops(model), 3)
    drawn = {"parameters": model.count_params(), "gflops": gflops}, diagrams.svg(model)
    keras.backend.clear_session()  # frees the weights
    return drawn


def kept():
    """Costs of the architectures whose diagrams are kept, by name."""
    return json.loads(COSTS.read_text(encoding="utf-8"))


def page(costs):
    """Text of the page, from costs of all architectures, docstrings and recipes."""
    lines, sections = [INTRODUCTION, *HEAD], []
    used = recipes_by_architecture()
    for task in reversed(tasks.TASKS.values()):  # semantic ones, the most, first
        title = task.about.capitalize()
        lines.append(f"| **{title}** | | | |")
        sections += ["", f"## {title}"]
        for name in zoo.names(task.name):
            encoder, cost = parameters(zoo.BUILDERS[name])["encoder"], costs[name]
            cells = f"[{name}](#{name})", encoder, f"{cost['parameters']:,}"
            lines.append(f"| {' | '.join(cells)} | {words(cost['gflops'])} |")
            sections += section(name, used.get(name, []))
    return "\n".join([*lines, *sections, ""])


def section(name, used):
    """Lines about one architecture and the recipes that use it."""
    builder = zoo.BUILDERS[name]
    text = inspect.getdoc(builder)
    _, _, reference = text.partition("Reference: ")
    address = f"api/zoo.md#{builder.__module__}.{name}"
    picture = f"![Stages of {name}](architectures/{name}.svg)"
    lines = [f"### {name}", f"{text.splitlines()[0]} [`zoo.{name}`]({address})"]
    lines.append(f'<div class="diagram" markdown>{picture}</div>')
    if reference:
        lines.append("Paper: " + " ".join(reference.split("\n\n")[0].split()))
    if used:
        lines.append(f"Recipes: {', '.join(f'`{recipe}`' for recipe in sorted(used))}")
    return [part for line in lines for part in ("", line)]


def recipes_by_architecture():
    """Names of recipes, dict by architecture."""
    found = {}
    for name, path in recipes.named().items():
        model = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
        found.setdefault(model["architecture"], []).append(name)
    return found


def words(gflops):
    """GFLOPs as the table shows them; heads that run at several sizes have none."""
    if gflops is None:
        return "-"
    return f"{gflops:,.1f}" if gflops < 10 else f"{gflops:,.0f}"


def main(names):
    costs = kept() if names else {}
    for name in names or zoo.BUILDERS:
        costs[name], picture = measured(name)
        COSTS.with_name(f"{name}.svg").write_text(picture, encoding="utf-8")
    text = json.dumps(dict(sorted(costs.items())), indent=1)
    COSTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
