"""Plans: what is refused, and how a request is found again."""

import json

import pytest

from kerasseg.plan import planner


def test_a_request_is_found_again_by_what_was_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = planner.Request({"name": "folder"}, "photos", 5, overrides=("a=1",))
    again = planner.Request(
        {"name": "folder"}, str(tmp_path / "photos"), 5, overrides=("a=1",), begun=7.0
    )
    asked = planner.about(one)
    assert asked == planner.about(again) == json.loads(json.dumps(asked))
    other = planner.Request({"name": "folder"}, "photos", 6, overrides=("a=1",))
    assert planner.about(other) != asked


@pytest.mark.parametrize("minutes", [0.9, float("nan"), float("inf")])
def test_minutes_are_refused_that_are_no_time(minutes):
    with pytest.raises(ValueError, match=r"`minutes` must be 1 or more\. Received"):
        planner.check_minutes(minutes)


def test_looking_tells_what_there_is_and_chooses_a_crop_that_fits():
    events = []
    data = {"dataset": "shapes", "train": {"num": 8, "size": 64}}
    data["val"] = {"num": 3, "size": 64, "seed": 1}
    looked = planner.look(planner.Request(data, None, 5), events.append)
    assert looked.task[0] == "instances"
    assert looked.zoom[0] >= 1
    assert looked.size[0] == [side for side in looked.size[0] if side % 32 == 0]
    progress = [(e["done"], e["total"]) for e in events if e["kind"] == "look"]
    assert progress[-1] == (11, 11)
    assert "8 train and 3 val images of about 64 x 64 px" in events[-1]["text"]
    with pytest.raises(ValueError, match=r"must be"):
        planner.plan(planner.Request(data, None, 0))
