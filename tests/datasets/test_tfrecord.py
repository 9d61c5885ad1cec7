"""Data sets in TFRecord shards."""

import json

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import datasets
from kerasseg.cli import main
from kerasseg.datasets import _shard_writer, _shards, _tf_example
from kerasseg.images import ImageError, write_image, write_mask


def assert_equal(found, expected):
    for key in ("image", "label", "instances", "classes", "crowd", "boxes", "areas"):
        assert (key in found) == (key in expected), key
        if key in expected:
            assert found[key].dtype == expected[key].dtype, key
            np.testing.assert_array_equal(found[key], expected[key], err_msg=key)


@pytest.fixture
def photos(tmp_path, rng):
    """A folder of splits with classes: three images to train on, one to validate."""
    root = tmp_path / "photos"
    for number, side in enumerate(["train", "train", "train", "val"]):
        size = (12 + number, 17)
        image = rng.integers(0, 256, [*size, 3], "uint8")
        suffix = "jpg" if number == 1 else "png"
        write_image(root / side / "images" / f"{number}.{suffix}", image)
        label = rng.integers(0, 3, size)
        label[0] = 255
        write_mask(root / side / "labels" / f"{number}.png", label)
    (root / "classes.txt").write_text("ground\nleaf\nstem\n")
    return root


def test_samples_and_splits_come_back(photos, tmp_path):
    source = datasets.whole(datasets.folder, photos)
    report = datasets.convert(source, tmp_path / "shards", to="tfrecord")
    assert report["images"] == 4 and report["splits"] == {"train": 3, "val": 1}
    assert report["shards"] == 2
    found = datasets.tfrecord(tmp_path / "shards")
    assert found.names == source.names and found.splits == source.splits
    assert found.classes == ("ground", "leaf", "stem")
    for one, other in zip(found, source):
        assert_equal(one, other)
    assert len(datasets.tfrecord(tmp_path / "shards", "train")) == 3
    with pytest.raises(ImageError, match=r"train, val.*'test'"):
        datasets.tfrecord(tmp_path / "shards", "test")


def test_files_are_kept_byte_for_byte_and_tensorflow_reads_them(photos, tmp_path):
    source = datasets.folder(photos, "train")
    datasets.convert(source, tmp_path / "shards", to="tfrecord")
    files = sorted(map(str, (tmp_path / "shards").glob("*.tfrecord")))
    stored = []
    for record in tf.data.TFRecordDataset(files):  # checks their sums
        example = tf.train.Example.FromString(record.numpy())
        features = example.features.feature
        stored.append(features["image/encoded"].bytes_list.value[0])
        own = _tf_example.parse(record.numpy())
        assert own.keys() == features.keys()
        assert own["image/encoded"] == [stored[-1]]
    assert sorted(stored) == sorted(image.read_bytes() for image, _ in source.files)


def test_objects_come_back_with_all_that_coco_says(tmp_path):
    source = datasets.shapes(3, size=40)
    datasets.convert(source, tmp_path / "coco", to="coco")
    read = datasets.coco(tmp_path / "coco")
    datasets.convert(tmp_path / "coco", tmp_path / "shards", to="tfrecord")
    for one, other in zip(datasets.tfrecord(tmp_path / "shards"), read):
        assert_equal(one, other)
        assert one["left_out"] == other["left_out"] == 0


def test_masks_become_maps(tmp_path):
    source = datasets.shapes(2, size=40)
    datasets.convert(source, tmp_path / "shards", to="tfrecord")
    for one, other in zip(datasets.tfrecord(tmp_path / "shards"), source):
        for number, mask in enumerate(other["masks"], 1):
            np.testing.assert_array_equal((one["instances"] == number).any(0), mask)
        np.testing.assert_array_equal(one["classes"], other["classes"])


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("bands", [1, 3, 5])
def test_arrays_of_any_kind_come_back(dtype, bands, tmp_path, rng):
    images = (100 * rng.random([2, 6, 7, bands])).astype(dtype)
    labels = np.full([2, 6, 7], 300, "int32")
    source = datasets.Samples(
        ("a", "b"),
        lambda index: {"image": images[index], "label": labels[index]},
        ("ground",),
        ignore_label=300,
        value_range=(0, 100),
    )
    datasets.convert(source, tmp_path / "shards", to="tfrecord")
    found = datasets.tfrecord(tmp_path / "shards")
    assert found.value_range == (0, 100) and found.ignore_label == 300
    for one, other in zip(found, source):
        assert_equal(one, other)
    sides = [datasets.tfrecord(tmp_path / "shards", x).names for x in ("train", "val")]
    assert sorted(sides[0] + sides[1]) == ["a", "b"]


def test_full_files_are_followed_by_others(photos, tmp_path):
    source, report = datasets.folder(photos, "train"), {"objects": 0}
    (tmp_path / "shards").mkdir()
    _shard_writer.write(tmp_path / "shards", source, report, shard_bytes=1)
    assert report["shards"] == 3
    for one, other in zip(datasets.tfrecord(tmp_path / "shards"), source):
        assert_equal(one, other)


@pytest.mark.parametrize("harm", ["cut", "changed", "lost"])
def test_a_harmed_file_is_named(harm, photos, tmp_path):
    datasets.convert(datasets.folder(photos, "train"), tmp_path / "x", to="tfrecord")
    file = max((tmp_path / "x").glob("*.tfrecord"))
    data = bytearray(file.read_bytes())
    if harm == "changed":
        data[len(data) // 2] ^= 1
    file.write_bytes(data[:-30] if harm == "cut" else data)
    if harm == "lost":
        file.unlink()
    with pytest.raises(ImageError, match=r"-00000\.tfrecord.*kerasseg convert"):
        for _ in datasets.tfrecord(tmp_path / "x"):
            pass


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"classes": None},
        {"files": {"a": {"split": None, "samples": [["x", 0, -1, 2, 3]]}}},
        {"files": {"../a": {"split": None, "samples": [["x", 0, 1, 2, 3]]}}},
        {"files": {"train-00000.tfrecord": {"split": 3, "samples": []}}},
        {"files": 3},
        {"colors": [1, 2]},
        {"bands": "3"},
    ],
)
def test_a_wrong_index_is_refused(change, photos, tmp_path):
    datasets.convert(datasets.folder(photos, "train"), tmp_path / "x", to="tfrecord")
    path = tmp_path / "x" / _shards.INDEX
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ImageError, match="index of shards"):
        datasets.tfrecord(tmp_path / "x")


def test_the_command_writes_what_check_data_reads(
    photos, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    out = str(tmp_path / "shards")
    assert main(["convert", str(photos), "--to", "tfrecord", "--out", out]) == 0
    assert "4 images (train 3, val 1)" in capsys.readouterr().out
    assert main(["check-data", "--data", out]) == 0
    said = capsys.readouterr().out
    assert "TFRecord shards" in said and "3 train, 1 val" in said


def test_sides_by_rule_are_those_of_the_source(tmp_path, rng):
    """Near duplicates stay on one side, which shards could not tell any more."""
    root = tmp_path / "photos"
    for number in range(8):
        image = cv2.resize(
            rng.integers(0, 256, [6, 6, 3], "uint8"), (60, 60), interpolation=1
        )
        for copy in range(3):
            name = f"{'abc'[copy]}{number}"
            write_image(root / "images" / f"{name}.png", image // (copy + 1))
            write_mask(root / "labels" / f"{name}.png", image[..., 0] > 99)
    out = tmp_path / "shards"
    assert main(["convert", str(root), "--to", "tfrecord", "--out", str(out)]) == 0
    datasets.convert(datasets.folder(root), tmp_path / "other", to="tfrecord")
    for shards in (out, tmp_path / "other"):
        for side in ("train", "val"):
            found = {*datasets.tfrecord(shards, side).names}
            numbers = {name[1] for name in found}
            assert len(found) == 3 * len(numbers)
            if shards == out:
                assert found == {*datasets.folder(root, side).names}


def test_a_range_that_is_given_is_kept(tmp_path, rng, capsys):
    image = rng.integers(0, 4096, [8, 9, 1], "uint16")
    for name in ("a", "b"):
        write_image(tmp_path / f"in/images/{name}.png", image)
        write_mask(tmp_path / f"in/labels/{name}.png", image[..., 0] % 2)
    command = ["convert", str(tmp_path / "in"), "--set", "data.value_range=[0, 4095]"]
    command += ["--from", "folder", "--out", str(tmp_path / "out"), "--to"]
    assert main([*command, "masks"]) == 1
    assert "is kept by --to tfrecord alone" in capsys.readouterr().err
    assert main([*command, "tfrecord"]) == 0
    assert datasets.tfrecord(tmp_path / "out").value_range == (0, 4095)


def test_a_single_split_keeps_its_name(photos, tmp_path):
    command = ["convert", str(photos), "--to", "tfrecord", "--split", "val"]
    assert main([*command, "--out", str(tmp_path / "shards")]) == 0
    assert len(datasets.tfrecord(tmp_path / "shards", "val")) == 1
    with pytest.raises(ImageError, match=r"a split of val\. .*'train'"):
        datasets.tfrecord(tmp_path / "shards", "train")
