"""Exit codes and messages of errors."""

import argparse
import json

from kerasseg.cli import errors, main


def test_what_failed_alike_is_told_once(capsys):
    text = "{}: required: a range. Received: uint16 within 0..{}. Fix: Give one."
    failed = [{"error": text.format(f"{n}.tif", 900 + n)} for n in range(6)]
    failed.append({"error": "x.png: required: an image. Received: an empty file."})
    errors.list_failures(argparse.Namespace(), failed)
    assert capsys.readouterr().err.splitlines() == [
        f"kerasseg: {failed[0]['error']}",
        "kerasseg: 5 more alike: 1.tif, 2.tif, 3.tif, ...",
        f"kerasseg: {failed[-1]['error']}",
    ]


def test_a_wrong_recipe_exits_with_2_and_json_carries_the_error(capsys):
    assert main(["train", "--json", "--set", "train.epochz=1"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert "Did you mean 'epochs'" in answer["error"]
