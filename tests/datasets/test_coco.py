"""COCO's annotation files: what is read, and what is refused with its name."""

import copy
import json
import re

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image

SQUARE = [[1, 1, 4, 1, 4, 3, 1, 3]]
RIGHT = {"size": [4, 6], "counts": [12, 12]}  # column by column: the right half
DOCUMENT = {
    "images": [
        {"id": 7, "file_name": "a.png", "height": 4, "width": 6},
        {"id": 3, "file_name": "sub/b.png", "height": 4, "width": 6},
    ],
    "categories": [{"id": 9, "name": "fig"}, {"id": 2, "name": "date"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 9, "segmentation": SQUARE},
        {"id": 2, "image_id": 7, "category_id": 2, "segmentation": RIGHT, "iscrowd": 1},
        {"id": 5, "image_id": 7, "category_id": 2, "segmentation": []},
        {"id": 6, "image_id": 3, "category_id": 2, "segmentation": RIGHT},
        {"id": 8, "image_id": 3, "category_id": 9, "segmentation": SQUARE},
    ],
}


@pytest.fixture
def write(tmp_path):
    """Writer of a data set; changes are (path into the document, value)."""

    def write(*changes):
        document = copy.deepcopy(DOCUMENT)
        for path, value in changes:
            *parents, last = path
            target = document
            for key in parents:
                target = target[key]
            target[last] = value
        for name in ("a.png", "sub/b.png"):
            file = tmp_path / "images" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            write_image(file, np.zeros([4, 6, 3], "uint8"))
        (tmp_path / "instances.json").write_text(json.dumps(document))
        return tmp_path

    return write


def test_categories_are_classes_in_the_order_of_their_ids(write):
    samples = datasets.coco(write())
    assert samples.classes == ("background", "date", "fig")
    assert samples.names == ("a", "sub/b")


def test_overlapping_instances_lie_in_maps_of_their_own(write):
    sample = datasets.coco(write())[1]
    assert sample["classes"].tolist() == [1, 2]
    right, square = sample["instances"]
    np.testing.assert_array_equal(right, [[0, 0, 0, 1, 1, 1]] * 4)
    middle = [0, 2, 2, 2, 0, 0]
    np.testing.assert_array_equal(square, [[0] * 6, middle, middle, [0] * 6])


def test_the_smaller_instance_shows_in_the_label(write):
    label = datasets.coco(write())[1]["label"]
    middle = [0, 2, 2, 2, 1, 1]
    outer = [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(label, [outer, middle, middle, outer])


def test_crowds_are_ignored_and_empty_polygons_are_left_out(write):
    sample = datasets.coco(write())[0]
    assert sample["classes"].tolist() == [2, 1]
    assert sample["crowd"].tolist() == [False, True]
    assert sample["label"][0].tolist() == [0, 0, 0, 255, 255, 255]
    assert sample["label"][1].tolist() == [0, 2, 2, 2, 255, 255]


def test_an_image_without_instances_is_background(write):
    sample = datasets.coco(write((["annotations"], [])))[0]
    assert sample["instances"].shape == (1, 4, 6) and not sample["instances"].any()
    assert not sample["label"].any() and sample["classes"].shape == (0,)


@pytest.mark.parametrize(
    "path, value, message",
    [
        (["images", 0, "file_name"], "../a.png", "image 7: '../a.png'"),
        (["images", 0, "file_name"], "/etc/passwd", "image 7: '/etc/passwd'"),
        (["images", 0, "file_name"], "..\\a.png", "file names inside"),
        (["images", 0, "file_name"], "C:a.png", "file names inside"),
        (["images", 0, "file_name"], None, "file names inside"),
        (["images", 0, "file_name"], "sub/b.png", "occurs once"),
        (["images", 0, "id"], 3, "unique ids"),
        (["images", 0, "id"], True, "unique ids"),
        (["images", 0, "height"], 0, "image 7: 0 x 6"),
        (["images", 0, "width"], 10**9, "together at most"),
        (["annotations", 1, "id"], 1, "unique ids"),
        (["annotations", 0, "image_id"], None, "known image_id.*annotation 1: None"),
        (["annotations", 0, "category_id"], 1, "known category_id.*annotation 1"),
        (["annotations", 0, "iscrowd"], 2, "iscrowd 0 or 1"),
        (["annotations", 0, "segmentation"], None, "annotation 1: None"),
        (["categories", 0, "name"], "date", "name that is text and occurs once"),
        (["categories"], None, "a list 'categories'"),
    ],
)
def test_a_wrong_entry_is_refused_before_any_image_is_read(write, path, value, message):
    with pytest.raises(ImageError, match=f"instances.json: .*{message}"):
        datasets.coco(write((path, value)))


def test_boxes_that_are_corners_and_areas_beyond_the_image_are_measured_anew(write):
    # As (x, y, width, height) this box would overlap by more than half.
    one = {**DOCUMENT["annotations"][0], "bbox": [1, 1, 4, 4], "area": 1e9}
    one["segmentation"] = [[1, 1, 4, 1, 4, 4, 1, 4]]
    sample = datasets.coco(write((["annotations"], [one])))[0]
    assert sample["boxes"].tolist() == [[1, 1, 4, 4]]
    assert sample["areas"].tolist() == [9]


def test_outlines_in_shares_of_the_image_are_refused(write):
    ring = [[0.1, 0.1, 0.5, 0.1, 0.5, 0.5]]
    changes = [(["annotations", i, "segmentation"], ring) for i in range(5)]
    with pytest.raises(ImageError, match=r"outlines in pixels.*numbers in 0\.\.1"):
        datasets.coco(write(*changes))


def test_points_that_are_objects_are_refused_and_not_taken_for_a_box(write):
    ring = [[{"x": 1, "y": 1}, {"x": 3, "y": 1}, {"x": 3, "y": 3}, {"x": 1, "y": 3}]]
    root = write((["annotations", 0, "segmentation"], ring))
    with pytest.raises(ImageError, match=r"annotation 1 of a\.png: A polygon must be"):
        datasets.coco(root)[0]


def test_a_category_of_the_background_that_nothing_has_is_no_class(write):
    ground = {"id": 0, "name": "_background_"}
    samples = datasets.coco(write((["categories"], [ground, *DOCUMENT["categories"]])))
    assert samples.classes == ("background", "date", "fig")
    assert "Left out of the classes, because unused: '_background_'." in samples.notes


def test_objects_of_a_category_background_are_refused(write):
    ground = [{**one, "name": "background"} for one in DOCUMENT["categories"][:1]]
    with pytest.raises(ImageError, match="no annotation of a category 'background'"):
        datasets.coco(write((["categories"], [*ground, *DOCUMENT["categories"][1:]])))


def test_annotations_of_images_that_are_not_listed_are_counted(write):
    samples = datasets.coco(write((["annotations", 0, "image_id"], 8)))
    assert samples[0]["classes"].tolist() == [1]  # the crowd alone
    (note,) = (
        note for note in samples.notes if "not listed" in note or "image 8" in note
    )
    assert (
        note
        == "Left out: 1 annotation that is of no listed image: annotation 1 of image 8."
    )


def test_a_file_whose_annotations_are_all_of_other_images_is_refused(write):
    changes = [(["annotations", i, "image_id"], 8) for i in range(5)]
    with pytest.raises(ImageError, match=r"a known image_id.*annotation 1: 8"):
        datasets.coco(write(*changes))


@pytest.mark.parametrize(
    "segmentation",
    [
        [[0, 0, 1]],
        [[0, 0, float("nan"), 1, 1, 1]],
        [[0, 0, 1e300, 1, 1, 1]],
        [["x"] * 6],
        {"size": [4, 6], "counts": [1, 1]},
        {"size": [400, 600], "counts": [240000]},
        {"size": [4, 6], "counts": "??"},
    ],
)
def test_a_wrong_outline_is_refused_by_the_id_of_its_annotation(write, segmentation):
    root = write((["annotations", 0, "segmentation"], segmentation))
    with pytest.raises(ImageError, match=r"instances\.json: .*annotation 1") as error:
        datasets.coco(root)[0]
    # An ellipsis may stand in it, two full stops in a row may not.
    assert not re.search(r"(?<!\.)\.\.(?!\.)", str(error.value))


EMPTY = '{"images": [], "annotations": [], "categories": []}'


@pytest.mark.parametrize("text", ["", "[" * 100_000, "[]", '{"images": 3}', EMPTY])
def test_what_is_no_annotation_file_is_refused(tmp_path, text):
    (tmp_path / "images").mkdir()
    (tmp_path / "instances.json").write_text(text)
    with pytest.raises(ImageError, match=r"instances\.json"):
        datasets.coco(tmp_path)


def test_an_image_of_another_size_is_named(write):
    root = write((["images", 0, "height"], 5))
    with pytest.raises(ImageError, match=r"a\.png: required: an image of 6 x 5"):
        datasets.coco(root)[0]


def test_a_split_by_hash_takes_every_image_once(write):
    parts = [datasets.coco(write(), split).names for split in ("train", "val")]
    assert sorted(parts[0] + parts[1]) == ["a", "sub/b"]
    with pytest.raises(ValueError, match='"train" or "val"'):
        datasets.coco(write(), "test")


FORMS = {
    "ids from 0": lambda d: (
        [one.update(id=one["id"] - 3) for one in d["images"]],
        [one.update(image_id=one["image_id"] - 3) for one in d["annotations"]],
    ),
    "annotation ids anew in each image": lambda d: [
        one.update(id=number) for number, one in zip([0, 1, 2, 0, 1], d["annotations"])
    ],
    "no annotation ids": lambda d: [one.pop("id") for one in d["annotations"]],
    "strings": lambda d: [
        one.update({key: f"{one[key]}" for key in one if key.endswith("id")})
        for one in d["images"] + d["categories"] + d["annotations"]
    ],
    "backslashes": lambda d: d["images"][1].update(file_name="sub\\b.png"),
    "objects for lists": lambda d: [
        d.update({key: {str(one.pop("id")): one for one in d[key]}})
        for key in ("images", "categories", "annotations")
    ],
    "a root category": lambda d: (
        d["categories"].append({"id": 0, "name": "fig", "supercategory": "none"}),
        [one.update(supercategory="fig") for one in d["categories"][:2]],
    ),
    "rings of four numbers": lambda d: [
        one.update(segmentation=[[0, 0, 5, 5], *SQUARE])
        for one in d["annotations"]
        if one["segmentation"] == SQUARE
    ],
    "one ring without a list of its own": lambda d: [
        one.update(segmentation=SQUARE[0])
        for one in d["annotations"]
        if one["segmentation"] == SQUARE
    ],
    "an annotation twice": lambda d: d["annotations"].append(dict(d["annotations"][0])),
    "a box alone": lambda d: d["annotations"].append(
        {"id": 11, "image_id": 7, "category_id": 9, "bbox": [0, 0, 2, 2]}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_files_of_other_tools_give_the_same_samples(write, form):
    expected = [datasets.coco(write())[index] for index in range(2)]
    document = copy.deepcopy(DOCUMENT)
    FORMS[form](document)
    samples = datasets.coco(write(*(([key], value) for key, value in document.items())))
    assert samples.classes == ("background", "date", "fig")
    assert samples.names == ("a", "sub/b")
    for index in range(2):
        found = samples[index]
        assert found.keys() == expected[index].keys()
        for key, values in expected[index].items():
            np.testing.assert_array_equal(found[key], values, err_msg=key)


@pytest.mark.parametrize(
    ("form", "note"),
    [
        ("a root category", "only name a group: 'fig'"),
        ("an annotation twice", "1 annotation that stands in the file twice: .* 1 of"),
        ("a box alone", "1 annotation that has a box .*: annotation 11 of a.png"),
    ],
)
def test_what_is_left_out_is_counted_once_and_named(write, form, note):
    document = copy.deepcopy(DOCUMENT)
    document["annotations"][2]["segmentation"] = SQUARE
    FORMS[form](document)
    root = write(*(([key], value) for key, value in document.items()))
    warnings = datasets.check(datasets.coco(root))["warnings"]
    left = [warning for warning in warnings if warning.startswith("Left out")]
    assert len(left) == 1 and re.search(note, left[0])


def test_boxes_become_rectangles_when_asked(write):
    box = {"id": 11, "image_id": 7, "category_id": 9, "bbox": [0, 0, 2, 3]}
    root = write((["annotations"], [box]))
    with pytest.raises(ImageError, match=r'boxes="fill".*--set data\.boxes=fill'):
        datasets.coco(root)
    sample = datasets.coco(root, boxes="fill")[0]
    assert sample["instances"].tolist() == [[[1, 1, 0, 0, 0, 0]] * 3 + [[0] * 6]]
    with pytest.raises(ValueError, match="`boxes` must be in"):
        datasets.coco(root, boxes="draw")


def test_a_file_of_crowds_says_so_and_can_be_taken_for_objects(write):
    crowds = [{**one, "iscrowd": 1} for one in DOCUMENT["annotations"]]
    root = write((["annotations"], crowds))
    report = datasets.check(datasets.coco(root))
    assert report["crowds"] == 4 and report["objects"] == {"date": 0, "fig": 0}
    assert any("data.crowds=false" in warning for warning in report["warnings"])
    samples = datasets.coco(root, crowds=False)
    assert (
        not any("iscrowd" in note for note in samples.notes)
        and not samples[0]["crowd"].any()
    )
    assert samples[0]["classes"].tolist() == [2, 1]


def test_some_crowds_among_objects_are_told(write):
    first, *rest = DOCUMENT["annotations"]
    root = write((["annotations"], [{**first, "iscrowd": 1}, *rest]))
    notes = [note for note in datasets.coco(root).notes if note.startswith("Crowds")]
    assert len(notes) == 1 and "data.crowds=false" in notes[0]
    assert notes[0].startswith("Crowds: 2 of 4 ")  # the empty outline is left out


def test_boxes_and_areas_are_those_of_the_file_where_it_has_good_ones(write):
    square = DOCUMENT["annotations"][0]
    changed = [
        {**square, "bbox": [1.2, 0.8, 2.9, 2.1], "area": 5.5},
        {**square, "id": 2, "bbox": [0.2, 0.1, 0.3, 0.2]},  # shares of the image
        {**square, "id": 3, "bbox": [1, 1, float("nan"), 2], "area": float("nan")},
    ]
    sample = datasets.coco(write((["annotations"], changed)))[0]
    expected = [[1.2, 0.8, 4.1, 2.9], [1, 1, 4, 3], [1, 1, 4, 3]]
    np.testing.assert_allclose(sample["boxes"], expected, atol=1e-6)
    assert sample["areas"].tolist() == [5.5, 6, 6]


def test_images_of_one_stem_keep_their_extension(write):
    root = write((["images", 1, "file_name"], "a.jpg"))
    assert datasets.coco(root).names == ("a.png", "a.jpg")


def test_a_link_out_of_the_folder_is_refused(write, tmp_path_factory):
    root, elsewhere = write(), tmp_path_factory.mktemp("x") / "a.png"
    (root / "images/a.png").rename(elsewhere)
    (root / "images/a.png").symlink_to(elsewhere)
    with pytest.raises(ImageError, match="links too"):
        datasets.coco(root)[0]


def test_every_category_is_on_both_sides_of_a_split_by_hash(write):
    images = [
        {"id": i, "file_name": f"{i}.png", "height": 4, "width": 6} for i in range(30)
    ]
    document = {"images": images, "annotations": []}
    for number in range(30):
        kind = {"id": number, "image_id": number, "segmentation": SQUARE}
        document["annotations"].append({**kind, "category_id": 2 if number < 27 else 9})
    root = write(*(([key], value) for key, value in document.items()))
    for side in ("train", "val"):
        names = {int(name) for name in datasets.coco(root, side).names}
        assert names & {27, 28, 29} and names - {27, 28, 29}


def test_masks_are_those_of_pycocotools(data_root, capsys):
    from pycocotools.coco import COCO

    root = data_root("coco128")
    reference, samples = COCO(root / "instances.json"), datasets.coco(root)
    for index in range(0, 96, 19):
        number = reference.dataset["images"][index]["id"]
        objects = reference.imgToAnns[number]
        maps = samples[index]["instances"]
        for position, annotation in enumerate(objects, 1):
            expected = reference.annToMask(annotation)
            np.testing.assert_array_equal((maps == position).any(0), expected)


def test_two_lists_of_one_name_are_refused(write):
    root = write()
    path = root / "instances.json"
    text = path.read_text().rstrip()
    path.write_text(text[:-1] + ', "annotations": []}')
    with pytest.raises(ImageError, match=r"one list 'annotations'.*2 of them"):
        datasets.coco(root)
    path.write_text(text[:-1] + ', "info": {"annotations": [], "by": "images"}}')
    assert len(datasets.coco(root)) == 2
