"""The layers of the house: who may import whom, and what stays light.

Imports inside functions count, too.
"""

import ast
import functools
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1] / "kerasseg"
HEAVY = {"tensorflow", "keras"}
# From the lowest to the highest: what each part may import from kerasseg, and does.
# "kerasseg" itself holds the version, and loads its parts when they are used.
ALLOWED = {
    "names": set(),
    "files": set(),
    "machine": set(),
    "kerasseg": {"machine", "names"},
    "losses": {"machine", "names"},
    "augment": {"names"},
    "images": {"files", "names"},
    "viz": {"images"},
    "classical": {"images"},
    "crf": {"images"},
    "instance": {"names"},
    "video": {"files", "images"},
    "metrics": {"images", "instance", "losses", "video"},
    "datasets": {"images", "instance", "names"},
    "weights": {"files", "names"},
    "layers": {"machine"},
    "blocks": {"layers"},
    "encoders": {"blocks", "layers", "names", "weights"},
    "detection": {"names"},
    "zoo": {"blocks", "detection", "encoders", "layers", "losses", "names", "weights"},
    "loading": {"names", "weights", "zoo"},
    "data": {"augment", "detection", "images", "instance", "names"},
    "training": {"files", "machine", "names"},
    "predict": {
        "crf",
        "detection",
        "files",
        "images",
        "instance",
        "machine",
        "names",
        "viz",
    },
    "tasks": {
        "files",
        "data",
        "detection",
        "images",
        "instance",
        "losses",
        "metrics",
        "names",
        "predict",
        "training",
        "video",
        "viz",
    },
    "evaluate": {"files", "images", "machine", "names", "tasks"},
    "export": {"kerasseg", "names", "predict", "tasks", "viz"},
    "report": {"tasks"},
    "recipes": {"augment", "datasets", "images", "names", "tasks", "training", "zoo"},
    "runs": {
        "data",
        "datasets",
        "evaluate",
        "export",
        "files",
        "images",
        "layers",
        "machine",
        "names",
        "predict",
        "recipes",
        "training",
        "video",
        "viz",
        "weights",
        "zoo",
    },
    "plan": {
        "datasets",
        "evaluate",
        "images",
        "machine",
        "recipes",
        "runs",
        "weights",
    },
    "tune": {"files", "names", "recipes", "runs"},
    "profiling": {
        "augment",
        "data",
        "datasets",
        "encoders",
        "layers",
        "losses",
        "machine",
        "names",
        "training",
        "zoo",
    },
    "serving": {"images", "tasks"},
    "demo": {"classical", "files", "images", "instance", "predict", "viz"},
    "cli": {
        "classical",
        "demo",
        "datasets",
        "files",
        "images",
        "machine",
        "names",
        "plan",
        "profiling",
        "recipes",
        "report",
        "runs",
        "serving",
        "tasks",
        "tune",
        "viz",
        "weights",
    },
    "__main__": {"cli"},
}
# The house had 40 parts and 110 arrows between them before tasks came, 32 and 109 with
# them; four more came with weights by name, one with reports. Clips are a part of their
# own: frames are read for prediction and for metrics, and both follow what moves. So is
# the page of `demo`, between the command line and what segments, and plans, above runs,
# with 9 arrows. Runs label images themselves, by `predict`, and ask it for engines.
# `tune` is an extra above all of them, and `serving` one beside `demo`. Losses look at
# labels within graphs by `machine`, as layers look at images. What samples must have is
# asked by `names` alone, from `data` and `evaluate`, and what a confusion matrix is by
# `images`, from `metrics` and `viz`.
MOST_PARTS, MOST_ARROWS = 37, 148
# Importing these loads neither TensorFlow nor Keras.
LIGHT = {"names", "files", "images", "viz", "classical", "crf", "weights", "datasets"}
LIGHT |= {
    "video",
    "recipes",
    "cli",
    "loading",
    "machine",
    "instance",
    "tasks",
    "kerasseg",
}


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def targets(nodes):
    """Dotted names that import statements among nodes name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name their package: `from kerasseg...`"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(target):
    """The file of kerasseg that an import reaches, or None."""
    names = target.split(".")
    if names[0] != "kerasseg":
        return None
    while names:
        path = ROOT.parent.joinpath(*names)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
        names.pop()
    return None


def part_of(path):
    name = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "kerasseg" if name == "__init__" else name


def reached(path):
    """Files of kerasseg that a file imports, anywhere in it."""
    found = {module_of(target) for target in targets(ast.walk(tree(path)))}
    return found - {None, path}


FILES = sorted(ROOT.rglob("*.py"))


def arrows():
    return {
        (part_of(path), part_of(other))
        for path in FILES
        for other in reached(path)
        if part_of(path) != part_of(other)
    }


def test_each_part_imports_what_the_table_says_and_nothing_higher():
    found = {part: set() for part in ALLOWED}
    for part, other in arrows():
        found[part].add(other)
    assert found == ALLOWED
    order = list(ALLOWED)
    for part, others in ALLOWED.items():
        assert all(order.index(other) < order.index(part) for other in others), part


def test_the_house_has_few_parts_and_arrows():
    assert len({part_of(path) for path in FILES}) <= MOST_PARTS
    assert len(arrows()) <= MOST_ARROWS


def test_no_circle_of_files():
    done, path = set(), []

    def visit(file):
        if file in path:
            circle = [str(x.relative_to(ROOT)) for x in path[path.index(file) :]]
            raise AssertionError(f"circle: {' -> '.join(circle)}")
        if file not in done:
            path.append(file)
            for other in sorted(reached(file)):
                visit(other)
            done.add(path.pop())

    for file in FILES:
        visit(file)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_reaches_modules_but_by_importing_them(path):
    """Reflection would be an arrow that no import shows."""
    nodes = list(ast.walk(tree(path)))
    parents = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
    for node in nodes:
        name = getattr(node, "attr", getattr(node, "id", None))
        if name == "modules" and ast.unparse(node) == "sys.modules":
            asked = parents[node]  # whether TensorFlow or a notebook is there
            assert isinstance(asked, ast.Compare), f"line {node.lineno}"
            assert asked.left.value in {*HEAVY, "ipykernel"}, f"line {node.lineno}"
        # A package loads its own modules on first use, by this function alone.
        if name in ("import_module", "__import__"):
            assert path == ROOT / "names.py", f"line {node.lineno}"
        if name == "lazy" and isinstance(parents[node], ast.Call):
            assert parents[node].args[0].id == "__name__", f"line {node.lineno}"
        assert name != "getmodule", f"line {node.lineno}"


@pytest.mark.parametrize("part", sorted(LIGHT))
def test_light_parts_import_neither_tensorflow_nor_keras(part):
    for path in (path for path in FILES if part_of(path) == part):
        heavy = {target.split(".")[0] for target in targets(tree(path).body)} & HEAVY
        assert not heavy, f"{path}: {heavy}"


@pytest.mark.parametrize(
    "code",
    [
        "import kerasseg",
        "import kerasseg.classical, kerasseg.crf, kerasseg.predict.options",
        "from kerasseg.instance import instances, masks, polygons, rle",
        "from kerasseg.instance import panoptic, star_distances, star_polygons",
        "from kerasseg.cli import main; main(['list'])",
        "from kerasseg.cli import main\n"
        "try: main(['classical', 'slic', '--help'])\nexcept SystemExit: pass",
        "from kerasseg.cli import main; from kerasseg import datasets\n"
        "try: main(['convert', '--help'])\nexcept SystemExit: pass",
        "from kerasseg.cli import main\n"
        "try: main(['predict', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_start_up_loads_no_tensorflow(code):
    check = "\nimport sys; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + check], check=True)
