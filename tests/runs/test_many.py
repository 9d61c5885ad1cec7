"""Very many images, as a stranger predicts them from the command line."""

import json
import re

import numpy as np
import pytest

from kerasseg import datasets, images, runs
from kerasseg.cli import main
from kerasseg.weights import catalog

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def folder(tmp_path):
    """A folder of six small images, one of which is none, and a list of them."""
    samples = datasets.shapes(5, size=(64, 80), seed=9)
    for index in range(5):
        images.write_image(tmp_path / f"in/{index}.png", samples[index]["image"])
    (tmp_path / "in/bad.png").write_bytes(b"no image")
    names = [*(f"in/{i}.png" for i in range(5)), "in/bad.png"]
    (tmp_path / "list.txt").write_text("\n".join(names))
    return tmp_path


def run(folder, *arguments, on="here", out="out"):
    given = ["--weights", "shapes", "--on", on, "--out", str(folder / out)]
    return main(["predict", *map(str, arguments), *given])


def masks(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("masks/**/*.png")}


def test_a_list_is_predicted_and_a_second_call_does_nothing_again(folder, capsys):
    assert run(folder, folder / "list.txt") == 3
    printed = capsys.readouterr()
    assert "Wrote 5 predictions to " in printed.out
    assert "Without one: 1, named in images/*.parquet." in printed.out
    assert len(re.findall("bad.png: ", printed.err)) == 1
    table = parquet.read_table(folder / "out/images").to_pylist()
    assert [row["index"] for row in table] == list(range(6))
    assert [row["error"] is None for row in table] == [True] * 5 + [False]
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("out/masks/*/*")}
    assert run(folder, folder / "list.txt") == 3
    assert "6 of 6 images are there already." in capsys.readouterr().out
    assert times == {path: path.stat().st_mtime_ns for path in times}


@pytest.mark.parametrize(
    "weights", ["shapes", pytest.param("nuclei", marks=pytest.mark.slow)]
)
def test_results_are_those_of_the_folder_of_one_process(folder, weights):
    entry = catalog.entry(weights)
    options = {"min_area_px": 30}
    known = runs.predict(entry, folder / "in", folder / "one", options)
    report = runs.predict_many(entry, folder / "in", folder / "many", options)
    assert report["images"] == len(known["images"]) == 5
    assert masks(folder / "many") == masks(folder / "one") != {}
    rows = parquet.read_table(folder / "many/objects").to_pylist()
    lines = (folder / "one/objects.csv").read_text().splitlines()[1:]
    assert len(rows) == len(lines) > 0
    if "annotations" in known:
        one = json.loads((folder / "one/instances.json").read_text())
        parts = sorted((folder / "many/instances").iterdir())
        parts = [json.loads(path.read_text()) for path in parts]
        assert one["categories"] == parts[0]["categories"]
        found = [x["segmentation"] for part in parts for x in part["annotations"]]
        assert found == [x["segmentation"] for x in one["annotations"]]


def test_all_images_have_the_range_of_the_first_that_tells(tmp_path):
    """A dark image of 16 bits is dark beside others, in whatever shard it is."""
    bright = np.full([64, 64, 3], 65535, "uint16")
    bright[20:40, 20:40] = 6000
    for name, image in (("a", bright), ("b", bright // 20)):
        images.write_image(tmp_path / f"in/{name}.png", image)
    entry = catalog.entry("shapes")
    runs.predict(entry, tmp_path / "in", tmp_path / "one")
    runs.predict_many(entry, tmp_path / "in", tmp_path / "many")
    assert masks(tmp_path / "many") == masks(tmp_path / "one") != {}


def test_events_count_images(folder):
    entry, events = catalog.entry("shapes"), []
    runs.predict_many(
        entry, folder / "list.txt", folder / "out", on_shard=events.append
    )
    assert [event["images"] for event in events] == list(range(7))
    assert {event["num"] for event in events} == {6}
    assert [len(event["failed"]) for event in events] == [0] * 6 + [1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--on", "spark"], "'here', 'ray' or 'ray=ADDRESS'. Received: 'spark'"),
        (["--on", "here", "--workers", "2"], "on='ray' only"),
        (["--on", "ray", "--workers", "0"], "at least 1"),
        (["--on", "ray", "--gpus-per-worker", "-1"], "0 or more"),
        (["--on", "here", "--cut-outs"], "--no-cut-outs"),
        (["--on", "here", "--smooth"], "--frames are not for --on"),
        (["--workers", "2"], "are for --on ray"),
        ([], "A list of images needs --on here"),
        (["--on", "here", "--tile", "-3"], "tile_px"),
    ],
)
def test_wrong_options_get_words_before_any_work(folder, capsys, arguments, message):
    pictures = folder / ("in" if arguments else "list.TXT")
    given = ["predict", str(pictures), "--weights", "shapes", *arguments]
    assert main([*given, "--out", str(folder / "out")]) == 1
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_an_output_of_other_options_is_left_alone(folder, capsys):
    assert run(folder, folder / "in/0.png") == 0
    assert run(folder, folder / "in/0.png", "--flips") == 1
    assert "Choose another --out" in capsys.readouterr().err
    assert run(folder, folder / "in/1.png") == 1


def test_a_list_that_has_changed_is_noticed(folder, capsys):
    listed = folder / "some.txt"
    listed.write_text("in/0.png\n")
    assert run(folder, listed) == 0
    assert run(folder, listed) == 0
    listed.write_text("in/0.png\nin/1.png\n")
    assert run(folder, listed) == 1
    assert "Choose another --out" in capsys.readouterr().err
