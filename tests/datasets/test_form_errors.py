"""Wrong and hostile files of annotations: one error that names file and place."""

import json
import re

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.datasets import _yaml
from kerasseg.images import ImageError
from tests.datasets import forms


def read_all(name, root):
    """Every sample of a folder."""
    # COCO has a file for each side.
    samples = datasets.DATASETS[name](root, "train" if name == "panoptic" else None)
    return [samples[index] for index in range(len(samples))]


def change(root, pattern, old, new):
    """Replace text in the files of a pattern."""
    for path in root.glob(pattern):
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))


WRONG = {
    "yolo class": (forms.yolo, "labels/train/a.txt", "1 0", "7 0", "a.txt.*line 2: 7"),
    "yolo word": (forms.yolo, "labels/*/a.txt", "0 0", "cat 0", "line 1: 'cat'"),
    "yolo odd": (forms.yolo, "labels/*/a.txt", " 0.125", "", "line 1: 7 numbers"),
    "yolo pixels": (forms.yolo, "labels/*/a.txt", " 0.125", " 125", "line 1: 125"),
    "yolo nan": (forms.yolo, "labels/*/a.txt", " 0.125", " nan", "line 1: .*nan"),
    "yolo names": (forms.yolo, "data.yaml", "  1: dog", "  2: dog", "0, 1, 2"),
    "yolo anchor": (forms.yolo, "data.yaml", "0: cat", "0: &a cat", "line 6: &a cat"),
    "yolo folder": (forms.yolo, "data.yaml", "images/val", "gone", "'gone'"),
    "labelme label": (forms.labelme, "a.json", '"label": "cat", ', "", "shape 1"),
    "labelme kind": (
        forms.labelme,
        "a.json",
        '"shape_type": "polygon"',
        '"shape_type": "cube"',
        "shape 1: 'cube' of 4 points",
    ),
    "labelme size": (
        forms.labelme,
        "a.json",
        '"imageHeight": 8, "imageWidth": 12',
        '"imageHeight": 12, "imageWidth": 8',
        "EXIF",
    ),
    "labelme far": (forms.labelme, "a.json", "[2, 1]", "[2e9, 1]", "shape 1, 'cat'"),
    "cvat label": (forms.cvat, "*.xml", 'label="dog"', 'label="hog"', "'hog'.*line 7"),
    "cvat points": (forms.cvat, "*.xml", "2.00,1.00", "x,1.00", "line 6"),
    "cvat runs": (forms.cvat, "*.xml", 'rle="0, 12"', 'rle="0, 13"', "line 7.*13"),
    "cvat frame": (forms.cvat_video, "*.xml", 'frame="0"', 'frame="x"', "line 4: 'x'"),
    "cvat video": (
        forms.cvat_video,
        "*.xml",
        'label="cat"',
        "",
        "line 4: polygon None",
    ),
    "via table": (forms.via_table, "*.csv", '{""name"": ', "{", "row 1: .*Error"),
    "voc colour": (forms.voc_labelmap, "labelmap.txt", "250,50", "251,50", "colours"),
    "voc line": (forms.voc_labelmap, "labelmap.txt", "250,50", "950,50", "line 4"),
    "studio code": (forms.label_studio, "*.json", '"rle": [0', '"rle": [9', "values"),
    "studio size": (
        forms.label_studio,
        "*.json",
        '"original_width": 12',
        '"original_width": 13',
        "13",
    ),
    "via attribute": (forms.via, "*.json", '"animal": "cat"', '"animal": ""', "region"),
    "via points": (forms.via, "*.json", "[2, 6, 6, 2]", "[2, 6, 6]", "region 1"),
    "runs beyond": (forms.run_lengths, "train.csv", "cat,18 4", "cat,97 4", "line 2"),
    "runs word": (forms.run_lengths, "train.csv", "cat,18 4", "cat,x 4", "line 2"),
    "panoptic id": (
        forms.panoptic,
        "annotations/panoptic_train2017.json",
        '"id": 70000',
        '"id": 70001',
        "70000",
    ),
    "nnunet regions": (
        forms.nnunet,
        "Dataset001/dataset.json",
        '"dog": 2',
        '"dog": [1, 2]',
        "dog",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_named_with_its_place(tmp_path, case):
    write, pattern, old, new, told = WRONG[case]
    write(tmp_path)
    change(tmp_path, pattern, old, new)
    with pytest.raises(ImageError) as caught:
        read_all(forms.FORMS[write][0], tmp_path)
    assert re.search(told, str(caught.value)), str(caught.value)


def test_two_annotations_of_one_image_are_refused(tmp_path):
    forms.panoptic(tmp_path)
    path = tmp_path / "annotations/panoptic_train2017.json"
    document = json.loads(path.read_text())
    path.write_text(
        json.dumps({**document, "annotations": document["annotations"] * 2})
    )
    with pytest.raises(ImageError, match="one annotation for each image"):
        datasets.panoptic(tmp_path, "train")


def test_sides_of_other_categories_are_refused(tmp_path):
    forms.panoptic(tmp_path)
    path = tmp_path / "annotations/panoptic_train2017.json"
    path.write_text(path.read_text().replace('"dog"', '"ox"'))
    with pytest.raises(ImageError, match="the same categories in the files of train"):
        datasets.panoptic(tmp_path)


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>',
    ],
)
def test_xml_with_entities_is_refused(tmp_path, declared):
    forms.cvat(tmp_path)
    change(tmp_path, "*.xml", "<annotations>", f"{declared}<annotations>")
    with pytest.raises(ImageError, match="DOCTYPE"):
        datasets.cvat(tmp_path)


@pytest.mark.parametrize("write", forms.FORMS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("broken", ["cut off", "noise", "deep"])
def test_broken_annotations_are_value_errors(tmp_path, write, broken, rng):
    write(tmp_path)
    for path in sorted(tmp_path.rglob("*")):
        if path.suffix in (".json", ".xml", ".yaml", ".txt", ".csv"):
            data = path.read_bytes()
            if broken == "cut off":
                data = data[: len(data) * 2 // 3]
            elif broken == "noise":
                noise = np.frombuffer(data, "uint8").copy()
                places = rng.integers(0, len(noise), max(1, len(noise) // 40))
                noise[places] = rng.integers(0, 256, len(places))
                data = noise.tobytes()
            else:
                data = b"[" * 100_000 + data
            path.write_bytes(data)
    try:
        read_all(forms.FORMS[write][0], tmp_path)
    except ValueError as error:  # or what is left is a data set of its own
        assert len(str(error)) < 3000


def test_names_lead_out_of_no_folder(tmp_path):
    secret = tmp_path / "secret.png"
    forms.labelme(tmp_path / "data")
    forms.write_image(secret, forms.photo(0))
    change(tmp_path / "data", "a.json", "..\\\\photos\\\\a.png", "../secret.png")
    found = datasets.labelme(tmp_path / "data")
    assert all(secret != image for image, _ in found.files)


def test_names_may_begin_at_the_file_the_data_set_and_elsewhere(tmp_path):
    for given in ("../images/a.png", "images/a.png", "C:\\x\\images\\a.png", "a.png"):
        forms.text(
            tmp_path / "json/a.json",
            {"shapes": [], "imagePath": given, "imageData": None},
        )
        forms.write_image(tmp_path / "images/a.png", forms.photo(0))
        assert datasets.labelme(tmp_path).files[0][0] == tmp_path / "images/a.png"


def test_two_files_of_one_name_are_told_apart_or_refused(tmp_path):
    for folder in ("one", "two"):
        forms.write_image(tmp_path / folder / "a.png", forms.photo(0))
    document = {"shapes": [], "imagePath": "/elsewhere/two/a.png", "imageData": ""}
    forms.text(tmp_path / "json/x.json", document)
    assert datasets.labelme(tmp_path).files[0][0].parent.name == "two"
    forms.text(tmp_path / "json/x.json", {**document, "imagePath": "a.png"})
    with pytest.raises(ImageError, match=r"could be one.* and two"):
        datasets.labelme(tmp_path)


@pytest.mark.parametrize("write", [forms.yolo_roboflow, forms.coco_roboflow])
def test_val_is_made_from_train_where_only_test_is_there(tmp_path, write):
    write(tmp_path)
    (tmp_path / "valid").rename(tmp_path / "test")
    if write is forms.yolo_roboflow:
        change(tmp_path, "data.yaml", "val: ../valid", "test: ../test")
        forms.write_image(tmp_path / "train/images/c.jpg", forms.photo(3))
    else:
        document = forms.coco_document(["a", "b"])
        forms.write_image(tmp_path / "train/b.jpg", forms.photo(3))
        forms.text(tmp_path / "train/_annotations.coco.json", document)
    read = datasets.DATASETS[forms.FORMS[write][0]]
    train, val, test = (read(tmp_path, side) for side in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (1, 1, 1)


def test_wrapped_and_incomplete_folders_are_found(tmp_path):
    forms.yolo(tmp_path / "a/wrapped")
    assert datasets.find_format(tmp_path / "a").name == "yolo"
    assert len(datasets.yolo(tmp_path / "a", "train")) == 2
    (tmp_path / "a/wrapped/data.yaml").unlink()
    assert datasets.find_format(tmp_path / "a").evidence == "text files of polygons"
    assert datasets.yolo(tmp_path / "a").classes[1:] == ("class 0", "class 1")
    forms.class_masks(tmp_path / "b/wrapped")
    assert datasets.find_format(tmp_path / "b").name == "class_masks"
    assert len(datasets.class_masks(tmp_path / "b")) == 2


def test_annotations_take_the_image_that_lies_nearest(tmp_path):
    for side in ("train", "val"):
        forms.labelme(tmp_path / side)
    for side in ("train", "val"):
        files = datasets.labelme(tmp_path, side).files
        assert {image.parent.name for image, _ in files} == {side}


def test_absolute_names_of_another_machine_are_found_by_their_ends(tmp_path):
    forms.coco_of_cvat(tmp_path)
    path = tmp_path / "annotations/instances_default.json"
    before = path.read_text()
    for start in ("/home/me/images/default/", "C:\\\\me\\\\"):
        path.write_text(before.replace('"file_name": "', f'"file_name": "{start}'))
        names = datasets.coco(tmp_path).names
        assert sorted(name.rpartition("/")[2] for name in names) == ["a", "b"]


def test_boxes_are_counted_or_filled(tmp_path):
    forms.yolo(tmp_path)
    change(tmp_path, "labels/train/a.txt", "0 ", "1 0.5 0.5 0.5 0.5\n0 ")
    samples = datasets.yolo(tmp_path, "train")
    assert samples.notes == (
        "Left out: 1 boxes without an outline (boxes=fill takes them): a.txt.",
    )
    filled = datasets.yolo(tmp_path, "train", boxes="fill")[0]
    assert (filled["label"][3, 4:9] == [1, 1, 2, 2, 2]).all()


def test_class_names_of_yolo_in_every_spelling(tmp_path):
    wanted = ["it's", "a, b", "c # d"]
    for text in (
        'names: ["it\'s", "a, b", \'c # d\']  # three\n',
        "names:\n- it's\n- 'a, b'\n- \"c # d\"\n",
        "names: [it's,\n  'a, b',\n  'c # d']\nnc: 3\n",
    ):
        (tmp_path / "data.yaml").write_text(text)
        assert _yaml.read(tmp_path / "data.yaml")["names"] == wanted
    (tmp_path / "data.yaml").write_text("names: {0: it's, 1: 'a, b', 2: 'c # d'}")
    assert list(_yaml.read(tmp_path / "data.yaml")["names"].values()) == wanted


def test_class_names_of_yolo_in_a_list(tmp_path):
    forms.yolo(tmp_path)
    (tmp_path / "data.yaml").unlink()
    assert "class 0" in datasets.yolo(tmp_path).classes
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert datasets.yolo(tmp_path).classes == ("background", "cat", "dog")


def test_a_test_folder_of_yolo_that_is_not_there_is_told(tmp_path):
    forms.yolo(tmp_path)
    with open(tmp_path / "data.yaml", "a") as file:
        file.write("\ntest: ../test/pictures\n")  # Roboflow names one in any case
    (note,) = datasets.yolo(tmp_path, "train").notes
    assert "folder of test that is not there" in note
    wrong = (tmp_path / "data.yaml").read_text().replace("images/val", "images/vall")
    (tmp_path / "data.yaml").write_text(wrong)
    with pytest.raises(ImageError, match="images/vall"):
        datasets.yolo(tmp_path, "train")


def test_rows_of_run_lengths_are_told_from_columns(tmp_path):
    forms.run_lengths(tmp_path)
    # A square of 4 x 4 at (1, 2), counted along the rows of 12 pixels.
    rows = "img,rle_mask\na.png,15 4 27 4 39 4 51 4\n"
    (tmp_path / "train.csv").write_text(rows)
    samples = datasets.run_lengths(tmp_path)
    assert "along rows, as the runs tell" in samples.notes[0]
    assert np.array_equal(
        samples[0]["label"], forms.label_of("a", {"cat": 1, "dog": 0})
    )


def test_ignored_shapes_and_groups(tmp_path):
    forms.labelme(tmp_path)
    path = tmp_path / "a.json"
    document = json.loads(path.read_text())
    for shape in document["shapes"]:
        shape.update(group_id=3, label="cat")
    far = {"points": [[0, 0], [12, 1]], "shape_type": "rectangle"}
    document["shapes"].append({**far, "label": "__ignore__"})
    path.write_text(json.dumps(document))
    sample = datasets.labelme(tmp_path)[0]
    assert (sample["label"][0] == 255).all()
    assert sample["classes"].tolist() == [1, 1]
    assert sample["crowd"].tolist() == [False, True]


def test_folders_of_people_are_told_where_to_lie(tmp_path):
    for place in ("images", "annotator1", "annotator2"):
        forms.write_image(tmp_path / place / "a.png", forms.photo(0)[..., :1])
    with pytest.raises(ValueError, match="for each person: masks/annotator1/"):
        datasets.find_format(tmp_path)
    (tmp_path / "masks").mkdir()
    for place in ("annotator1", "annotator2"):
        (tmp_path / place).rename(tmp_path / "masks" / place)
    assert datasets.find_format(tmp_path).name == "annotators"


def rows_of(tmp_path, lines):
    for name in ("a", "b"):
        forms.write_image(tmp_path / f"photos/{name}.png", forms.photo(0))
        forms.write_mask(
            tmp_path / f"drawn/{name}.png", forms.label_of("b", {"cat": 1})
        )
    forms.text(tmp_path / "all.csv", "\n".join(lines))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("photos/b.png,drawn/c.png", "line 3: drawn/c.png"),
        ("photos/a.png,drawn/b.png", "line 3: b.png, and a.png of a.png"),
    ],
)
def test_rows_of_a_table_that_are_wrong_are_named(tmp_path, row, told):
    rows_of(tmp_path, ["image,mask", "photos/a.png,drawn/a.png", row])
    with pytest.raises(ImageError, match=told):
        datasets.table(tmp_path)


def test_tables_of_splits_need_no_names_of_columns(tmp_path):
    rows_of(tmp_path, ["photos/a.png,drawn/a.png"])
    (tmp_path / "all.csv").rename(tmp_path / "train_list.csv")
    forms.text(tmp_path / "val_list.csv", "photos/b.png,drawn/b.png\n")
    assert datasets.find_format(tmp_path).name == "table"
    assert datasets.table(tmp_path, "train").names == ("photos/a",)
    assert datasets.table(tmp_path, "val").names == ("photos/b",)
    forms.text(tmp_path / "val_list.csv", "photos/a.png,drawn/a.png\n")
    with pytest.raises(ImageError, match="png in train and in val"):
        datasets.table(tmp_path)


def test_names_in_lists_of_voc_have_spaces_and_dots(tmp_path):
    names = ("Bild 1", "Bild 2", "c.v1", "c.v2")
    for name in names:
        forms.write_image(tmp_path / f"JPEGImages/{name}.jpg", forms.photo(0))
        label = forms.label_of("b", {"cat": 1})
        forms.write_mask(tmp_path / f"SegmentationClass/{name}.png", label)
    lists = tmp_path / "ImageSets/Segmentation"
    forms.text(lists / "train.txt", "Bild 1\nc.v1\n")
    forms.text(lists / "val.txt", "Bild 2 1\nJPEGImages/c.v2.jpg\n")
    for side, wanted in (("train", names[::2]), ("val", names[1::2])):
        assert datasets.voc(tmp_path, side).names == wanted


def test_masks_of_classes_lie_in_folders_of_cities(tmp_path):
    for city, name in (("x", "a"), ("y", "b")):
        forms.write_image(tmp_path / f"images/{city}/1.jpg", forms.photo(0))
        for kind in ("cat", "dog"):
            label = forms.label_of(name, {"cat": 0, "dog": 0, kind: 255})
            path = tmp_path / f"masks/{kind}/{city}/1.png"
            forms.write_image(path, label.astype("uint8"))
    assert datasets.find_format(tmp_path).name == "class_masks"
    samples = datasets.class_masks(tmp_path)
    for index, name in enumerate(("a", "b")):
        wanted = forms.label_of(name, {"cat": 1, "dog": 2})
        assert np.array_equal(samples[index]["label"], wanted)


def test_folders_of_splits_are_no_classes(tmp_path):
    for side, name in (("train", "a"), ("val", "b")):
        forms.write_image(tmp_path / f"images/{name}.jpg", forms.photo(0))
        label = forms.label_of(name, {"cat": 1, "dog": 2})
        forms.write_mask(tmp_path / f"masks/{side}/{name}.png", label)
    assert datasets.find_format(tmp_path).name == "folder"


def test_labels_of_yolo_without_an_image_are_told(tmp_path):
    forms.yolo(tmp_path)
    (tmp_path / "labels/train/gone.txt").write_text(forms.yolo_lines("a"))
    (note,) = datasets.yolo(tmp_path).notes
    assert note == "Left out: 1 text files without an image: gone.txt."
