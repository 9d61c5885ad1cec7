import json
import tomllib

import pytest

from kerasseg import recipes
from kerasseg.cli import main
from tests.cli.test_main import write_data

TINY = ["model.architecture=unet", "model.encoder=plain", "model.base_filters=2"]
TINY += ["augment.size=[16, 16]", "train.epochs=1", "train.steps_per_epoch=2"]
TINY += ["augment.flip=both"]  # and nothing is left that takes a longer trial
SETTINGS = [part for text in TINY for part in ("--set", text)]


@pytest.mark.parametrize("minutes", ["0", "-1", "0.1", "nan", "inf"])
@pytest.mark.parametrize("command", ["plan", "train"])
def test_minutes_that_are_too_few_are_refused_at_once(
    command, minutes, capsys, tmp_path
):
    root = write_data(tmp_path)
    assert main([command, "--data", str(root), f"--minutes={minutes}"]) == 1
    assert "`minutes` must be 1 or more" in capsys.readouterr().err


def test_a_recipe_has_a_length_of_its_own(capsys):
    assert main(["train", "unet_plain_isbi2012", "--minutes", "5"]) == 1
    assert "give either --minutes or a recipe" in capsys.readouterr().err


def test_options_of_a_plan_need_minutes(capsys, tmp_path):
    root = write_data(tmp_path)
    assert main(["train", "--data", str(root), "--task", "semantic"]) == 1
    assert "--task is for a plan" in capsys.readouterr().err


def test_data_that_cannot_be_planned_for_are_told(capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    assert main(["plan", "--data", str(tmp_path / "empty")]) == 1
    assert "required: a data set in a form that is known" in capsys.readouterr().err
    root = write_data(tmp_path / "one", num=1)
    assert main(["plan", "--data", str(root)]) == 1
    assert "Received: 1" in capsys.readouterr().err
    root = write_data(tmp_path / "some")
    assert main(["plan", "--data", str(root), "--task", "instances"]) == 1
    assert "--task semantic" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["mine.toml", "photo.jpg", "file/recipe.toml"])
def test_other_files_are_not_written_over(out, capsys, tmp_path):
    root = write_data(tmp_path / "data")
    (tmp_path / "mine.toml").write_text("[model]\n")
    (tmp_path / "file").write_text("")
    code = main(["plan", "--data", str(root), "--out", str(tmp_path / out)])
    assert code == 1
    assert "--out must be" in capsys.readouterr().err
    assert (tmp_path / "mine.toml").read_text() == "[model]\n"


def test_a_run_of_another_recipe_is_refused_before_the_planning(capsys, tmp_path):
    root = write_data(tmp_path / "data")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/recipe.toml").write_text(recipes.dump(recipes.read()))
    command = ["train", "--data", str(root), "--minutes", "2"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 1
    assert "a run of another plan or recipe" in capsys.readouterr().err
    assert main([*command, "--out", str(root)]) == 1
    assert "a folder with other files" in capsys.readouterr().err


@pytest.mark.slow
def test_a_plan_can_be_trained(tmp_path, capsys):
    root, recipe = write_data(tmp_path / "data", num=12), tmp_path / "recipe.toml"
    command = ["--data", str(root), "--classes", "night,day", *SETTINGS]
    assert main(["plan", *command, "--out", str(recipe), "--minutes", "20"]) == 0
    text = recipe.read_text()
    assert text.startswith("# Planned by kerasseg for 20 minutes")
    assert "# as given by --set\nepochs = 1\n" in text
    assert tomllib.loads(text)["data"]["classes"] == ["night", "day"]
    assert (
        main(["train", str(recipe), "--data", str(root), "--out", str(tmp_path / "a")])
        == 0
    )
    capsys.readouterr()
    # Again, and over the earlier plan.
    assert main(["plan", *command, "--out", str(recipe), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["recipe"] == recipes.read(recipe)
    assert answer["data"]["num_train"] + answer["data"]["num_val"] == 12
    assert answer["trials"]["unet"]["step_s"] > 0


@pytest.mark.slow
def test_a_training_that_was_planned_goes_on_without_another_plan(tmp_path, capsys):
    root, run = write_data(tmp_path / "data", num=12), tmp_path / "run"
    command = ["train", "--data", str(root), "--minutes", "20", "--out", str(run)]
    assert main([*command, *SETTINGS]) == 0
    printed = capsys.readouterr().out
    assert "trying unet" in printed
    assert (run / "recipe.toml").read_text().startswith("# Planned by kerasseg")
    assert json.loads((run / "chosen.json").read_text())["images"] >= 1
    before = json.loads((run / "results.json").read_text())["mean_iou"]
    assert main([*command, *SETTINGS]) == 0
    printed = capsys.readouterr().out
    assert "planned before" in printed
    assert "trying" not in printed
    assert json.loads((run / "results.json").read_text())["mean_iou"] == before
    assert main([*command, *SETTINGS, "--set", "train.seed=1"]) == 1  # another request
