"""Architectures, encoders and data sets of installed packages, by entry points."""

import subprocess
import sys

import pytest

from kerasseg import zoo  # before the package of this test is installed
from kerasseg.names import Table, added

MODULE = '''
from kerasseg import blocks, datasets, zoo
from kerasseg.zoo._builder import builder

@builder()
def my_net(
    num_classes, encoder="tiny", *, encoder_weights=None, input_shape, weights=None
):
    """The U-Net, by another name.

    Reference: none.
    """
    return zoo.unet(num_classes, encoder, input_shape=input_shape)

def my_data(root=None, split="train"):
    return datasets.shapes(4, size=32)

number = 7
'''
POINTS = """[kerasseg.zoo]
my_net = my_package:my_net
unet = my_package:my_net
[kerasseg.datasets]
my_data = my_package:my_data
missing = my_package:nothing
number = my_package:number
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    (tmp_path / "my_package.py").write_text(MODULE)
    facts = tmp_path / "my_package-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\n")
    (facts / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_package", raising=False)
    return tmp_path


def test_functions_are_found_by_name_and_imported_when_asked_for(installed):
    table = Table({"unet": len}, "kerasseg.zoo", "task")
    assert "my_net" in table and sorted(table) == ["my_net", "unet"]
    assert table["unet"] is len  # our own names win
    assert "my_package" not in sys.modules
    assert table["my_net"].task == "semantic"
    assert dict(table)["my_net"] is table.get("my_net")


@pytest.mark.parametrize("name", ["missing", "number"])
def test_a_wrong_entry_names_its_package(installed, name):
    with pytest.raises(ImportError, match="my-package"):
        Table({}, "kerasseg.datasets")[name]
    with pytest.raises(ImportError, match=r"must be a function|task|fails"):
        Table({}, "kerasseg.datasets", "traits")["my_data"]


def test_nothing_is_added_without_packages():
    assert added("kerasseg.zoo") == []
    assert {*zoo.BUILDERS} == {*zoo.OWN}


RECIPE = """
[model]
architecture = "my_net"
[data]
dataset = "my_data"
[augment]
size = [32, 32]
[train]
epochs = 1
steps_per_epoch = 1
batch_size = 2
"""


@pytest.mark.slow
def test_recipes_and_the_command_line_know_them(installed):
    recipe = installed / "recipe.toml"
    recipe.write_text(RECIPE)
    code = f"""
import sys
sys.path.insert(0, {str(installed)!r})
import my_package  # first: it imports kerasseg while it is half imported itself
from kerasseg import cli
assert cli.main(["list"]) == 0
assert cli.main(["train", {str(recipe)!r}, "--data", ".", "--out", "run"]) == 0
"""
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    zoo = next(line for line in found.stdout.splitlines() if line.startswith("zoo: "))
    assert "my_net" in zoo and "my_data" in found.stdout
