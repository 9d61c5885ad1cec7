"""Lines of a training in a log file."""

import re

from kerasseg.cli.progress import Progress


def test_time_left_is_shown_from_the_tenth_step(capsys, monkeypatch):
    clock = iter(range(100, 10_000, 2))  # two seconds per step
    monkeypatch.setattr("kerasseg.cli.progress.time.monotonic", lambda: next(clock))
    with Progress() as progress:
        progress.update({"kind": "begin", "step": 0, "steps": 100})
        for step in range(1, 13):
            numbers = {"loss": 0.5, "epoch": 1, "images_per_s": 3.0}
            progress.update({"kind": "step", "step": step, **numbers})
    lines = [x for x in capsys.readouterr().out.splitlines() if "left" in x]
    assert len(lines) == 1
    assert re.search(r"step +10 of 100 .*left 0:0[3-9]:", lines[0])
