"""Clips through a small model of each task."""

import csv

import numpy as np
import pytest

from kerasseg import tasks, video, zoo
from tests.video import films

MODELS = {
    "semantic": lambda: zoo.unet(3, "tiny", decoder_filters=[8, 8]),
    "stars": lambda: zoo.stardist(encoder="tiny", num_rays=8),
    "panoptic": lambda: zoo.panoptic_deeplab(3, "tiny"),
    "instance": lambda: zoo.yolact(
        2, "tiny", image_size=(64, 64), filters=8, num_prototypes=4
    ),
}
NAMES = {"semantic": ["ground", "cat", "dog"], "stars": ["cell"]}
NAMES |= {"panoptic": NAMES["semantic"], "instance": ["cat", "dog"]}


def table_of(found):
    with open(found["files"][1], newline="") as stream:
        return list(csv.DictReader(stream))


# Untrained models find more than the three that are asked for.
pytestmark = pytest.mark.filterwarnings("ignore:An image has more objects than max")
SLOW = {"stars": [pytest.mark.slow], "panoptic": [pytest.mark.slow]}


# Only three objects of those of untrained models, as asked.
@pytest.mark.filterwarnings("ignore:An image has more objects")
@pytest.mark.parametrize(
    "name, named",
    [
        *(pytest.param(name, True, marks=SLOW.get(name, ())) for name in MODELS),
        ("semantic", False),
    ],
)
def test_a_clip_gets_overlays_and_a_row_for_each_frame(tmp_path, name, named):
    model = MODELS[name]()
    source = films.write(tmp_path / "in.webm", num=2)
    look = {"class_names": NAMES[name]} if named else {}
    # Of untrained models; hundreds of objects would take long.
    options = {} if name == "semantic" else {"max_objects": 3}
    found = tasks.video(model, source, tmp_path / "out", options=options, **look)
    rows = table_of(found)
    assert [row["frame"] for row in rows] == ["0", "1"]
    assert {row["height"] for row in rows} == {"72"}
    names = NAMES[name] if named else ["class 0", "class 1", "class 2"]
    assert {f"{one}_area_px" for one in names} <= rows[0].keys()
    with video.Clip(found["files"][0]) as clip:
        assert len(list(clip)) == 2


def test_areas_of_classes_are_those_of_the_class_map(tmp_path):
    model = MODELS["semantic"]()
    source = films.write(tmp_path / "in.webm", num=2)
    look = {"class_names": NAMES["semantic"]}
    found = tasks.video(model, source, tmp_path / "out", **look)
    with video.Clip(source) as clip:
        maps = [tasks.predict(model, frame) for frame in clip]
    for row, ids in zip(table_of(found), maps):
        areas = [int(row[f"{one}_area_px"]) for one in NAMES["semantic"]]
        assert areas == np.bincount(ids.ravel(), minlength=3).tolist()


def test_smoothing_mixes_the_past_in(tmp_path):
    model = MODELS["semantic"]()
    source = films.write(tmp_path / "in.webm", num=6)
    plain = table_of(tasks.video(model, source, tmp_path / "plain"))
    smooth = table_of(
        tasks.video(
            model, source, tmp_path / "smooth", clip=video.ClipOptions(smooth=0.9)
        )
    )
    assert smooth[0] == plain[0] and smooth[5] != plain[5]
    with pytest.raises(ValueError, match="a class for each pixel"):
        tasks.video(
            MODELS["stars"](), source, tmp_path, clip=video.ClipOptions(smooth=0.5)
        )


def test_following_keeps_objects_near_their_place(tmp_path):
    model = MODELS["semantic"]()
    source = films.write(tmp_path / "in.webm", num=3)
    plain = table_of(tasks.video(model, source, tmp_path / "plain"))
    near = table_of(
        tasks.video(
            model, source, tmp_path / "near", clip=video.ClipOptions(follow=0.01)
        )
    )
    area = "class 0_area_px"
    assert near[0] == plain[0] and int(near[2][area]) >= int(plain[2][area])
