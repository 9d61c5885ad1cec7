"""Exit codes and messages of errors."""

import argparse
import json

import numpy as np
import pytest

from kerasseg import images
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


def test_of_several_ranges_the_widest_is_advised(capsys):
    failed = []
    for name, white in (("a", 900), ("b", 4000), ("c", 1000)):
        with pytest.raises(ValueError) as error:
            images.scale(np.array([[0, white]], "uint16"))
        failed.append({"error": f"{name}.png: {error.value}"})
    errors.list_failures(argparse.Namespace(), failed)
    first, more = capsys.readouterr().err.splitlines()
    assert first.startswith("kerasseg: b.png: ") and "value_range=(0, 4095)" in first
    assert more == "kerasseg: 2 more alike: a.png, c.png"


def test_a_wrong_recipe_exits_with_2_and_json_carries_the_error(capsys):
    assert main(["train", "--json", "--set", "train.epochz=1"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert "Did you mean 'epochs'" in answer["error"]
