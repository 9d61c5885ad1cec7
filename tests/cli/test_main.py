"""The command line: failures are sentences and exit codes."""

import pytest

from kerasseg import runs
from kerasseg.cli import main
from kerasseg.training.checkpoints import CheckpointError


def test_a_damaged_checkpoint_ends_with_a_sentence_and_code_1(monkeypatch, capsys):
    def train(*arguments, **options):
        raise CheckpointError("run/step-3.ckpt is damaged. Delete it.")

    monkeypatch.setattr(runs, "train", train)
    assert main(["train", "--json"]) == 1
    assert (
        capsys.readouterr().err == "kerasseg: run/step-3.ckpt is damaged. Delete it.\n"
    )


@pytest.mark.parametrize("recipe", ["a\0b", "\ud800", "."])
def test_a_recipe_that_is_no_file_ends_with_code_2(
    recipe, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["train", recipe]) == 2
    assert "recipe" in capsys.readouterr().err
