"""results.json: what a number needs to be repeated."""

import json

import keras

from kerasseg import evaluate
from tests.evaluate.made import make_samples


def test_environment_holds_versions_device_and_flags(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    found = evaluate.environment()
    assert found["versions"]["keras"] == keras.__version__
    assert found["flags"]["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert found["cpu_count"] >= 1 and found["devices"] and found["cpu"]


def test_results_file_holds_what_a_number_needs(model, tmp_path):
    result = evaluate.score(model, make_samples([(6, 5)]))
    path = tmp_path / "run/results.json"
    content = evaluate.write_results(path, result, split="val", seeds=[1, 2])
    assert json.loads(path.read_text(encoding="utf-8")) == content
    assert content["seeds"] == [1, 2] and content["split"] == "val"
    assert content["date"].endswith("+00:00") and content["environment"]["versions"]
    assert [p.name for p in path.parent.iterdir()] == ["results.json"]
