"""Many files: one bad one costs itself, and none is overwritten."""

import numpy as np
import pytest

from kerasseg import images, predict


def test_folder_goes_on_after_a_bad_file(model, tmp_path, capsys):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    images.write_image(good, np.zeros([9, 9, 3], "uint8"))
    bad.write_bytes(good.read_bytes()[:50])
    inputs = [bad, tmp_path / "missing.png", good]
    report = predict.folder(model, inputs, tmp_path / "out")
    assert [e["path"] for e in report["images"]] == [str(good)]
    assert [e["path"] for e in report["failed"]] == [str(p) for p in inputs[:2]]
    assert all(e["path"] in e["error"] and not e["files"] for e in report["failed"])
    assert capsys.readouterr().out == ""


def test_folder_never_overwrites_its_inputs(model, tmp_path):
    images.write_image(tmp_path / "overlays/a.png", np.zeros([9, 9, 3], "uint8"))
    with pytest.raises(ValueError, match="must not hold the inputs"):
        predict.folder(model, tmp_path / "overlays", tmp_path)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"save": ["mosk"]}, "Did you mean 'mask'"),
        ({"options": {"tile": 5}}, "Did you mean 'tile_px'"),
        ({"options": {"flips": "x"}}, "Received: flips='x'"),
        ({"options": {"refine": "cfr"}}, "Received: refine='cfr'"),
        ({"class_names": ["a"]}, "`class_names` must have 3 entries"),
        ({"inputs": []}, "Received: none"),
    ],
)
def test_folder_checks_its_arguments_first(model, tmp_path, arguments, message):
    inputs = arguments.pop("inputs", [tmp_path / "a.png"])
    with pytest.raises(ValueError, match=message):
        predict.folder(model, inputs, tmp_path / "out", **arguments)
