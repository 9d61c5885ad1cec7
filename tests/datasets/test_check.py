import functools
import json

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image, write_mask

IMAGE = np.zeros((2, 3, 3), np.uint8)
LABEL = np.array([[0, 1, 1], [2, 255, 255]], np.int32)


def samples_of(*samples, classes=("ground", "disc", "square")):
    names = tuple(f"sample{number}" for number in range(len(samples)))
    return datasets.Samples(names, lambda index: samples[index], classes)


def test_a_report_counts_sizes_and_pixels():
    tall = {"image": np.zeros((5, 3, 3), np.uint8), "label": np.zeros((5, 3), np.int32)}
    report = datasets.check(samples_of({"image": IMAGE, "label": LABEL}, tall))
    assert report == {
        "num_samples": 2,
        "num_read": 2,
        "sizes": {"2 x 3": 1, "5 x 3": 1},
        "channels": {3: 2},
        "dtypes": {"uint8": 2},
        "smallest": [2, 3],
        "largest": [5, 3],
        "pixels": {"ground": 16, "disc": 2, "square": 1},
        "ignored_share": 2 / 21,
        "value_range": None,
        "warnings": [],
    }
    json.dumps(report)


def test_classes_that_never_occur_are_warned_about():
    classes = ("ground", "disc", "square", "star")
    samples = samples_of({"image": IMAGE, "label": LABEL}, classes=classes)
    assert datasets.check(samples)["warnings"] == ["Class 'star' never occurs."]


def test_a_limit_reads_samples_from_the_whole_range():
    read = []

    def read_one(index):
        read.append(index)
        return {"image": IMAGE, "label": LABEL}

    names = tuple(map(str, range(10)))
    samples = datasets.Samples(names, read_one, ("ground", "disc", "square"))
    assert datasets.check(samples, limit=3)["num_read"] == 3
    assert sorted(read) == [0, 3, 6]


@pytest.mark.parametrize(
    "image, label, match",
    [
        (IMAGE, LABEL + 1, r"class ids 0\.\.2.*3 \(1 pixels\), 256 \(2 pixels\)"),
        (IMAGE, LABEL - 1, r"-1 \(1 pixels\)"),
        (IMAGE, LABEL.T, "same height and width"),
        (IMAGE, LABEL.astype(np.int64), "`label` must be int32"),
        (IMAGE / 255, LABEL, "`image` must be uint8, uint16 or float32"),
        (IMAGE[..., 0], LABEL, "`image` must be"),
        (IMAGE[..., :1], LABEL, "same number of channels"),
    ],
)
def test_a_wrong_sample_is_named(image, label, match):
    good = {"image": IMAGE, "label": LABEL}
    samples = samples_of(good, {"image": image, "label": label})
    with pytest.raises(ValueError, match=match) as caught:
        datasets.check(samples)
    assert "sample1" in str(caught.value)


def test_the_mask_file_is_named_where_there_is_one(tmp_path):
    write_image(tmp_path / "images/a.png", IMAGE)
    write_mask(tmp_path / "labels/a.png", LABEL)
    with pytest.raises(ValueError, match=r"labels.a.png"):
        datasets.check(datasets.folder(tmp_path, classes=2))


def test_black_and_white_labels_ask_for_a_map():
    label = np.array([[0, 0, 255], [0, 255, 0]], np.int32)
    with pytest.raises(ValueError, match=r"only 0 and 255.*values=\{0: 0, 255: 1\}"):
        datasets.check(samples_of({"image": IMAGE, "label": label}))


def pictures(*images, value_range=None):
    label = np.array([[0, 1, 2]], np.int32)
    given = [{"image": image, "label": label} for image in images]
    return samples_of(*given).with_range(value_range)


def test_all_images_together_tell_their_range():
    dim, bright = np.full((1, 3, 1), 300, "uint16"), np.full((1, 3, 1), 65535, "uint16")
    report = datasets.check(pictures(dim, bright))
    assert report["value_range"] == (0, 65535) and not report["warnings"]
    half = np.full((1, 3, 1), 0.5, "float32")
    assert datasets.check(pictures(half))["value_range"] == (0, 1)
    with pytest.raises(ValueError, match=r"data.value_range=\[0,1023\]"):
        datasets.check(pictures(dim))
    given = datasets.check(pictures(dim, value_range=(0, 4095)))
    assert given["value_range"] == (0, 4095) and not given["warnings"]
    with pytest.raises(ValueError, match=r"sample1 and others.*range, 0..4095"):
        datasets.check(pictures(dim, bright, value_range=(0, 4095)))
    with pytest.raises(ValueError, match="must have one range of values"):
        datasets.check(pictures(half, bright))


def test_dark_images_are_warned_about():
    (warning,) = datasets.check(pictures(np.full((1, 3, 1), 9, "uint8")))["warnings"]
    assert warning.startswith("Images are dark: uint8 up to 9 of 255, in sample0.")


def test_many_unused_classes_are_one_warning():
    samples = samples_of(
        {"image": IMAGE, "label": LABEL}, classes=tuple(map(str, range(40)))
    )
    assert "37 of 40 classes never occur." in datasets.check(samples)["warnings"]


def test_wrong_instances_are_refused():
    sample = {"image": IMAGE, "label": LABEL, "masks": np.zeros((2, 2, 3), bool)}
    sample["classes"] = np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="`masks` must be bool"):
        datasets.check(samples_of(sample))


def test_a_broken_file_passes_through_as_image_error(tmp_path):
    for name in "abc":
        write_image(tmp_path / f"images/{name}.png", IMAGE)
        write_mask(tmp_path / f"labels/{name}.png", LABEL)
    samples = datasets.folder(tmp_path)
    (tmp_path / "labels/b.png").write_bytes(b"not a png")
    with pytest.raises(ImageError, match=r"b.png.*text file"):
        datasets.check(samples)


def test_more_classes_than_names_may_be_allowed():
    samples = samples_of({"image": IMAGE, "label": LABEL}, classes=("ground",))
    report = datasets.check(samples, num_classes=3)
    assert report["pixels"] == {"ground": 1, "class 1": 2, "class 2": 1}


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="0 samples"):
        datasets.check(samples_of())


def test_errors_of_pictures_name_the_picture(tmp_path):
    for name, white in (("a", 4000), ("b", 3000)):
        write_image(tmp_path / f"images/{name}.png", np.full([4, 5, 3], white, "u2"))
        write_mask(tmp_path / f"labels/{name}.png", np.eye(4, 5, dtype="u1"))
    with pytest.raises(ValueError, match=r"images/a\.png"):
        datasets.check(datasets.folder(tmp_path))


def test_ids_that_count_from_one_are_told(tmp_path):
    for name in ("a", "b"):
        write_image(tmp_path / f"images/{name}.png", np.zeros([4, 5, 3], "u1"))
        write_mask(tmp_path / f"labels/{name}.png", np.eye(4, 5, dtype="u1") + 1)
    with pytest.raises(ValueError, match=r"values=\{0: 255, 1: 0, 2: 1\}"):
        datasets.check(datasets.folder(tmp_path, classes=["car", "sky"]))


def test_every_door_takes_samples_and_no_plain_list():
    plain = [{"image": IMAGE, "label": LABEL}]
    for function in (
        datasets.check,
        datasets.balance,
        functools.partial(datasets.split, side="val"),
        functools.partial(datasets.fold, side="val", fold=0, folds=2),
    ):
        with pytest.raises(ValueError, match=r"Samples\(names, read, .*: list without"):
            function(plain)
    with pytest.raises(ValueError, match=r'"val": samples\}.*Received: list'):
        datasets.examine(plain)
