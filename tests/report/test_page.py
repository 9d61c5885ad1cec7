"""The page of a run, and runs beside each other."""

import html.parser
import json

import cv2
import numpy as np
import pytest

from kerasseg import report
from kerasseg.cli import main
from kerasseg.tasks.semantic import TASK

RESULTS = {
    "task": "semantic",
    "mean_iou": 0.6,
    "classes": {
        "<sky>": {
            "iou": 0.9,
            "dice": 0.9,
            "precision": 0.9,
            "recall": 0.95,
            "pixels": 90,
        },
        "crack": {
            "iou": 0.3,
            "dice": 0.5,
            "precision": 0.9,
            "recall": 0.4,
            "pixels": 10,
        },
        "never": {"iou": None, "dice": None, "precision": None, "recall": None},
    },
    "matrix": [[85, 5, 0], [6, 4, 0], [0, 0, 0]],
    "intervals": {
        "mean_iou": [0.5, 0.7],
        "classes": {"<sky>": [0.8, 0.95], "crack": [0.1, 0.5], "never": None},
    },
    "detection": {"crack": {"images": 4, "detected": 3, "false_alarms": 5}},
    "samples": [{"name": f"image{i}", "mean_iou": 0.1 * i} for i in range(10)],
    "split": "val",
    "seeds": [0],
    "date": "2026-11-29T00:00:00+00:00",
    "settings": {
        **{"num_images": 10, "num_params": 1234, "seconds_per_image": 0.1},
        "image_sizes": {"min": [8, 8], "max": [8, 9]},
    },
    "environment": {
        **{"devices": ["CPU"], "cpu": "a processor", "cpu_count": 2},
        "versions": {"keras": "3"},
    },
}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "a & b"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(RESULTS))
    (folder / "recipe.toml").write_text("[model] # a < b")
    (folder / "history.jsonl").write_text('{"kind": "epoch"}\n{"kind": "ep')
    cv2.imwrite(str(folder / "samples.png"), np.zeros([4, 4, 3], "uint8"))
    return folder


class Checker(html.parser.HTMLParser):
    """Collects text, and tags that are opened and not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        self.sources += [value for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_a_page_is_whole_and_alone(run):
    checker = Checker()
    checker.feed(report.page(run))
    text = "\n".join(checker.text)
    assert not checker.open
    # Nothing is loaded from anywhere: pictures lie inside.
    assert [source[:22] for source in checker.sources] == ["data:image/png;base64,"]
    for part in ("a & b", "60.0", "50.0 to 70.0", "<sky>", "[model] # a < b"):
        assert part in text, part
    assert "3 of 4" in text and "5 of 6" in text and "image0" in text


def test_a_folder_without_results_says_what_makes_them(tmp_path):
    with pytest.raises(ValueError, match="kerasseg evaluate --run"):
        report.page(tmp_path)


def test_advice_follows_from_the_numbers():
    text = "\n".join(report.advice(RESULTS))
    assert "crack is found too rarely (recall 40 %, precision 90 %" in text
    assert "60 % of the pixels of crack are taken for <sky>" in text
    assert "crack is found in 5 of 6 images without it" in text
    assert "could as well be 50.0 or 70.0" in text
    assert report.advice({"samples": [], "classes": {}}) == []


@pytest.mark.parametrize(
    "scores, expected",
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "train longer"),
        ([0.1, 0.6, 0.5, 0.5, 0.5, 0.5], "of epoch 2 of 6"),
        ([0.1, 0.5, 0.6, 0.61, 0.612, 0.612], None),
        ([0.1, None, 0.6, 0.7], None),
    ],
)
def test_a_training_too_short_or_too_long_is_told(scores, expected):
    rows = [{"kind": "epoch", TASK.monitor: score} for score in scores]
    found = report.advice({"samples": [], "mean_iou": 0.6}, rows)
    assert len(found) == (expected is not None)
    assert expected is None or expected in found[0]


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


def test_the_command_writes_the_page(run, capsys):
    assert main(["report", str(run)]) == 0
    assert "report.html" in capsys.readouterr().out
    assert (run / "report.html").read_text().startswith("<!doctype html>")
