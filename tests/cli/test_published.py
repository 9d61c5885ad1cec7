"""Published weights on the command line."""

import json
import pathlib
import zipfile

import numpy as np
import pytest

from kerasseg.cli import main
from kerasseg.images import read_mask, write_image
from kerasseg.weights import catalog
from tests.portraits import person, portrait


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    from kerasseg import datasets

    path = tmp_path_factory.mktemp("pictures") / "shapes.png"
    write_image(path, datasets.shapes(num=1, size=96, seed=5)[0]["image"])
    return path


def test_the_list_has_a_line_for_each(capsys):
    assert main(["weights"]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in catalog.names())
    assert main(["weights", "--task", "encoder", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["weights"]
    assert [row["name"] for row in rows] == catalog.names("encoder")


def test_one_is_described(capsys):
    assert main(["weights", "shapes", "--fetch"]) == 0
    printed = capsys.readouterr().out
    assert "classes: background, disc" in printed and "path: " in printed
    assert main(["weights", "shape"]) == 1
    assert "Did you mean 'shapes'" in capsys.readouterr().err


def test_a_first_mask_needs_no_training(tmp_path, picture, capsys):
    command = ["predict", str(picture), "--weights", "shapes", "--out", str(tmp_path)]
    assert main(command) == 0, capsys.readouterr().err
    mask = read_mask(tmp_path / "masks" / picture.name)
    assert mask.shape == (96, 96) and mask.any()
    assert "disc" in (tmp_path / "images.csv").read_text()


def test_people_are_found_without_a_network(tmp_path, capsys):
    write_image(tmp_path / "me.png", portrait(320))
    command = ["predict", str(tmp_path / "me.png"), "--weights", "people"]
    assert main([*command, "--out", str(tmp_path)]) == 0, capsys.readouterr().err
    mask, truth = read_mask(tmp_path / "masks" / "me.png") == 1, person(320)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.97
    assert "person" in (tmp_path / "images.csv").read_text()


def test_evaluation_gives_the_published_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--weights", "shapes"]) == 0
    results = json.loads((tmp_path / "evaluations/shapes/results.json").read_text())
    published = float(catalog.entry("shapes").metric.split()[-1])
    # One decimal is published; a processor with other kernels may round otherwise.
    assert abs(100 * results["mean_iou"] - published) < 0.1


def test_a_run_and_a_name_are_one_too_many(picture, capsys):
    assert main(["predict", str(picture), "--weights", "shapes", "--run", "x"]) == 1
    assert "either --run or --weights" in capsys.readouterr().err


def test_a_folder_of_another_library_is_segmented_by(tmp_path, capsys):
    files = pathlib.Path(__file__).parents[1] / "files"
    with zipfile.ZipFile(files / "stardist.zip") as file:
        file.extractall(tmp_path)
    with np.load(files / "stardist.npz") as file:
        write_image(tmp_path / "cells.png", file["1/image"])
        expected = file["1/labels"].max()
    folder = tmp_path / "2D_versatile_fluo"
    command = ["predict", str(tmp_path / "cells.png"), "--weights", str(folder)]
    assert main([*command, "--out", str(tmp_path)]) == 0, capsys.readouterr().err
    rows = (tmp_path / "objects.csv").read_text().splitlines()
    assert len(rows) == 1 + expected and "object" in rows[1]
    (folder / "config.json").unlink()
    command[-1] = str(tmp_path)
    assert main(command) == 1
    assert "must hold the weights and config.json" in capsys.readouterr().err
