"""Instances between COCO's JSON, label images and folders of masks."""

import itertools
import json
import pathlib
import tempfile

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as pycoco

from kerasseg import datasets
from kerasseg.cli import main
from kerasseg.datasets import convert
from kerasseg.images import ImageError, write_image, write_mask

SIZE = (4, 6)
CATEGORIES = [{"id": 2, "name": "date"}, {"id": 9, "name": "fig"}]
LEFT = np.array([[1, 1, 1, 0, 0, 0]] * 4, bool)  # 12 pixels
MIDDLE = np.array([[0, 0, 1, 1, 0, 0]] * 4, bool)  # 8, of which 4 lie in LEFT
RIGHT = np.array([[0, 0, 0, 0, 1, 1]] * 4, bool)


def runs(mask):
    """Counts of a run-length code, column by column from 0."""
    groups = [(value, len([*g])) for value, g in itertools.groupby(mask.T.ravel())]
    return [0] * bool(groups[0][0]) + [length for _, length in groups]


def save_coco(root, images):
    """COCO files; `images` is {file name: [(mask, category, crowd)]}."""
    document = {"images": [], "annotations": [], "categories": CATEGORIES}
    for number, (name, objects) in enumerate(images.items(), 40):
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(root / "images" / name, np.full([*SIZE, 3], number, "uint8"))
        entry = {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]}
        document["images"].append(entry)
        for mask, category, crowd in objects:
            document["annotations"].append(
                {
                    "id": 500 + len(document["annotations"]),
                    "image_id": number,
                    "category_id": category,
                    "iscrowd": crowd,
                    "segmentation": {"size": [*SIZE], "counts": runs(mask)},
                }
            )
    (root / "instances.json").write_text(json.dumps(document))
    return root / "instances.json"


def load_coco(root):
    """Annotations that `save_coco` was given, by json and pycocotools alone."""
    document = json.loads((root / "instances.json").read_text())
    assert document["categories"] == CATEGORIES
    images = {entry["id"]: entry["file_name"] for entry in document["images"]}
    found = {name: [] for name in images.values()}
    for o in document["annotations"]:
        code = o["segmentation"]
        if isinstance(code, list):
            code = pycoco.merge(pycoco.frPyObjects(code, *SIZE))
        mask = pycoco.decode(code).astype(bool)
        assert o["area"] == mask.sum()
        np.testing.assert_array_equal(o["bbox"], pycoco.toBbox(code))
        found[images[o["image_id"]]].append((mask, o["category_id"], o["iscrowd"]))
    return found


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, objects in expected.items():
        assert [o[1:] for o in found[name]] == [o[1:] for o in objects]
        for (mask, *_), (wanted, *_) in zip(found[name], objects):
            np.testing.assert_array_equal(mask, wanted)


def masks_in(folder):
    files = sorted(folder.iterdir())
    return [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) > 0 for file in files]


stacks = st.lists(arrays(bool, SIZE), max_size=4)


@settings(max_examples=25, deadline=None)
@given(stacks, st.data())
def test_coco_keeps_overlaps_classes_and_crowds(stack, data):
    kinds = [
        (data.draw(st.sampled_from([2, 9])), data.draw(st.sampled_from([0, 1])))
        for _ in stack
    ]
    objects = [(mask, *kind) for mask, kind in zip(stack, kinds) if mask.any()]
    polygons = data.draw(st.booleans())
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        save_coco(root, {"a.png": [*objects], "b.png": []})
        convert(root, root / "new", to="coco", polygons=polygons)
        assert_same(load_coco(root / "new"), {"a.png": objects, "b.png": []})


@settings(max_examples=25, deadline=None)
@given(arrays("int64", SIZE, elements=st.integers(0, 4)), st.data())
def test_label_images_keep_all_but_overlaps(ids, data):
    kind = st.tuples(st.sampled_from([2, 9]), st.booleans())
    kinds = [data.draw(kind) for _ in range(4)]
    masks = [ids == number for number in np.unique(ids) if number]
    objects = {"x/a.png": [(m, c, int(crowd)) for m, (c, crowd) in zip(masks, kinds)]}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        save_coco(root, objects)
        report = convert(root, root / "maps", to="labels")
        assert report["covered"] == report["empty"] == []
        convert(root / "maps", root / "back", to="coco")
        assert_same(load_coco(root / "back"), objects)


@settings(max_examples=15, deadline=None)
@given(stacks)
def test_folders_keep_overlaps(stack):
    stack = [mask for mask in stack if mask.any()]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        save_coco(root, {"a.png": [(mask, 2, 0) for mask in stack]})
        convert(root, root / "files", to="folders")
        convert(root / "files", root / "again", to="folders")
        found = masks_in(root / "again/a/masks")
        assert len(found) == len(stack)
        for mask, expected in zip(found, stack):
            np.testing.assert_array_equal(mask, expected)


def test_the_report_counts_what_lies_under_other_objects(tmp_path):
    objects = [
        (LEFT, 2, 0),
        (MIDDLE, 9, 0),
        (LEFT & MIDDLE, 9, 0),
        (LEFT | 1 > 0, 2, 1),
    ]
    save_coco(tmp_path, {"a.png": objects})
    report = convert(tmp_path, tmp_path / "maps", to="labels")
    lost = [(o["object"], o["pixels"], o["area"]) for o in report["covered"]]
    # The 4 shared pixels are the smallest object; the crowd of 24 is behind the 16.
    assert lost == [
        ("annotation 500", 4, 12),
        ("annotation 501", 4, 8),
        ("annotation 503", 16, 24),
    ]
    labels = cv2.imread(str(tmp_path / "maps/labels/a.png"), cv2.IMREAD_UNCHANGED)
    assert labels.dtype == "uint16"
    assert labels.tolist() == [[1, 1, 3, 2, 4, 4]] * 4


def test_a_hidden_or_empty_object_is_named_and_leaves_no_number(tmp_path):
    objects = [(LEFT, 2, 0), (LEFT, 9, 0), (LEFT & RIGHT, 9, 0), (RIGHT, 9, 0)]
    save_coco(tmp_path, {"a.png": objects})
    report = convert(tmp_path, tmp_path / "maps", to="labels")
    assert report["empty"] == [{"image": "a.png", "object": "annotation 502"}]
    assert [(o["object"], o["pixels"]) for o in report["covered"]] == [
        ("annotation 500", 12)
    ]
    sample = datasets.mask_folders(tmp_path / "maps")[0]
    assert sample["label"].tolist() == [[2, 2, 2, 0, 1 + 1, 2]] * 4
    assert sample["instances"].max() == report["objects"] == 2


def test_label_images_with_classes_are_a_data_set(tmp_path):
    images = {"sub/a.png": [(LEFT, 9, 0), (RIGHT, 2, 1)], "b.png": []}
    save_coco(tmp_path, images)
    convert(tmp_path, tmp_path / "maps", to="labels")
    samples = datasets.mask_folders(tmp_path / "maps")
    assert samples.classes == ("background", "date", "fig")
    sample = samples[samples.names.index("sub/a")]
    assert sample["classes"].tolist() == [2, 1]
    assert sample["crowd"].tolist() == [False, True]
    assert sample["label"].tolist() == [[2, 2, 2, 0, 255, 255]] * 4


def test_folders_lose_classes_and_crowds_and_say_so(tmp_path, capsys):
    save_coco(tmp_path, {"a.png": [(LEFT, 2, 0), (MIDDLE, 9, 0), (RIGHT, 9, 1)]})
    command = ["convert", str(tmp_path), "--to", "folders", "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0
    text = capsys.readouterr().out
    assert "the classes of objects (date 1, fig 2)" in text
    assert "that 1 objects are crowds" in text
    assert main([*command, str(tmp_path / "two"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["classes"] == {"date": 1, "fig": 2} and report["crowds"] == 1


def test_images_are_copied_byte_for_byte(tmp_path):
    save_coco(tmp_path, {"a.jpg": []})
    convert(tmp_path, tmp_path / "maps", to="labels")
    convert(tmp_path / "maps", tmp_path / "files", to="folders")
    content = (tmp_path / "images/a.jpg").read_bytes()
    assert (tmp_path / "files/a/images/a.jpg").read_bytes() == content


def test_label_images_of_others_have_one_class(tmp_path):
    write_image(tmp_path / "images/a.png", np.zeros([*SIZE, 3], "uint8"))
    write_mask(tmp_path / "labels/a.png", LEFT * 300 + RIGHT * 7)
    convert(tmp_path, tmp_path / "new", to="coco", name="nucleus", polygons=True)
    document = json.loads((tmp_path / "new/instances.json").read_text())
    assert document["categories"] == [{"id": 1, "name": "nucleus"}]
    assert [o["area"] for o in document["annotations"]] == [8, 12]
    assert isinstance(document["annotations"][0]["segmentation"], list)


def test_nothing_is_overwritten(tmp_path):
    save_coco(tmp_path, {"a.png": []})
    (tmp_path / "out").mkdir()
    convert(tmp_path, tmp_path / "out", to="labels")
    before = sorted(tmp_path.rglob("*"))
    for target in ("out", "instances.json"):
        with pytest.raises(ImageError, match="nothing is overwritten"):
            convert(tmp_path, tmp_path / target, to="folders", source_format="coco")
    assert sorted(tmp_path.rglob("*")) == before


def test_after_an_error_nothing_is_left(tmp_path, capsys):
    file = save_coco(tmp_path, {"a.png": [(LEFT, 2, 0)], "b.png": [(LEFT, 2, 0)]})
    file.write_text(file.read_text().replace("12, 12", "12, 11", 2))
    command = ["convert", str(file), "--to", "labels", "--out", str(tmp_path / "out")]
    assert main(command) == 1
    assert "instances.json: required: polygons or a" in (
        text := capsys.readouterr().err
    )
    assert "annotation 500" in text
    assert sorted(x.name for x in tmp_path.iterdir()) == ["images", "instances.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objects": {"a": []}}, "image a: none for object 7"),
        ({"objects": {"a": [{"id": 7, "category_id": 3}]}}, "object 7: 3"),
        ({"objects": {"a": [{"id": 7, "category_id": 1, "iscrowd": 5}]}}, "7: 5"),
        ({"objects": {"a": [{"id": 7, "category_id": 1}] * 2}}, "image a .* 7"),
        ({"objects": {"a": [3]}}, "id None"),
        ({"objects": []}, "by the name of their image"),
        ({"categories": [{"id": 1}]}, "categories with names"),
    ],
)
def test_wrong_classes_name_file_image_and_object(tmp_path, change, message):
    write_image(tmp_path / "images/a.png", np.zeros([*SIZE, 3], "uint8"))
    write_mask(tmp_path / "labels/a.png", LEFT * 7)
    document = {"categories": [{"id": 1, "name": "fig"}], "objects": {}, **change}
    (tmp_path / "classes.json").write_text(json.dumps(document))
    with pytest.raises(ImageError, match=rf"classes\.json: .*{message}"):
        convert(tmp_path, tmp_path / "out", to="coco")
    with pytest.raises(ImageError, match=rf"classes\.json: .*{message}"):
        datasets.mask_folders(tmp_path)[0]


def test_names_that_would_fall_together_are_refused(tmp_path):
    save_coco(tmp_path, {"a.png": [], "a.jpg": [], "b.png": []})
    for target in ("labels", "folders"):
        with pytest.raises(ImageError, match=r"Received: a\.png and a\.jpg"):
            convert(tmp_path, tmp_path / "out", to=target)
    save_coco(tmp_path, {"x/a.png": [], "x_a.png": []})
    with pytest.raises(ImageError, match=r"Received: x/a\.png and x_a\.png"):
        convert(tmp_path, tmp_path / "out", to="folders")


def test_options_that_mean_nothing_are_refused(tmp_path):
    save_coco(tmp_path, {"a.png": []})
    with pytest.raises(ValueError, match="Did you mean 'coco'"):
        convert(tmp_path, tmp_path / "out", to="cocoo")
    with pytest.raises(ValueError, match="`polygons` needs to='coco'"):
        convert(tmp_path, tmp_path / "out", to="labels", polygons=True)
    write_mask(tmp_path / "labels/a.png", LEFT * 7)
    with pytest.raises(ImageError, match="could be coco or labels"):
        convert(tmp_path, tmp_path / "out", to="labels")


def test_the_nuclei_come_back_from_label_images(data_root, tmp_path):
    root = data_root("dsb2018")
    document = json.loads((root / "instances.json").read_text())
    few = [image["id"] for image in document["images"][::60]]
    for key, name in (("images", "id"), ("annotations", "image_id")):
        document[key] = [entry for entry in document[key] if entry[name] in few]
    (tmp_path / "few.json").write_text(json.dumps(document))
    (tmp_path / "images").symlink_to(root / "images")
    report = convert(tmp_path / "few.json", tmp_path / "maps", to="labels")
    convert(tmp_path / "maps", tmp_path / "back", to="coco")
    back = json.loads((tmp_path / "back/instances.json").read_text())["annotations"]
    assert len(back) == len(document["annotations"]) == report["objects"]
    if not report["covered"]:
        codes = [o["segmentation"] for o in document["annotations"]]
        assert [o["segmentation"] for o in back] == codes


def test_losses_of_one_kind_are_named_up_to_twenty_and_counted(tmp_path, capsys):
    save_coco(tmp_path, {"a.png": [(LEFT, 2, 0)]})
    document = json.loads((tmp_path / "instances.json").read_text())
    (one,) = document["annotations"]
    document["annotations"] += [{**one, "id": i, "image_id": 9} for i in range(2, 27)]
    (tmp_path / "instances.json").write_text(json.dumps(document))
    command = ["convert", str(tmp_path), "--to", "labels", "--out", f"{tmp_path}/out"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert out.count("is of no listed image") == 20
    assert "... and 5 more of that kind" in out


def test_files_of_other_tools_convert_and_losses_are_named_once(tmp_path, capsys):
    save_coco(tmp_path, {"x/a.png": [(LEFT, 2, 0), (RIGHT, 9, 0)]})
    document = json.loads((tmp_path / "instances.json").read_text())
    document["images"][0].update(id="one", file_name="x\\a.png")
    for one in document["annotations"]:
        one["image_id"] = "one"
    extra = {"image_id": "one", "category_id": 2, "segmentation": []}
    document["annotations"] += [
        {**extra, "id": 1, "bbox": [0, 0, 2, 2]},
        {**extra, "id": 2},
        document["annotations"][0],
    ]
    for one in document["categories"]:
        one["supercategory"] = "plants"
    document["categories"].append({"id": 0, "name": "plants"})
    (tmp_path / "instances.json").write_text(json.dumps(document))
    report = convert(tmp_path, tmp_path / "new", to="coco")
    expected = {"x/a.png": [(LEFT, 2, 0), (RIGHT, 9, 0)]}
    assert_same(load_coco(tmp_path / "new"), expected)
    assert report["objects"] == 2
    losses = ["boxes", "empty", "copies"]
    assert [len(report[key]) for key in losses] == [1, 1, 1]
    source, out = str(tmp_path / "instances.json"), str(tmp_path / "filled")
    assert (
        main(["convert", source, "--to", "coco", "--out", out, "--boxes", "fill"]) == 0
    )
    printed = capsys.readouterr().out
    assert "with 3 objects" in printed and "only name a group: 'plants'" in printed
    assert printed.count("annotation 2 ") == printed.count("annotation 500") == 1
