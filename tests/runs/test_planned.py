"""Runs that a plan has begun."""

import json

import pytest

from kerasseg.runs import planned
from kerasseg.runs.folder import RunError

REQUEST = {"minutes": 5.0, "root": "/photos"}


def begin(run, request=REQUEST, *, is_done=False):
    run.mkdir(parents=True)
    (run / "recipe.toml").write_text("")
    (run / "plan.json").write_text(json.dumps({"request": request}))
    if is_done:
        (run / "results.json").write_text("{}")
    return run


def test_the_unfinished_run_of_the_same_request_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begin(tmp_path / "runs/unet_a", is_done=True)
    begin(tmp_path / "runs/unet_b", {**REQUEST, "minutes": 6.0})
    begin(tmp_path / "runs/other")
    assert planned.find_planned(None, "unet", REQUEST) is None
    begin(tmp_path / "runs/unet_c")
    found = planned.find_planned(None, "unet", REQUEST)
    assert found.resolve() == tmp_path / "runs/unet_c"


def test_a_folder_that_is_named_may_be_finished(tmp_path):
    run = begin(tmp_path / "run", is_done=True)
    assert planned.find_planned(run, "unet", REQUEST) == run
    assert planned.find_planned(tmp_path / "new", "unet", REQUEST) is None


@pytest.mark.parametrize("plan", ["", "[]", '{"request": {"minutes": 6}}', "[" * 9999])
def test_a_run_of_another_plan_is_refused(tmp_path, plan):
    run = begin(tmp_path / "run")
    (run / "plan.json").write_text(plan)
    with pytest.raises(RunError, match="another plan or recipe"):
        planned.find_planned(run, "unet", REQUEST)
