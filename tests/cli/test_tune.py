"""`kerasseg tune`: what a search that goes on is asked for."""

from kerasseg import recipes
from kerasseg.cli import main
from tests.cli.test_main import write_data


def test_a_search_goes_on_only_as_it_began(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    root = str(write_data(tmp_path / "data"))
    begun = []

    def search(recipe, **options):
        begun.append(recipe)
        (tmp_path / "tuned/base.toml").write_text(recipes.dump(recipe))
        return {"best": 0.5, "start": 0.4, "trial": "trial0", "recipe": "best.toml"}

    monkeypatch.setattr("kerasseg.tune.tune", search)
    monkeypatch.setattr("kerasseg.tune.require_optuna", lambda: None)
    command = ["tune", "--data", root, "--set", "train.epochs=3"]
    assert main(command) == 0
    assert main(command) == 0
    assert [one["train"]["epochs"] for one in begun] == [3, 3]
    capsys.readouterr()
    for other in (
        ["--set", "train.epochs=4"],
        ["--minutes", "9"],
        ["--task", "semantic"],
    ):
        assert main([*command, *other]) == 1
        assert f"another {other[0]}" in capsys.readouterr().err
    moved = str(write_data(tmp_path / "other"))
    assert main(["tune", "--data", moved, "--set", "train.epochs=3"]) == 1
    assert "another --data" in capsys.readouterr().err
    assert len(begun) == 2
