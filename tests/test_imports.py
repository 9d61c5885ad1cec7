"""The layers of the house: who may import whom, and what stays light."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1] / "kerasseg"
HEAVY = {"tensorflow", "keras"}
# What each module or package of kerasseg may import from kerasseg.
ALLOWED = {
    "names": set(),
    "files": set(),
    "machine": set(),
    "images": {"files", "names"},
    "viz": {"names"},
    "classical": {"names"},
    "crf": {"names"},
    "weights": {"names"},
    "loading": {"weights"},
    "layers": {"machine", "names"},
    "blocks": {"layers", "names"},
    "encoders": {"blocks", "layers", "names", "weights"},
    "detection": {"layers", "names"},
    "instance": {"names"},
    "losses": {"names"},
    "zoo": {"blocks", "detection", "encoders", "layers", "losses", "names", "weights"},
    "metrics": {"instance", "names"},
    "datasets": {"images", "instance", "names"},
    "augment": {"names"},
    "data": {"augment", "detection", "instance", "names"},
    "training": {"files", "machine", "names"},
    "predict": {
        *("crf", "detection", "files", "images", "instance", "machine", "names"),
        "viz",
    },
    "evaluate": {"files", "instance", "machine", "metrics", "names", "predict", "viz"},
    "signatures": {"detection", "predict"},
    "export": {"names", "predict", "signatures", "viz"},
    "recipes": {"names"},
    "runs": {"machine", "names", "recipes", "training"},
    "profiling": {"layers", "machine"},
    "report": set(),
    "cli": {"machine"},
}
LIGHT = {"names", "files", "images", "viz", "classical", "crf", "weights", "datasets"}
LIGHT |= {"recipes", "cli", "loading", "machine", "instance"}


def imports(path):
    """Top-level import targets of a file; those inside functions do not count."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            if node.module == "kerasseg":
                yield from (f"kerasseg.{alias.name}" for alias in node.names)


def files(part):
    folder = ROOT / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{part}.py"]


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_lower_layers_do_not_import_higher_ones(part):
    for path in files(part):
        for target in imports(path):
            if target.startswith("kerasseg.") and target.split(".")[1] != part:
                assert target.split(".")[1] in ALLOWED[part], f"{path}: {target}"


@pytest.mark.parametrize("part", sorted(LIGHT))
def test_light_modules_import_neither_tensorflow_nor_keras(part):
    for path in files(part):
        heavy = {target.split(".")[0] for target in imports(path)} & HEAVY
        assert not heavy, f"{path}: {heavy}"


def test_the_table_names_every_module():
    modules = {path.stem for path in ROOT.glob("*.py")} - {"__init__", "__main__"}
    assert modules <= set(ALLOWED)


@pytest.mark.parametrize(
    "code",
    [
        "import kerasseg",
        "import kerasseg.classical, kerasseg.crf",
        "from kerasseg.instance import instances, masks, polygons, rle",
        "from kerasseg.instance import panoptic, star_distances, star_polygons",
        "from kerasseg.cli import main; main(['list'])",
        "from kerasseg.cli import main\n"
        "try: main(['classical', 'slic', '--help'])\nexcept SystemExit: pass",
        "from kerasseg.cli import main; from kerasseg import datasets\n"
        "try: main(['convert', '--help'])\nexcept SystemExit: pass",
        "from kerasseg.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_start_up_loads_no_tensorflow(code):
    check = "\nimport sys; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + check], check=True)
