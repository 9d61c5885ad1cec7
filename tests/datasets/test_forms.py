"""Every form that tools write is told from its files and read to the same scene."""

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.cli import main
from kerasseg.images import ImageError, write_image
from tests.datasets import forms
from tests.datasets.forms import FORMS, label_of, photo, text

ids = pytest.mark.parametrize("write", FORMS, ids=lambda write: write.__name__)


def labels_of(samples):
    """Sorted lists of the foreground of each sample, whatever its name is."""
    found = []
    for index in range(len(samples)):
        label = samples[index]["label"]
        found.append(np.where(label == samples.ignore_label, 0, label))
    return found


@ids
def test_a_form_is_told_and_read(tmp_path, write):
    write(tmp_path)
    name, class_ids, has_splits = FORMS[write]
    found = datasets.find_format(str(tmp_path))
    assert (found.name, found.others) == (name, ())
    read = datasets.DATASETS[name]
    sides = [read(tmp_path, side) for side in ("train", "val")]
    wanted = [label_of(scene, class_ids) for scene in ("a", "b")]
    labels = [label for samples in sides for label in labels_of(samples)]
    for label in wanted:
        assert any((label == other).all() for other in labels)
    assert len(sides[0].classes) > max(class_ids.values())
    if has_splits:
        assert any((wanted[0] == label).all() for label in labels_of(sides[0]))
        assert (wanted[1] == labels_of(sides[1])[0]).all()


@ids
def test_what_is_read_passes_the_check(tmp_path, write):
    write(tmp_path)
    name, _, has_splits = FORMS[write]
    split = "train" if has_splits else None
    report = datasets.check(datasets.DATASETS[name](tmp_path, split))
    assert report["num_read"] >= 1


@pytest.mark.parametrize("write", [forms.voc, forms.davis, forms.yolo])
def test_objects_are_told_apart(tmp_path, write):
    write(tmp_path)
    sample = datasets.DATASETS[FORMS[write][0]](tmp_path, "train")[0]
    assert sorted(np.bincount(sample["instances"].ravel())[1:].tolist()) == [12, 16]
    assert len(sample["classes"]) == 2


def test_the_first_line_names_the_form(tmp_path, capsys):
    forms.yolo(tmp_path)
    sheet = str(tmp_path / "sheet.png")
    assert main(["check-data", "--data", str(tmp_path), "--sheet", sheet]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        "Data: YOLO polygons (data.yaml and text files of polygons)"
    )
    assert "--format yolo" in first


def test_a_format_that_is_named_is_taken(tmp_path, capsys):
    forms.yolo(tmp_path)
    command = ["check-data", "--data", str(tmp_path), "--json"]
    assert main([*command, "--format", "folder"]) == 1
    told = capsys.readouterr().err
    assert "This looks like YOLO polygons (data.yaml" in told
    assert "--format yolo" in told
    assert main([*command, "--format", "yolo"]) == 0


def test_two_forms_in_one_folder_are_both_named(tmp_path):
    forms.coco_of_cvat(tmp_path)
    forms.cvat(tmp_path)
    found = datasets.find_format(tmp_path)
    assert (found.name, found.others) == ("coco", ("cvat",))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("labels/a.txt", "0 0.5 0.5 0.2 0.2\n", "YOLO's text files of boxes"),
        (
            "Annotations/a.xml",
            "<annotation><object><bndbox/></object></annotation>",
            "Pascal VOC's XML of boxes",
        ),
        ("a.json", '{"objects": [{"classTitle": "cat"}]}', "Supervisely's JSON"),
        (
            "a.json",
            '[{"image": "a.png", "label": [], "annotator": 1, "annotation_id": 2}]',
            "Label Studio's JSON-MIN (a.json). Fix: Export it as JSON",
        ),
        (
            "a.json",
            '[{"image": "a.png", "annotations": [{"coordinates": {"x": 1}}]}]',
            "CreateML's JSON",
        ),
        ("a.nii.gz", "x", "1 NIfTI volumes, which are not read"),
        ("notes.csv", "a,b\n1,2\n", "1 images and notes.csv, in none of these forms"),
    ],
)
def test_what_is_not_read_is_named(tmp_path, name, content, told):
    write_image(tmp_path / "images/a.png", photo(0))
    text(tmp_path / name, content)
    with pytest.raises(ImageError, match="form that is known") as caught:
        datasets.find_format(tmp_path)
    assert told in str(caught.value)


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(ImageError, match="nothing in it"):
        datasets.find_format(tmp_path)


def test_frames_of_a_video_are_told_by_their_order(tmp_path):
    forms.cvat_video(tmp_path)
    for path in (tmp_path / "images").iterdir():
        path.rename(path.with_name(f"still-{path.stem[-1]}.png"))
    samples = datasets.cvat(tmp_path)
    found = [int((samples[i]["label"] > 0).sum()) for i in range(3)]
    assert found == [28, 0, 12]
    (tmp_path / "images/still-1.png").unlink()
    with pytest.raises(ImageError, match="2 images of other names"):
        datasets.cvat(tmp_path)


def test_one_annotator_or_the_majority(tmp_path):
    forms.annotators(tmp_path)
    assert (
        "majority of expert1, expert2, expert3"
        in datasets.annotators(tmp_path).notes[0]
    )
    third = datasets.annotators(tmp_path, annotator="expert3", classes=("a", "b", "c"))
    assert not third[0]["label"].any() and third.classes == ("a", "b", "c")
    (tmp_path / "masks/expert1/b.png").unlink()  # one against one: nobody knows
    samples = datasets.annotators(tmp_path)
    label = samples[samples.names.index("b")]["label"]
    assert set(np.unique(label)) == {0, 255}
    with pytest.raises(ValueError, match="expert3"):
        datasets.annotators(tmp_path, annotator="expert4")


def test_black_and_white_masks_of_annotators_are_one_class(tmp_path):
    forms.annotators(tmp_path)
    for path in tmp_path.glob("masks/*/*.png"):
        write_image(
            path,
            ((label_of(path.stem, {"cat": 1, "dog": 1}) > 0) * 255).astype("uint8"),
        )
    samples = datasets.annotators(tmp_path)
    assert samples.classes == ("background", "class 1")
    assert set(np.unique(samples[0]["label"])) == {0, 1}


def test_masks_of_classes_keep_their_splits(tmp_path):
    for side, name in (("train", "a"), ("train", "b"), ("valid", "a")):
        write_image(tmp_path / f"{side}/images/{name}.png", photo(len(side)))
        for number, kind in enumerate(("cat", "dog")):
            mask = np.zeros(forms.SIZE, "uint8")
            mask[2 * number] = 255
            write_image(tmp_path / f"{side}/masks/{kind}/{name}_{kind}.png", mask)
    assert datasets.find_format(tmp_path).name == "class_masks"
    assert len(datasets.class_masks(tmp_path)) == 3
    val = datasets.class_masks(tmp_path, "val")
    assert val.names == ("valid/a",) and val.classes == ("background", "cat", "dog")
    assert val[0]["label"][:4, 0].tolist() == [1, 0, 2, 0]


def test_films_without_a_folder_of_the_resolution_are_objects(tmp_path):
    for film in ("bear", "swan"):
        write_image(tmp_path / f"train/JPEGImages/{film}/00000.jpg", photo(0))
        ids = np.zeros(forms.SIZE, "uint8")
        ids[:2], ids[4:6] = 1, 3
        write_image(tmp_path / f"train/Annotations/{film}/00000.png", ids)
    assert datasets.find_format(tmp_path).name == "davis"
    sample = datasets.davis(tmp_path)[0]
    assert sample["label"].max() == 1 and sample["instances"].max() == 2


def test_a_column_called_annotation_holds_run_lengths(tmp_path):
    write_image(tmp_path / "train/a.png", photo(0))
    # 8 x 12 pixels along rows: the second pixels of the first two rows.
    rows = "id,annotation,width,height,cell_type\na,2 1 14 1,12,8,cort\n"
    text(tmp_path / "train.csv", rows)
    assert datasets.find_format(tmp_path).name == "run_lengths"
    samples = datasets.run_lengths(tmp_path)
    assert samples.classes == ("background", "cort")
    assert samples[0]["label"][:3, 1].tolist() == [1, 1, 0]
