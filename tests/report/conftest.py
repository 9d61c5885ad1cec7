"""A run folder of an evaluation."""

import json

import cv2
import numpy as np
import pytest

from tests.report.results import RESULTS


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "a & b"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(RESULTS))
    (folder / "recipe.toml").write_text("[model] # a < b")
    (folder / "history.jsonl").write_text('{"kind": "epoch"}\n{"kind": "ep')
    cv2.imwrite(str(folder / "samples.png"), np.zeros([4, 4, 3], "uint8"))
    return folder
