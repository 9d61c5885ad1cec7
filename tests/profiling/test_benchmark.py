"""Cases that are measured in turn, and the script."""

import json
import runpy
import sys

import pytest

from kerasseg.profiling import benchmark


def test_measured_cases_run_in_turn_after_their_warm_up():
    calls = []
    cases = {name: (lambda name=name: calls.append(name), 2) for name in "ab"}
    result = benchmark.measure(cases, repeats=2, warmup=1)
    assert "".join(calls) == "abababab"[:2] + "abab"
    assert set(result["a"]) == {
        "images_per_second",
        "wall_ms_per_image",
        "cpu_ms_per_image",
    }


@pytest.mark.slow
def test_the_script_measures_training_inference_and_pipeline(
    request, monkeypatch, capsys
):
    script = request.config.rootpath / "scripts" / "benchmark.py"
    options = ["--encoder", "tiny", "--size", "32", "--batch-size", "2"]
    monkeypatch.setattr(sys, "argv", [str(script), "unet", *options, "--repeats", "1"])
    runpy.run_path(script)  # in this process: TensorFlow is imported already
    result = json.loads(capsys.readouterr().out)
    assert set(result["cases"]) == {
        "training",
        "inference",
        "pipeline",
        "matrix multiply",
    }
    assert all(case["images_per_second"] > 0 for case in result["cases"].values())
    assert result["peak_memory_mb"] > 100
    assert 0 < result["cases"]["training"]["share_of_matrix_multiply"] < 1.5
