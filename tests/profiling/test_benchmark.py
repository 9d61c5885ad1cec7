import json
import os
import subprocess
import sys
import types

import pytest

from kerasseg import machine
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


def test_the_script_measures_training_inference_and_pipeline(request):
    script = request.config.rootpath / "scripts" / "benchmark.py"
    options = ["--encoder", "tiny", "--size", "32", "--batch-size", "2"]
    answer = subprocess.run(
        [sys.executable, script, "unet", *options, "--repeats", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(answer.stdout)
    assert set(result["cases"]) == {
        "training",
        "inference",
        "pipeline",
        "matrix multiply",
    }
    assert all(case["images_per_second"] > 0 for case in result["cases"].values())
    assert result["peak_memory_mb"] > 100
    assert 0 < result["cases"]["training"]["share_of_matrix_multiply"] < 1.5


@pytest.mark.parametrize(
    ("flags", "module", "after"),
    [
        ({"avx2"}, "json", "1"),
        ({"avx2"}, "tensorflow", None),  # too late
        ({"avx2", "avx512f"}, "json", None),  # TensorFlow's own default
    ],
)
def test_programs_ask_for_onednn_where_and_while_it_helps(
    monkeypatch, flags, module, after
):
    monkeypatch.setattr(machine, "cpu_flags", lambda: flags)
    monkeypatch.setattr(machine, "sys", types.SimpleNamespace(modules={module: None}))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "")  # remembered, and then put back
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    machine.use_onednn()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == after
