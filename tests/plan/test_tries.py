"""Which models are tried and for how long; trials themselves are made up."""

import dataclasses

import pytest

from kerasseg.plan import planner, tries
from kerasseg.plan.picking import Trial
from tests.plan.test_choices import NUCLEI, STREET

LITE = "efficientnet_lite0"


@pytest.fixture
def tried(monkeypatch):
    """Function of facts and a request's fields; returns `Tried` and (name, seconds)."""
    clock = [0.0]
    monkeypatch.setattr(tries, "_is_here", LITE.__eq__)
    monkeypatch.setattr(tries.time, "monotonic", lambda: clock[0])

    def run(facts, minutes, *, takes=0.0, error=None, **given):
        models = []

        def measure(recipe, samples, *, seconds: float, flips, mean_px):
            clock[0] += takes
            models.append((recipe["model"]["architecture"], seconds))
            scores = {"as it is": len(models) / 10} if seconds else {}
            found = Trial(step_s=0.1, batch_size=4, scores=scores)
            return dataclasses.replace(found, error=error if len(models) == 1 else None)

        monkeypatch.setattr(tries.trial, "run", measure)
        task = "instances" if facts.has_objects else "semantic"
        looked = planner.Looked(
            sides={},
            data=({"dataset": "shapes"}, {}),
            facts=facts,
            task=(task, ""),
            size=([256, 256], ""),
            zoom=(2.0, "") if facts.has_objects else None,
            check_s=1.0,
        )
        request = planner.Request({"dataset": "shapes"}, None, minutes, **given)
        return tries.run(request, looked, lambda event: None, 0.0), models

    return run


def test_class_maps_are_scored_and_the_best_score_is_kept(tried):
    found, models = tried(STREET, 20)
    assert [name for name, _ in models] == ["deeplab_v3_plus", "unet"]
    # 15 % of 20 minutes, shared by two, of which 12 seconds each are to set up.
    assert [seconds for _, seconds in models] == [pytest.approx(78.0)] * 2
    assert found.scores == {"as it is": 0.2}


def test_in_a_short_time_one_model_is_tried_and_not_scored(tried):
    found, models = tried(STREET, 2)
    assert models == [("deeplab_v3_plus", 0)]
    assert found.scores is None


def test_no_other_model_is_tried_when_it_is_late(tried):
    assert len(tried(STREET, 20, takes=400.0)[1]) == 1
    # Unless the first could not be trained.
    assert len(tried(STREET, 20, takes=400.0, error="too little memory")[1]) == 2


def test_a_model_that_was_asked_for_is_the_only_one(tried):
    overrides = ("model.architecture=unet", "augment.flip=both")
    assert tried(STREET, 20, overrides=overrides)[1] == [("unet", 0)]


def test_flips_for_objects_are_tried_by_a_map_of_classes(tried):
    found, models = tried(NUCLEI, 20)
    assert [name for name, _ in models[:-1]] == ["mask_rcnn", "stardist"]
    assert {seconds for _, seconds in models[:-1]} == {0}
    # Half of the share of 15 %, without the 12 seconds to set up.
    assert models[-1][1] == pytest.approx(78.0)
    assert set(found.trials) == {one.name for one in found.candidates}
    assert found.scores == {"as it is": 0.3}
