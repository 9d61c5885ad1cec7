"""Exports of published weights: what lies there, its comparison, and int8's losses."""

import json

import numpy as np
import pytest

from kerasseg import datasets, export, runs
from kerasseg.cli import main
from kerasseg.export.quantization import QUANTIZERS
from kerasseg.predict import forward, runtimes
from kerasseg.predict.runtimes import RUNTIMES
from kerasseg.runs import exporting
from kerasseg.weights import catalog


@pytest.fixture
def shapes():
    return catalog.entry("shapes")


@pytest.mark.slow
def test_a_served_model_is_compared_with_its_original(shapes, tmp_path, capsys):
    command = ["export", "--weights", "shapes", "--out", str(tmp_path), "--check"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["picture", "pixels", "same"]
    assert lines[-1].split()[:3] == ["all", "8", "100.00"]
    about = json.loads((tmp_path / "1/kerasseg.json").read_text())
    assert about["check"]["agreement"] == 1 and about["check"]["iou"] == 1
    assert len(about["check"]["pictures"]) == 8
    assert about["licence"] == shapes.licence is not None


def test_pictures_to_compare_on_may_be_given(shapes, tmp_path, capsys):
    from kerasseg.images import write_image

    for name in ("folder/a.png", "b.png"):
        write_image(tmp_path / name, np.full((40, 50, 3), 90, "uint8"))
    given = [str(tmp_path / "folder"), str(tmp_path / "b.png")]
    command = ["export", "--weights", "shapes", "--out", str(tmp_path / "out")]
    assert main([*command, "--format", "keras", "--json", "--check", *given]) == 0
    check = json.loads(capsys.readouterr().out)["check"]
    assert [row["size"] for row in check["pictures"]] == [[40, 50]] * 2
    assert (tmp_path / "out/shapes.keras.json").exists()


def test_pictures_that_are_none_are_told_before_the_work(tmp_path, capsys):
    command = ["export", "--weights", "shapes", "--out", str(tmp_path / "out")]
    assert main([*command, "--check", str(tmp_path / "nothere.png")]) == 1
    assert "no such file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_told_before_the_work(tmp_path, capsys):
    (tmp_path / "file").touch()
    command = ["export", "--weights", "shapes", "--out", str(tmp_path / "file")]
    assert main(command) == 1
    assert "The output must be a folder" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--raw"], ["--format", "weights"]])
def test_what_is_no_program_is_not_compared(wrong, tmp_path, capsys):
    command = ["export", "--weights", "shapes", "--out", str(tmp_path), "--check"]
    assert main([*command, *wrong]) == 1
    assert "--check is for programs" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def int8_answers(monkeypatch):
    """Let files of LiteRT be written by nobody, and answer by a function."""

    def pretend(answer):
        def write(model, function, path, format, half):
            path.write_bytes(b"float32")

        def quantize(path, format, pictures):
            assert pictures[0].dtype == "uint8"
            path.write_bytes(f"int8 by {len(pictures)}".encode())

        tensors = {"images": {"shape": [None] * 4}}
        program = runtimes.Program(answer, "uint8", tensors, {})
        row = runtimes.RUNTIMES["litert"]._replace(
            module="json", load=lambda path: program
        )
        monkeypatch.setitem(runtimes.RUNTIMES, "litert", row)
        monkeypatch.setattr("kerasseg.predict.converters.convert", write)
        monkeypatch.setattr("kerasseg.export.quantization.check", lambda *given: None)
        monkeypatch.setattr("kerasseg.export.quantization.quantize", quantize)

    return pretend


def nothing(images):
    ids = np.zeros(images.shape[:3], "int32")
    return {"class_ids": ids, "confidence": ids.astype("float32")}


def test_int8_that_loses_too_much_is_refused(int8_answers, tmp_path, capsys):
    int8_answers(nothing)
    command = ["export", "--weights", "shapes", "--out", str(tmp_path)]
    command += ["--format", "litert", "--precision", "int8", "--max-loss", "3"]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert "points of mean_iou in int8" in error and "max_loss=3.0" in error
    assert not list(tmp_path.iterdir())


def test_int8_says_what_it_loses(int8_answers, shapes, tmp_path):
    int8_answers(nothing)
    path = runs.export(
        shapes, tmp_path, format="litert", precision="int8", max_loss=100
    )
    assert path.read_bytes() == b"int8 by 64"
    scores = runs.about_export(path, "litert")["int8"]
    assert scores["score"] == "mean_iou" and scores["images"] == 100
    assert scores["float32"] > 0.9 > 0.5 > scores["int8"]


def test_few_validation_images_are_calibrated_with_training_images(
    int8_answers, shapes, tmp_path, monkeypatch
):
    def few(run, *, root, split="val"):
        return datasets.shapes(7 if split == "val" else 5, size=(32, 32))

    int8_answers(nothing)
    monkeypatch.setattr("kerasseg.runs.exporting.read_samples", few)
    options = {"precision": "int8", "max_loss": 100}
    path = runs.export(shapes, tmp_path, format="litert", **options)
    assert path.read_bytes() == b"int8 by 12"


@pytest.mark.slow
@pytest.mark.parametrize("format", ["onnx", "openvino", "litert"])
def test_int8_keeps_the_score(format, tmp_path, capsys):
    for package in (*RUNTIMES[format].packages, *QUANTIZERS[format][1]):
        pytest.importorskip(package)
    command = ["export", "--weights", "shapes", "--out", str(tmp_path), "--json"]
    command += ["--format", format, "--precision", "int8", "--max-loss", "0.5"]
    assert main(command) == 0, capsys.readouterr().err


def test_a_file_in_place_of_its_model_gives_class_ids_only(monkeypatch, shapes):
    from kerasseg import predict, zoo

    program = runtimes.Program(nothing, "uint8", {}, {})
    row = runtimes.RUNTIMES["litert"]._replace(module="json", load=lambda x: program)
    monkeypatch.setitem(runtimes.RUNTIMES, "litert", row)
    file = export.as_model(zoo.load(shapes), "x.tflite", "litert")
    image = np.zeros((20, 30, 3), "uint8")
    assert not predict.class_ids(file, image).any()
    with pytest.raises(RuntimeError, match="flips, tiles"):
        predict.class_ids(file, image, flips=True)
    assert forward.num_classes(file) == 4


@pytest.mark.parametrize(("name", "told"), [("nuclei", "flips=all"), ("shapes", None)])
def test_options_that_a_file_does_not_have_are_told(name, told, tmp_path, capsys):
    command = ["export", "--weights", name, "--format", "keras", "--out", str(tmp_path)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert (told in out) if told else ("does not do" not in out)
    about = json.loads((tmp_path / f"{name}.keras.json").read_text())
    assert about.get("predict", {}).get("flips") == (told and "all")


@pytest.mark.parametrize(
    ("architecture", "given", "told"),
    [
        ("unet", {"min_area_px": 1}, {}),
        ("mask_rcnn", {}, {"fit": "tile", "score_threshold": 0.3}),
        ("yolact", {"fit": "resize", "zoom": 1.0}, {"score_threshold": 0.3}),
        ("yolact", {"fit": "stretch"}, {"fit": "stretch", "score_threshold": 0.3}),
        (
            "stardist",
            {"score_threshold": 0.5},
            {"score_threshold": 0.5, "overlap_threshold": 0.4, "max_objects": 1000},
        ),
        (
            "panoptic_deeplab",
            {"things": [1]},
            {"score_threshold": 0.1, "max_objects": 200, "things": [1]},
        ),
    ],
)
def test_what_a_file_leaves_to_its_readers(architecture, given, told):
    recipe = {"model": {"architecture": architecture}, "predict": given}
    assert exporting._own_options(recipe, {}) == told


def test_the_range_of_values_is_in_the_file():
    own = {"value_range": [0, 4095], "flips": "both", "tile_px": None}
    recipe = {"model": {"architecture": "unet"}, "predict": own}
    own_options = exporting._own_options
    assert own_options(recipe, {"value_range": [0, 4095]}) == {"flips": "both"}
    found = own_options(recipe, {"value_range": None})
    assert found == {"flips": "both", "value_range": [0, 4095]}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"raw": True}, "a SavedModel answers with class ids"),
        ({"raw": True, "format": "onnx", "precision": "float16"}, "hold float32"),
        ({"raw": True, "format": "onnx", "precision": "int8"}, "hold float32"),
        ({"max_loss": float("nan")}, "`max_loss` must be a number"),
    ],
)
def test_options_that_would_be_left_out_are_refused(wrong, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        runs.export(catalog.entry("shapes"), tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_int8_is_scored_without_what_needs_probabilities(monkeypatch):
    """A file of class ids has none, which runs with tiles or views would ask for."""
    asked = []

    def score(model, samples, options, limit):
        asked.append(options)
        return {"mean_iou": 0.5}

    monkeypatch.setattr("kerasseg.evaluate.score", score)
    own = {"tile_px": 64, "overlap_px": 8, "flips": "all", "scales": [1, 2]}
    own |= {"refine": "crf", "min_area_px": 9}
    recipe = {"model": {"architecture": "unet"}, "predict": own}
    exporting._scores([], recipe, None, None)
    assert len(asked) == 2 and asked[0] == asked[1]
    assert asked[0].min_area_px == 9 and asked[0].flips is False
    assert asked[0].tile_px is asked[0].scales is asked[0].refine is None
