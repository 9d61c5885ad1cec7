"""Every form goes to COCO, YOLO, VOC and label images, and comes back the same."""

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.cli import main
from kerasseg.images import write_image, write_mask
from tests.datasets import forms
from tests.datasets.forms import FORMS, SCENE, label_of

READERS = {
    "coco": datasets.coco,
    "yolo": datasets.yolo,
    "voc": datasets.voc,
    "masks": datasets.folder,
}


def named_labels(samples):
    """Maps of class names, sorted, so that ids do not matter."""
    known = [name.replace("class 0", "background") for name in samples.classes]
    names = np.array([*known, *["ignored"] * (256 - len(known))])
    labels = [names[samples[index]["label"]].tolist() for index in range(len(samples))]
    return sorted(labels)


def without_ignored(labels):
    """The same with "background" for ignored pixels."""
    return sorted(
        [[name.replace("ignored", "background") for name in row] for row in label]
        for label in labels
    )


@pytest.mark.parametrize("to", READERS)
@pytest.mark.parametrize("write", FORMS, ids=lambda write: write.__name__)
def test_a_form_goes_and_comes_back(tmp_path, write, to):
    write(tmp_path / "in")
    name = FORMS[write][0]
    source = datasets.DATASETS[name](tmp_path / "in")
    if write is forms.nnunet:
        with pytest.raises(ValueError, match="2 bands"):
            datasets.convert(source, tmp_path / "out", to=to)
        return
    report = datasets.convert(source, tmp_path / "out", to=to)
    assert report["images"] == len(source)
    back = READERS[to](tmp_path / "out")
    assert len(back) == len(source)
    assert (source.splits is not None) == FORMS[write][2]
    for split in {*(source.splits or ())}:
        part = READERS[to](tmp_path / "out", split)
        kept = source.subset(np.flatnonzero(np.array(source.splits) == split))
        assert len(part) == len(kept)
        labels = (named_labels(samples) for samples in (kept, part))
        if to in ("coco", "yolo"):
            labels = map(without_ignored, labels)
        assert len({str(found) for found in labels}) == 1
    before, after = named_labels(source), named_labels(back)
    lost = sum(row.count("ignored") for label in before for row in label)
    if to in ("coco", "yolo"):  # which have no ignored pixels, and say so
        assert report["ignored"] == lost
        before, after = (without_ignored(labels) for labels in (before, after))
    assert before == after


def test_the_command_tells_the_form(tmp_path, capsys):
    forms.labelme(tmp_path / "in")
    out = str(tmp_path / "out")
    assert main(["convert", str(tmp_path / "in"), "--to", "yolo", "--out", out]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Data: LabelMe JSON (2 JSON files such as a.json)")
    assert "Wrote 2 images with 3 objects" in told
    samples = datasets.yolo(out)
    assert samples.classes == ("background", "cat", "dog")
    for index, name in enumerate(SCENE):
        wanted = label_of(name, {"cat": 1, "dog": 2})
        assert np.array_equal(samples[index]["label"], wanted)


def test_numbers_of_classes_become_regions_when_asked(tmp_path):
    for number, name in enumerate(SCENE):
        image = forms.photo(number)
        forms.write_image(tmp_path / f"in/images/{name}.png", image)
        label = label_of(name, {"cat": 1, "dog": 2})
        forms.write_mask(tmp_path / f"in/labels/{name}.png", label)
    command = ["convert", str(tmp_path / "in"), "--from", "folder", "--to", "coco"]
    assert main([*command, "--out", str(tmp_path / "out"), "--json"]) == 0
    samples = datasets.coco(tmp_path / "out")
    assert samples.classes == ("background", "class 1", "class 2")
    assert sum(len(samples[index]["classes"]) for index in range(2)) == 3


def test_holes_and_parts_survive_in_yolo(tmp_path):
    mask = np.zeros([1, 8, 12], bool)
    mask[0, 1:7, 1:7] = True
    mask[0, 3:5, 3:5] = False
    mask[0, 2:4, 9:11] = True
    sample = {
        "image": forms.photo(0),
        "label": mask[0].astype("int32"),
        "instances": mask.astype("int32"),
        "classes": np.ones(1, "int32"),
    }
    source = datasets.Samples(("a",), lambda index: sample, ("background", "ring"))
    report = datasets.convert(source, tmp_path / "out", to="yolo")
    assert (report["objects"], report["parts"]) == (1, 1)
    assert np.array_equal(datasets.yolo(tmp_path / "out")[0]["label"], mask[0])


def test_coco_in_folders_of_its_own_is_converted(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": 8, "width": 12}],
        "categories": [{"id": 7, "name": "cat"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 7,
                "segmentation": [[2, 1, 6, 1, 6, 5, 2, 5]],
                "iscrowd": 0,
            }
        ],
    }
    for side in ("train", "val"):
        path = tmp_path / f"coco/annotations/instances_{side}2017.json"
        forms.text(path, content)
        write_image(tmp_path / f"coco/{side}2017/a.png", forms.photo(0))
    source = str(tmp_path / "coco")
    for split in ("train", "val"):
        out = tmp_path / split
        line = ["convert", source, "--to", "yolo", "--out", str(out), "--split", split]
        assert main(line) == 0
        label = datasets.yolo(out)[0]["label"]
        assert label[1:5, 2:6].all() and label.sum() == 16
    (tmp_path / "coco/annotations/instances_val2017.json").unlink()
    assert main(["convert", source, "--to", "voc", "--out", str(tmp_path / "voc")]) == 0
    assert datasets.voc(tmp_path / "voc").classes == ("background", "cat")


@pytest.mark.parametrize("named", [True, False])
def test_masks_are_of_classes_where_these_have_names(named, tmp_path, capsys):
    """Else they may number objects, and the command tells how they are taken."""
    for number in (1, 2):
        label = np.pad(np.full([4, 5], number), 3)
        write_image(tmp_path / f"in/images/{number}.png", np.zeros([10, 11, 3], "u1"))
        write_mask(tmp_path / f"in/labels/{number}.png", label)
    if named:
        (tmp_path / "in/classes.txt").write_text("background\nroad\ncar\n")
    out = tmp_path / "out"
    assert (
        main(["convert", str(tmp_path / "in"), "--to", "yolo", "--out", str(out)]) == 0
    )
    names = datasets.yolo(out).classes[1:]
    assert names == (("road", "car") if named else ("object",))
    told = capsys.readouterr().out
    assert ("numbers in masks are objects; --from folder" in told) != named


@pytest.mark.parametrize("to", ["yolo", "voc", "masks"])
def test_names_with_dots_keep_their_labels(tmp_path, to):
    # Roboflow's copies of one picture differ only behind the last dot.
    names = ["1_jpg.rf.0a1b", "1_jpg.rf.9c8d"]
    for number, name in enumerate(names):
        write_image(tmp_path / f"in/images/{name}.png", forms.photo(number))
        mask = np.zeros(forms.SIZE, "uint8")
        mask[1:4, 2 + number : 6 + number] = 1
        write_mask(tmp_path / f"in/masks/{name}.png", mask)
    source = datasets.folder(tmp_path / "in")
    datasets.convert(source, tmp_path / "out", to=to)
    back = READERS[to](tmp_path / "out")
    for index, name in enumerate(back.names):
        wanted = source[source.names.index(name)]["label"]
        assert np.array_equal(back[index]["label"], wanted)


@pytest.mark.parametrize(
    ("to", "names"), [("yolo", ("a.jpg", "a.png")), ("voc", ("a/b_c.jpg", "a_b/c.jpg"))]
)
def test_two_images_never_share_a_label_file(tmp_path, to, names):
    entries, objects = [], []
    for number, name in enumerate(names):
        write_image(tmp_path / "in" / name, forms.photo(number))
        size = {"height": forms.SIZE[0], "width": forms.SIZE[1]}
        entries.append({"id": number, "file_name": name, **size})
        ring = {"segmentation": [[1, 1, 4, 1, 4, 4, 1, 4]], "category_id": 1}
        objects.append({"id": number, "image_id": number, "iscrowd": 0, **ring})
    document = {"images": entries, "annotations": objects}
    document["categories"] = [{"id": 1, "name": "cat"}]
    forms.text(tmp_path / "in/all.json", document)
    with pytest.raises(ValueError, match="differ in more than"):
        datasets.convert(tmp_path / "in/all.json", tmp_path / "out", to=to)


@pytest.mark.parametrize("to", ["coco", "labels", "masks", "voc", "yolo"])
def test_splits_are_kept(tmp_path, capsys, to):
    """Though both hold a picture of one name, and folders of cities."""
    for number, side in enumerate(("train", "val", "test")):
        for name in ("a", "city/b"):
            shown = label_of("a", {"cat": 1, "dog": 2}) * (number % 2 + 1) % 3
            write_image(tmp_path / f"in/{side}/images/{name}.png", forms.photo(number))
            write_mask(tmp_path / f"in/{side}/labels/{name}.png", shown)
    command = ["convert", str(tmp_path / "in"), "--from", "folder", "--to", to]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert "6 images (train 2, val 2, test 2)" in capsys.readouterr().out
    name = datasets.find_format(tmp_path / "out").name
    read = datasets.mask_folders if to == "labels" else datasets.DATASETS[name]
    for side in ("train", "val", "test"):
        source = datasets.folder(tmp_path / "in", side, classes=3)
        back = read(tmp_path / "out", side)
        assert len(back) == 2
        for index in range(2):
            found = back[index]
            label = found["label"]
            if to == "labels":
                classes = np.concatenate([[0], found["classes"]])
                label = classes[found["instances"][0]]
            assert np.array_equal(label, source[index]["label"])
            assert np.array_equal(found["image"], source[index]["image"])
    assert main([*command, "--split", "val", "--out", str(tmp_path / "val")]) == 0
    assert "Wrote 2 images with" in capsys.readouterr().out
    assert main([*command, "--split", "all", "--out", str(tmp_path / "all")]) == 0
    assert "Wrote 6 images with" in capsys.readouterr().out
    assert read(tmp_path / "all").splits is None


def test_a_form_without_splits_says_that_they_are_lost(tmp_path, capsys):
    for number, side in enumerate(("train", "val")):
        write_image(tmp_path / f"in/{side}/images/a.png", forms.photo(number))
        write_mask(tmp_path / f"in/{side}/labels/a.png", label_of("b", {"cat": 1}))
    command = ["convert", str(tmp_path / "in"), "--to", "folders"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert "lost: the splits (train 1, val 1)" in capsys.readouterr().out


def test_the_fix_that_the_command_prints_can_be_given_to_it(tmp_path, capsys):
    """Masks of 0 and 255 name `--set 'data.values=...'`."""
    for number in (1, 2):
        label = np.pad(np.full([4, 5], 255), 3)
        write_image(tmp_path / f"in/images/{number}.png", np.zeros([10, 11, 3], "u1"))
        write_mask(tmp_path / f"in/labels/{number}.png", label)
    command = ["convert", str(tmp_path / "in"), "--to", "masks"]
    command += ["--out", str(tmp_path / "out")]
    assert main(command) == 1
    fix = "data.values={0: 0, 255: 1}"
    assert f"--set '{fix}'" in capsys.readouterr().err
    assert main([*command, "--set", fix]) == 0
    assert datasets.folder(tmp_path / "out").classes == ("background", "class 1")
    for wrong in ("data.foo=3", "model.x=1"):
        assert main([*command, "--set", wrong]) == 1
        assert "takes data.channels, data.classes" in capsys.readouterr().err
    assert main([*command, "--set", "data.dataset=coco"]) == 1
    assert "--from NAME" in capsys.readouterr().err
