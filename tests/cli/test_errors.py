"""Exit codes and messages of errors."""

import json

from kerasseg.cli import main


def test_a_wrong_recipe_exits_with_2_and_json_carries_the_error(capsys):
    assert main(["train", "--json", "--set", "train.epochz=1"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert "Did you mean 'epochs'" in answer["error"]
