"""Comparison of runs, image by image."""

import json

import numpy as np
import pytest

from kerasseg import report
from kerasseg.cli import main
from tests.report.results import RESULTS


def write_run(folder, scores):
    folder.mkdir()
    samples = [{"name": f"i{n}", "mean_iou": x} for n, x in enumerate(scores)]
    content = {**RESULTS, "samples": samples, "mean_iou": float(np.mean(scores))}
    (folder / "results.json").write_text(json.dumps(content))
    return str(folder)


def test_runs_are_compared_image_by_image(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    # Images differ far more than the models do on each of them.
    base = generator.uniform(0.2, 0.9, 50)
    noise = generator.normal(0, 0.01, 50)
    runs = [
        write_run(tmp_path / "base", base),
        write_run(tmp_path / "better", base + 0.01 + noise),
        write_run(tmp_path / "same", base + noise - noise.mean()),
    ]
    assert main(["compare", *runs]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "more than noise" in lines[3] and "+1.0" in lines[3]
    assert lines[4].endswith("noise") and "more than" not in lines[4]
    assert (tmp_path / "compare.png").stat().st_size > 1000


def test_few_images_tell_nothing_and_other_data_are_told(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [write_run(tmp_path / name, [x] * 5) for name, x in (("a", 0.5), ("b", 0.6))]
    for run in runs:
        (tmp_path / run / "run.json").write_text(
            json.dumps({"root": f"/data{run[-1]}"})
        )
    found = report.compare(runs)
    assert found["runs"][1]["noise"]
    assert "different folders, /dataa, /datab" in found["doubts"][0]
    assert main(["compare", *runs]) == 0
    text = capsys.readouterr().out
    assert "too few images" in text and "different folders" in text


def test_runs_that_cannot_be_compared_are_refused(tmp_path, run):
    other = write_run(tmp_path / "other", [0.5])
    with pytest.raises(ValueError, match="no image in common"):
        report.compare([run, other])
    with pytest.raises(ValueError, match="two runs"):
        report.compare([run])


def test_the_interval_of_a_mean_is_two_standard_errors_wide():
    values = np.random.default_rng(1).normal(size=400)
    low, high = report.mean_interval(values)
    assert (high - low) == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)
    assert np.isnan(report.mean_interval([])).all()
