import dataclasses
import json

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.datasets import Samples
from kerasseg.plan import facts


def of(*samples, classes=("background", "object")):
    """Samples of pairs (image [H, W, 3], label [H, W]) or of dicts."""
    made = [
        x if isinstance(x, dict) else dict(zip(("image", "label"), x)) for x in samples
    ]
    return Samples(tuple(f"{i}" for i in range(len(made))), made.__getitem__, classes)


def look(samples):
    return facts.look({"train": samples, "val": samples.subset([0])})


def stripes(width, period, size=96):
    """Label with vertical stripes of class 1, none at the border."""
    label = np.zeros([size, size], "int32")
    label[:, (np.arange(size) + 10) % period < width] = 1
    return label


def grey(label):
    return np.repeat(np.uint8(60 + 120 * (label > 0))[..., None], 3, -1)


def test_sizes_shares_and_empty_images_are_counted():
    label = stripes(8, 32)
    blank = np.zeros([64, 80], "int32")
    found = look(of((grey(label), label), (grey(blank), blank), (grey(blank), blank)))
    # 96 x 96 with a quarter of class 1, and the first image again as validation.
    pixels = 2 * 96 * 96 + 2 * 64 * 80
    assert found.shares[1] == pytest.approx(2 * 96 * 96 / 4 / pixels, abs=1e-5)
    assert found.empty_share == 0.5
    assert found.image_shares == (1.0, 0.5)
    assert json.loads(json.dumps(dataclasses.asdict(found)))["num_train"] == 3
    assert (found.num_train, found.num_val) == (3, 1)
    assert (found.height, found.width, found.most_px) == (80, 88, 9216)
    assert found.grey
    assert not found.has_objects


@pytest.mark.parametrize("width", [4, 8, 16])
def test_the_width_of_thin_structures_is_found(width):
    label = stripes(width, 48)
    assert look(of((grey(label), label))).width_px == pytest.approx(width, rel=0.3)


def test_objects_are_measured():
    samples = datasets.shapes(8, size=128, seed=0)
    found = look(samples)
    areas = np.concatenate(
        [np.bincount(samples[i]["instances"].ravel())[1:] for i in range(8)]
    )
    middle = np.sqrt(np.median(areas))
    assert found.has_objects
    assert found.side_px[2] == pytest.approx(middle, rel=0.15)  # one image counts twice
    assert found.solidity > 0.9  # discs, squares and triangles have no dents
    assert 1 <= found.most_objects <= 4


def test_a_sky_that_is_always_above_is_told():
    rng, labels = np.random.default_rng(0), []
    for _ in range(12):
        label = np.zeros([64, 64], "int32")
        label[: rng.integers(10, 50)] = 1
        labels.append(label)
    told = look(of(*((grey(x), x) for x in labels))).told
    assert told["vertical"][0] > 0.6
    assert told["vertical"][1] <= 0.01
    assert told["horizontal"] == (0.0, 1.0)  # each is its own mirror image


def test_things_that_lie_anywhere_tell_no_direction():
    rng, labels = np.random.default_rng(0), []
    for _ in range(24):
        label = np.zeros([64, 64], "int32")
        y, x = rng.integers(0, 48, 2)
        label[y : y + 16, x : x + 16] = 1
        labels.append(label)
    for consistency, p in look(of(*((grey(x), x) for x in labels))).told.values():
        assert abs(consistency) < 0.1
        assert p > 0.01


def test_ids_of_no_class_are_refused_and_missing_classes_told():
    label = np.zeros([8, 8], "int32")
    label[0, :2] = 2, 255
    samples = of(*[(grey(label), label)] * 3, classes=("a", "b", "c", "d"))
    remarks = look(samples).remarks
    assert "2 of 4 classes never occur: b, d" in remarks
    with pytest.raises(ValueError, match=r"2 names, a, b, and the ids 0\.\.2 in '0'"):
        look(of(*[(grey(label), label)] * 3, classes=("a", "b")))
    with pytest.raises(ValueError, match=r"`classes` must name two .*Received: a\."):
        look(of(*[(grey(0 * label), 0 * label)] * 3, classes=("a",)))


def test_data_that_cannot_be_read_are_an_error():
    def broken(index):
        raise ValueError("no picture")

    samples = Samples(("a",), broken, ("background", "object"))
    with pytest.raises(ValueError, match="2 files cannot be used, such as: no picture"):
        facts.look({"train": samples, "val": samples})
