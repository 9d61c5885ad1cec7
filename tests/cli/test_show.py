import json

import pytest

from kerasseg import cli, images

SMALL = ["--set", "data.train={num = 3, size = 64, seed = 1}"]
CROP = ["--set", "augment.size=[32, 48]"]


@pytest.mark.parametrize("augment", [[], ["--augment", "--num", "2"]])
def test_a_picture_of_the_data(tmp_path, capsys, augment):
    out = tmp_path / "seen.png"
    assert cli.main(["show", *SMALL, *CROP, *augment, "--out", str(out)]) == 0
    picture = images.read_image(out)
    height = 2 * 135 if augment else 180  # rows of crops, or of whole images
    assert picture.shape[0] > height and picture.std() > 20
    assert str(out) in capsys.readouterr().out


def test_the_seed_chooses_and_programs_are_told(tmp_path, capsys):
    pictures = []
    for seed in ("0", "0", "1"):
        out = tmp_path / f"{len(pictures)}.png"
        words = ["show", *SMALL, *CROP, "--augment", "--num", "1", "--json"]
        assert cli.main([*words, "--seed", seed, "--out", str(out)]) == 0
        assert json.loads(capsys.readouterr().out)["num_samples"] == 3
        pictures.append(images.read_image(out))
    assert (pictures[0] == pictures[1]).all()
    assert pictures[0].shape != pictures[2].shape or (pictures[0] != pictures[2]).any()


def test_samples_that_are_mixed_are_drawn(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[model]\narchitecture = "unet"\n[data]\ndataset = "shapes"\n'
        "train = {num = 3, size = 64, seed = 1}\nval = {num = 1, size = 64}\n"
        '[[augment]]\nname = "geometry"\nsize = [32, 32]\n'
        '[[augment]]\nname = "mosaic"\nchance = 1.0\n'
    )
    out = tmp_path / "show.png"
    assert cli.main(["show", str(recipe), "--augment", "--out", str(out)]) == 0


def test_wrong_numbers_are_refused(tmp_path, capsys):
    out = str(tmp_path / "show.png")
    assert cli.main(["show", *SMALL, "--num", "-1", "--out", out]) == 1
    assert "--num must lie in 0..200" in capsys.readouterr().err
