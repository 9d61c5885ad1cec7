import cv2
import numpy as np
import pytest

from kerasseg import datasets


@pytest.fixture(scope="module")
def many():
    samples = datasets.shapes(60, size=96)
    return [samples[index] for index in range(60)]


def test_a_sample_has_the_promised_types():
    sample = datasets.shapes(1, size=(65, 97))[0]
    assert sample["image"].shape == (65, 97, 3)
    assert sample["image"].dtype == np.uint8
    assert sample["label"].shape == (65, 97)
    assert sample["label"].dtype == sample["classes"].dtype == np.int32
    assert sample["masks"].shape == (len(sample["classes"]), 65, 97)
    assert sample["masks"].dtype == bool


def test_the_same_seed_and_index_give_the_same_sample():
    first, second = datasets.shapes(5, size=64)[3], datasets.shapes(9, size=64)[3]
    for key in first:
        np.testing.assert_array_equal(first[key], second[key])


def test_other_seeds_and_indices_give_other_samples():
    samples = datasets.shapes(2, size=64)
    others = [samples[1], datasets.shapes(1, size=64, seed=1)[0]]
    for other in others:
        assert (samples[0]["image"] != other["image"]).mean() > 0.5


def test_masks_are_disjoint_and_agree_with_the_label(many):
    for sample in many:
        assert sample["masks"].sum(0).max(initial=0) <= 1
        label = np.zeros_like(sample["label"])
        for mask, class_id in zip(sample["masks"], sample["classes"]):
            label[mask] = class_id
        np.testing.assert_array_equal(label, sample["label"])


def test_every_shape_shows_and_every_class_occurs(many):
    assert min(sample["masks"].sum((1, 2)).min() for sample in many) > 40
    classes = np.concatenate([sample["classes"] for sample in many])
    assert set(classes.tolist()) == {1, 2, 3}


def test_outlines_are_those_of_the_classes():
    # Area over the area of the smallest circle around: disc 1, square 2 / pi = 0.64,
    # equilateral triangle 0.41. Only shapes that nothing cuts off.
    samples, found = datasets.shapes(80, max_shapes=1), {1: [], 2: [], 3: []}
    for index in range(80):
        sample = samples[index]
        mask = sample["masks"][0]
        if not (
            mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        ):
            points = np.argwhere(mask).astype(np.float32)
            _, radius = cv2.minEnclosingCircle(points)
            area = mask.sum() / (np.pi * (radius + 0.5) ** 2)
            found[int(sample["classes"][0])].append(area)
    assert all(0.9 < area <= 1.05 for area in found[1])
    assert all(0.58 < area < 0.7 for area in found[2])
    assert all(0.35 < area < 0.48 for area in found[3])


def test_neither_colour_nor_texture_gives_the_class_away(many):
    # Mean and spread of the channels in a shape: their class means must lie close
    # together compared with how much they vary within a class.
    features = {1: [], 2: [], 3: []}
    for sample in many:
        for mask, class_id in zip(sample["masks"], sample["classes"]):
            pixels = sample["image"][mask].astype(float)
            features[int(class_id)].append([*pixels.mean(0), *pixels.std(0)])
    means = np.stack([np.mean(rows, axis=0) for rows in features.values()])
    within = np.mean([np.std(rows, axis=0) for rows in features.values()], axis=0)
    assert (np.ptp(means, axis=0) / within).max() < 0.8


@pytest.mark.parametrize(
    "options",
    [
        {"num": 0},
        {"size": 16},
        {"size": (96, 8)},
        {"seed": -1},
        {"max_shapes": 0},
        {"texture": -1},
    ],
)
def test_arguments_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="must be at least"):
        datasets.shapes(**{"num": 1, **options})


@pytest.mark.parametrize(
    "options",
    [{"num": 10**9}, {"num": 1, "size": 10**9}, {"num": 1, "texture": float("nan")}],
)
def test_more_than_memory_holds_is_refused_at_once(options):
    with pytest.raises(ValueError, match="must be"):
        datasets.shapes(**options)
