"""The engine that a command names computes the model."""

import json

import numpy as np
import pytest

from kerasseg import predict, runs
from kerasseg.cli import main
from kerasseg.images import write_image
from kerasseg.predict import engines
from kerasseg.weights import catalog


@pytest.fixture
def asked(monkeypatch):
    """Engines that were asked for; TensorFlow computes in their place."""
    found = []

    def engine(model, name):
        found.append(name)
        return engines.Engine(model, name, lambda answer: compute(model, answer))

    def compute(model, answer):
        return predict.forward.compiled(model, answer)

    monkeypatch.setattr(predict, "engine", engine, raising=False)
    return found


def test_predict_by_an_engine(asked, tmp_path):
    write_image(tmp_path / "a.png", np.full((40, 48, 3), 90, "uint8"))
    command = ["predict", str(tmp_path / "a.png"), "--weights", "shapes"]
    assert main([*command, "--out", str(tmp_path), "--engine", "openvino"]) == 0
    assert asked == ["openvino"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    assert main([*command, "--out", str(tmp_path), "--engine", "tensorflow"]) == 0
    assert asked == ["openvino"]


def test_evaluate_by_an_engine_says_so_in_its_results(asked, tmp_path):
    entry = catalog.entry("shapes")
    samples = runs.read_samples(entry).subset(range(3))
    options = {"engine": "litert"}
    runs.evaluate(entry, samples=samples, out=tmp_path, options=options)
    results = json.loads((tmp_path / "results.json").read_text())
    assert asked == ["litert"] and results["settings"]["engine"] == "litert"


def test_an_unknown_engine_is_a_wrong_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["predict", "a.png", "--engine", "onnxx"])
    assert stop.value.code == 2 and "openvino" in capsys.readouterr().err
