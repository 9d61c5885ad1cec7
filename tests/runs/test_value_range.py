"""A run of 12-bit pictures: asked once, remembered, applied to every form."""

import json

import numpy as np
import pytest
import tifffile

from kerasseg import runs
from kerasseg.cli import main
from kerasseg.images import read_mask, write_image, write_mask

SMALL = ["model.base_filters=2", "train.epochs=1", "train.steps_per_epoch=2"]
SMALL += ["augment.size=[16, 16]", "train.batch_size=2"]
SMALL += ["optimizer.name=sgd", "train.precision=float32"]  # quickly traced
SETTINGS = [part for text in SMALL for part in ("--set", text)]


def pictures(num):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, [num, 16, 16, 3]).astype("uint8")
    images[:, 0, 0], images[:, 0, 1] = 0, 255
    return images


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("deep")
    for number, image in enumerate(pictures(6)):
        deep = image.astype("uint16") * 16
        if number < 5:  # one dim picture among the others
            deep //= 8
        write_image(root / f"images/{number}.png", deep)
        write_mask(root / f"labels/{number}.png", image[..., 0] > 127)
    return root


@pytest.fixture(scope="module")
def run(root):
    options = ["--set", "data.value_range=[0,4080]", *SETTINGS]
    assert (
        main(["train", "--data", str(root), "--out", str(root / "run"), *options]) == 0
    )
    return root / "run"


@pytest.mark.parametrize("command", ["train", "check-data"])
def test_the_range_is_asked_before_anything_is_trained(root, capsys, command):
    assert main([command, "--data", str(root)]) == 1
    assert "--set 'data.value_range=[0,4095]'" in capsys.readouterr().err


def test_the_line_to_paste_is_taken(root, capsys):
    options = ["--json", "--set", "data.value_range=[0,4095]"]
    assert main(["check-data", "--data", str(root), *options]) == 0
    assert json.loads(capsys.readouterr().out)["val"]["value_range"] == [0, 4095]


def test_a_wrong_range_is_an_error_of_the_recipe(root, capsys):
    for value in ("4095", "[5, 1]"):
        options = ["--set", f"data.value_range={value}"]
        assert main(["check-data", "--data", str(root), *options]) == 2
        assert "value_range" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_remembers_its_range_and_scales_every_form_by_it(run, tmp_path):
    facts = json.loads((run / "run.json").read_text())
    assert facts["value_range"] == [0, 4080]
    (image,) = pictures(1)
    deep = image.astype("uint16") * 16
    write_image(tmp_path / "12.png", deep)
    write_image(tmp_path / "8.png", image)
    tifffile.imwrite(tmp_path / "float.tif", deep.astype("float32"), photometric="rgb")
    unit = (image / 255).astype("float32")
    tifffile.imwrite(tmp_path / "unit.tif", unit, photometric="rgb")
    report = runs.predict(run, tmp_path, tmp_path / "out")
    masks = [
        read_mask(tmp_path / f"out/masks/{name}.png") for name in ["12", "8", "float"]
    ]
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[0], masks[2])
    (failed,) = report["failed"]
    assert "unit.tif" in failed["error"] and "range, 0..4080" in failed["error"]
    given = {"value_range": (0, 1)}
    report = runs.predict(run, tmp_path / "unit.tif", tmp_path / "out", given)
    assert not report["failed"]
    np.testing.assert_array_equal(read_mask(tmp_path / "out/masks/unit.png"), masks[0])


@pytest.mark.slow
def test_another_range_is_given_on_the_command_line(run, tmp_path):
    (image,) = pictures(1)
    signed = (image / 127.5 - 1).astype("float32")
    tifffile.imwrite(tmp_path / "a.tif", signed, photometric="rgb")
    write_image(tmp_path / "b.png", image)
    files = [str(tmp_path / name) for name in ("a.tif", "b.png")]
    command = ["predict", "--run", str(run), "--out", str(tmp_path / "out")]
    assert main([*command, files[0]]) == 1
    assert main([*command, "--value-range=-1,1", *files]) == 0
    masks = [read_mask(tmp_path / f"out/masks/{name}.png") for name in "ab"]
    assert (masks[0] == masks[1]).mean() > 0.99  # but for rounding


@pytest.mark.slow
def test_a_run_is_evaluated_by_its_range(run, root):
    results = json.loads((run / "results.json").read_text())
    assert results["settings"]["value_range"] == [0, 4080]
    assert "table" in runs.evaluate(run, root=root, split="train", out=root / "again")
