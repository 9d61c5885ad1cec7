"""Put the best weights of a run into the store of published weights, as float16.

    python scripts/publish.py runs/mine NAME

Writes kerasseg/weights/store/NAME.npz and prints its entry for
kerasseg/weights/catalog.toml, where the licence, the data and what it is bad at are
still to be said.
"""

import argparse
import hashlib
import json

from kerasseg import files, recipes, runs
from kerasseg.weights import catalog, named_variables
from kerasseg.weights.npz import write_half

MAX_BYTES = 5_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run")
    parser.add_argument("name")
    arguments = parser.parse_args()
    model, recipe, facts = runs.load(arguments.run)
    path = catalog.STORE / f"{arguments.name}.npz"
    files.replace(path, lambda part: write(model, part))
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise SystemExit(f"{path} has {len(data)} bytes, at most {MAX_BYTES} are kept.")
    print(entry(arguments.name, recipe, facts, data))


def write(model, path):
    """Write all variables as float16, and tell which stay float32."""
    arrays = {name: x.numpy() for name, x in named_variables(model).items()}
    for name, num in write_half(arrays, path).items():
        print(f"kept as float32: {name}, {num} of {arrays[name].size} values")


def entry(name, recipe, facts, data):
    """The entry as TOML."""
    task = recipes.task_of(recipe)
    options = task.model_options(recipe, facts["classes"], facts["channels"])
    options |= recipe["model"]
    options.pop("input_shape", None)
    lines = {
        "task": task.name,
        "architecture": options.pop("architecture"),
        "encoder": options.pop("encoder", None),
        "classes": facts["classes"],
        "colors": facts["colors"],
        "stored": f"{name}.npz",
        "sha256": hashlib.sha256(data).hexdigest(),
        "megabytes": round(len(data) / 1e6, 2),
        "channels": facts["channels"] if facts["channels"] != 3 else None,
        "options": {key: x for key, x in options.items() if key != "encoder_weights"},
        "predict": recipe["predict"],
        "dataset": recipe["data"],
    }
    lines = [f"{key} = {toml(x)}" for key, x in lines.items() if x is not None]
    return "\n".join([f"[weights.{name}]", *lines])


def toml(value):
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {toml(x)}' for key, x in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


if __name__ == "__main__":
    main()
