"""Tables and manifests of predictions, counted by hand."""

import csv
import json

import cv2
import keras
import numpy as np
import pytest

from kerasseg import images, predict
from kerasseg.instance.instances import Instances
from kerasseg.predict import files, tables


@pytest.fixture(scope="module")
def model():
    """Class 1 where it is bright."""
    x = keras.Input([None, None, 3])
    layer = keras.layers.Conv2D(2, 1)
    model = keras.Model(x, layer(x))
    layer.set_weights([np.full([1, 1, 3, 2], [0, 1.0]), np.array([200.0, 0])])
    return model


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def squares():
    picture = np.zeros([10, 12, 3], "uint8")
    picture[1:3, 2:6] = picture[6:9, 8:11] = 255
    return picture


def test_a_folder_gives_tables_and_ties_outputs_to_sources(model, tmp_path):
    for name in ("a.png", "sub/a.png", "sub/a_mask.png"):
        images.write_image(tmp_path / "in" / name, squares())
    (tmp_path / "in/bad.png").write_bytes(b"no image")
    out = tmp_path / "in/out"
    for _ in range(2):  # the second time, results of the first lie inside
        report = predict.folder(model, tmp_path / "in", out, class_names=["-", "cell"])
        assert [len(report[key]) for key in ("images", "failed", "skipped")] == [
            2,
            1,
            1,
        ]
    rows = read(out / "objects.csv")
    first = rows[0]
    assert first["image"] == str(tmp_path / "in/a.png") and len(rows) == 4
    box = [first[key] for key in ("x1", "y1", "x2", "y2", "centroid_x", "centroid_y")]
    assert box == ["2", "1", "6", "3", "4.0", "2.0"]
    assert (first["class"], first["class_id"], first["area_px"]) == ("cell", "1", "8")
    image = read(out / "images.csv")[1]
    assert image["cell_area_px"] == "17" and image["cell_objects"] == "2"
    assert image["-_area_px"] == "103" and image["height"] == "10"
    manifest = json.loads((out / "manifest.json").read_text())
    by_source = {row["source"]: row for row in manifest["images"]}
    made = by_source[str(tmp_path / "in/sub/a.png")]
    assert made["outputs"]["mask"] == "masks/sub/a.png"
    assert "bad.png" in by_source[str(tmp_path / "in/bad.png")]["error"]
    assert manifest["skipped"] == [{"source": str(tmp_path / "in/sub/a_mask.png")}]
    states = [row["status"] for row in read(out / "manifest.csv")]
    assert states == ["written", "failed", "written", "skipped, a mask"]


def test_opencv_reads_masks_as_ids(model, tmp_path):
    images.write_image(tmp_path / "a.png", squares())
    palette = np.array([[0, 0, 0], [255, 0, 0]], "uint8")
    predict.folder(model, tmp_path / "a.png", tmp_path / "out", palette=palette)
    ids = cv2.imread(str(tmp_path / "out/masks/a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(ids, squares()[..., 0] > 0)


def test_rows_of_instances_are_those_of_their_masks():
    masks = np.zeros([2, 5, 6], bool)
    masks[0, 1:3, 1:5] = masks[1, 4, 0] = True
    boxes = np.array([[1, 1, 5, 3], [0, 4, 1, 5.0]])
    found = Instances(boxes, np.array([1, 0]), np.array([0.9, 0.5]), masks)
    first, second = tables.of_instances(found, ["fig", "date"]).objects
    assert (first["class"], first["class_id"], first["area_px"]) == ("date", 2, 8)
    assert (first["centroid_x"], first["centroid_y"], first["score"]) == (3.0, 2.0, 0.9)
    assert (second["x1"], second["y2"], second["centroid_y"]) == (0, 5, 4.5)
    image = tables.of_instances(found, ["fig", "date"]).image
    assert image["date_area_px"] == 8 and image["fig_objects"] == 1


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("x"), KeyError("k")])
def test_whatever_is_raised_costs_one_picture(tmp_path, error):
    for name in "abc":
        images.write_image(tmp_path / f"in/{name}.png", squares())

    def predict_file(path, targets):
        if path.stem == "b":
            raise error

    plan = files.plan(tmp_path / "in", tmp_path / "out", ["mask"])
    report = files.run(plan, predict_file)
    assert [len(report[key]) for key in ("images", "failed")] == [2, 1]
    assert report["failed"][0]["error"].startswith(str(tmp_path / "in/b.png"))


def test_an_output_that_cannot_be_written_is_called_that(model, tmp_path):
    images.write_image(tmp_path / "a.png", squares())
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="The output must be a folder"):
        predict.folder(model, tmp_path / "a.png", tmp_path / "file")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/masks").write_text("")  # where a folder should be
    report = predict.folder(model, tmp_path / "a.png", tmp_path / "out")
    assert "the output" in report["failed"][0]["error"]
