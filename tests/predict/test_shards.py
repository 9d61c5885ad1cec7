"""Shards of a list of images: what is done stays done, whatever dies."""

import json

import numpy as np
import pytest

from kerasseg import files
from kerasseg.instance.instances import Instances
from kerasseg.predict import shards, tables

parquet = pytest.importorskip("pyarrow.parquet")
ABOUT = {"model": "a model"}


class Maker:
    """Finds nothing in images, and notes which it was asked for."""

    def __init__(self, stop=None, error=None):
        self.asked, self.stop, self.error = [], stop, error

    def __call__(self, path, mask):
        name = path.rpartition("/")[2]
        self.asked.append(name)
        if name == self.stop:
            raise self.error
        files.replace(mask, lambda part: part.write_text(name))
        image = {"height": 2, "width": 3, "objects": 1, "a_objects": 1, "a_area_px": 6}
        row = dict.fromkeys(tables.COLUMNS, 1) | {"class": "a", "score": ""}
        return tables.Found([row], image), None


@pytest.fixture
def listed(tmp_path):
    """Function that writes a list of images and plans shards of them."""

    def plan(names, workers=1, about=ABOUT):
        path = tmp_path / "list.txt"
        path.write_text("\n".join(names))
        return shards.plan(path, tmp_path / "out", about, workers=workers)

    return plan


def column(folder, name):
    return parquet.read_table(folder)[name].to_pylist()


def run(out, number, maker):
    columns = tables.class_columns(["a"])
    return shards.run(out, number, maker, columns=columns, class_names=["a"])


def test_a_plan_divides_a_list_evenly_and_in_order(listed, tmp_path):
    found = listed([f"{i}.png" for i in range(33)], workers=2)
    assert found == {"images": 33, "shards": 11, **ABOUT}  # three in each
    content = json.loads((tmp_path / "out/work/000010.json").read_text())
    assert content["begin"] == 30
    assert [name for name, _ in content["images"]] == ["30", "31", "32"]


def test_long_lists_have_shards_of_the_most_images(listed):
    assert listed(["a.png"] * 5000)["shards"] == 20


def test_a_plan_is_taken_up_as_it_was(listed, tmp_path):
    found = listed(["a.png", "b.png"])
    assert listed(["other.png"] * 9) == found
    shards.run(tmp_path / "out", 0, Maker())
    with pytest.raises(ValueError, match=r"model='a model'.*Received: model='another'"):
        listed(["a.png"], about={"model": "another"})


def test_a_plan_of_which_nothing_was_begun_may_become_another(listed):
    listed(["a.png"] * 600)
    found = listed(["a.png"], about={"model": "another"})
    assert found == {"images": 1, "shards": 1, "model": "another"}


@pytest.mark.parametrize("content", ["", '{"images": 3, "sha', "[]", '{"images": 3}'])
def test_a_damaged_plan_is_named(listed, tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/plan.json").write_text(content)
    with pytest.raises(ValueError, match=r"plan\.json must be a plan"):
        listed(["a.png"])


@pytest.mark.parametrize("names, message", [([], "none"), (["out/a.png"], "not hold")])
def test_lists_that_cannot_be_planned(listed, names, message):
    with pytest.raises(ValueError, match=message):
        listed(names)


def test_a_shard_becomes_masks_and_tables(listed, tmp_path):
    listed(["x/a.png", "y/a.png"], workers=1)
    out = tmp_path / "out"
    assert shards.missing(out, {"shards": 2}) == [0, 1]
    for number in (0, 1):
        run(out, number, Maker())
    assert shards.missing(out, {"shards": 2}) == []
    images = out / "images"
    assert column(images, "path") == [f"{tmp_path}/{d}/a.png" for d in "xy"]
    assert column(images, "index") == [0, 1] and column(images, "a_area_px") == [6, 6]
    assert (out / column(images, "mask")[1]).read_text() == "a.png"
    assert column(out / "objects", "index") == [0, 1]
    assert column(out / "objects", "score") == [None, None]
    assert not list((out / "work").glob("*.jsonl"))


def test_names_that_occur_twice_in_a_shard_differ(listed, tmp_path):
    listed(["x/a.png", "y/a.png"] * 8)
    run(tmp_path / "out", 0, Maker())
    masks = (tmp_path / "out/masks/000000").iterdir()
    assert sorted(path.name for path in masks) == ["a.png", "a_2.png"]


def test_after_a_stop_only_what_is_missing_is_done(listed, tmp_path):
    listed([f"{i}.png" for i in range(40)])  # five in a shard
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", 0, Maker("2.png", KeyboardInterrupt()))
    journal = next((tmp_path / "out/work").glob("000000-*.jsonl"))
    with open(journal, "a") as file:  # the process died while it wrote
        file.write('{"end": 4, "row": {"ind')
    maker = Maker()
    assert run(tmp_path / "out", 0, maker)["images"] == 5
    assert maker.asked == ["2.png", "3.png", "4.png"]
    assert column(tmp_path / "out/images", "index") == [0, 1, 2, 3, 4]


def test_a_bad_image_costs_its_row(listed, tmp_path):
    listed(["a.png", "b.png", "c.png"] * 8)
    found = run(tmp_path / "out", 0, Maker("b.png", ValueError("is no image")))
    path = f"{tmp_path}/b.png"
    assert found["failed"] == [{"path": path, "error": f"{path}: is no image"}]
    masks = column(tmp_path / "out/images", "mask")
    assert masks == ["masks/000000/a.png", None, "masks/000000/c.png"]
    errors = column(tmp_path / "out/images", "error")
    assert errors == [None, f"{path}: is no image", None]


def test_an_image_that_kills_its_process_is_left_out_the_fourth_time(listed, tmp_path):
    listed(["a.png", "b.png", "c.png"] * 8)
    for _ in range(shards.MOST_DEATHS):
        with pytest.raises(SystemExit):
            run(tmp_path / "out", 0, Maker("b.png", SystemExit()))
    maker = Maker("b.png", SystemExit())
    assert "died at it 3 times" in run(tmp_path / "out", 0, maker)["failed"][0]["error"]
    assert maker.asked == ["c.png"]


def test_a_full_disk_ends_the_run_and_blames_no_image(listed, tmp_path):
    listed(["a.png"])
    with pytest.raises(files.WriteError, match="full"):
        run(tmp_path / "out", 0, Maker("a.png", files.WriteError("disk full")))
    assert run(tmp_path / "out", 0, Maker())["failed"] == []


def test_tables_of_failures_have_the_columns_of_others(listed, tmp_path):
    listed(["a.png", "b.png"])
    run(tmp_path / "out", 0, Maker("a.png", ValueError("bad")))
    run(tmp_path / "out", 1, Maker())
    one, other = (
        parquet.read_schema(tmp_path / f"out/images/00000{i}.parquet") for i in (0, 1)
    )
    assert one == other and "a_area_px" in one.names


def test_instances_become_a_coco_file_for_each_shard(listed, tmp_path):
    from pycocotools.coco import COCO

    def find(path, mask):
        masks = np.zeros([2, 4, 4], bool)
        masks[0, :2], masks[1, 2:] = True, True
        boxes = np.array([[0, 0, 4, 2], [0, 2, 4, 4]], "float32")
        found = Instances(boxes, np.array([0, 0]), np.array([0.9, 0.8]), masks)
        return tables.of_instances(found, ["a"]), found

    listed(["a.png", "b.png"] * 8)
    for number in (0, 1):
        run(tmp_path / "out", number, find)
    coco = COCO(str(tmp_path / "out/instances/000001.json"))
    assert coco.getImgIds() == [3, 4]  # of the whole list
    assert coco.loadImgs(3)[0]["file_name"] == f"{tmp_path}/a.png"
    assert [one["area"] for one in coco.loadAnns(coco.getAnnIds(4))] == [8, 8]
    assert coco.loadCats(1)[0]["name"] == "a"
