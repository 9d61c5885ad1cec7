"""Objects of an image: boxes and masks that follow from maps of ids."""

import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment, data, datasets
from kerasseg.instance.masks import masks_to_boxes


def sample_of(*maps, classes, crowd=None):
    crowd = np.zeros(len(classes), int) if crowd is None else crowd
    return {"instances": np.int32(maps), "classes": np.int32(classes), "crowd": crowd}


def found_in(sample, num=4, **options):
    found = data.object_targets(sample, num, **options)
    return {name: values.numpy() for name, values in found.items()}


def squares(*places, size=16):
    """Map of ids with a square for each (row, column, side)."""
    ids = np.zeros([size, size], "int32")
    for number, (row, column, side) in enumerate(places, 1):
        ids[row : row + side, column : column + side] = number
    return ids


def test_boxes_are_tight_and_the_largest_object_comes_first():
    ids = squares((0, 0, 4), (5, 6, 8))
    found = found_in(sample_of(ids, classes=[1, 3]))
    assert found["boxes"].tolist() == [[6, 5, 14, 13], [0, 0, 4, 4], [0] * 4, [0] * 4]
    assert found["classes"].tolist() == [2, 0, -1, -1]


def test_masks_are_the_share_of_a_cell_that_is_covered():
    ids = squares((0, 2, 7))
    masks = found_in(sample_of(ids, classes=[1]))["masks"]
    assert masks.dtype == np.float32 and masks.shape == (4, 4, 4)
    # Rows 0 to 6 and columns 2 to 8, in cells of 4 x 4.
    rows = [[0.5, 1, 0.25, 0], [0.375, 0.75, 0.1875, 0], [0] * 4, [0] * 4]
    assert masks[0].tolist() == rows
    assert not masks[1:].any()


def test_objects_that_overlap_keep_all_of_their_pixels():
    first, second = squares((0, 0, 8)), 2 * squares((4, 4, 8))
    found = found_in(sample_of(first, second, classes=[1, 1]))
    assert found["boxes"][:2].tolist() == [[0, 0, 8, 8], [4, 4, 12, 12]]
    assert found["masks"].sum((1, 2)).tolist() == [4, 4, 0, 0]


def test_crowds_specks_and_what_is_cut_away_are_no_objects():
    ids = squares((0, 0, 6), (8, 8, 1), (10, 0, 5))
    sample = sample_of(ids, classes=[1, 1, 2, 1], crowd=[1, 0, 0, 0])
    assert found_in(sample)["classes"].tolist() == [1, -1, -1, -1]


def test_the_smallest_of_too_many_are_left_out():
    ids = squares((0, 0, 3), (4, 4, 5), (10, 10, 4))
    assert found_in(sample_of(ids, classes=[1, 2, 3]), 2)["classes"].tolist() == [1, 2]


def test_an_image_without_objects_is_padding_only():
    sample = sample_of(np.zeros([8, 8]), classes=[])
    found = found_in(sample, 2)
    assert found["classes"].tolist() == [-1, -1] and not found["boxes"].any()


def test_sides_that_are_no_multiple_of_the_stride_are_refused():
    with pytest.raises(ValueError, match="known sides, multiples of 4"):
        data.object_targets(sample_of(np.zeros([10, 8]), classes=[]), 2)


def test_a_pipeline_gives_the_objects_of_the_augmented_image():
    samples = datasets.shapes(4, size=64)
    crop = augment.standard(size=(48, 64), scale=(0.7, 1.4), flip="horizontal")
    stream = data.pipeline(samples, batch_size=2, augment=crop, objects=5)
    images, truth = next(iter(stream))
    assert images.shape == (2, 48, 64, 3)
    assert truth["boxes"].shape == (2, 5, 4) and truth["masks"].shape == (2, 5, 12, 16)
    present = truth["classes"].numpy() >= 0
    assert present.any() and not present.all()
    fine = masks_to_boxes(truth["masks"].numpy()[present]) * 4
    assert np.abs(fine - truth["boxes"].numpy()[present]).max() <= 4


def test_without_augmentation_masks_and_boxes_are_those_of_the_sample():
    samples = datasets.shapes(3, size=64)
    stream = data.pipeline(samples, batch_size=1, objects=4, shuffle=False)
    for sample, (_, truth) in zip(map(samples.read, range(3)), stream):
        order = np.argsort(-sample["masks"].sum((1, 2)), kind="stable")
        count = len(order)
        expected = masks_to_boxes(sample["masks"][order])
        np.testing.assert_array_equal(truth["boxes"][0, :count], expected)
        np.testing.assert_array_equal(
            truth["classes"][0, :count], sample["classes"][order] - 1
        )


def test_samples_without_instances_are_refused():
    samples = datasets.Samples(
        ("a",),
        lambda index: {
            "image": np.zeros([8, 8, 3], "uint8"),
            "label": np.zeros([8, 8], "int32"),
        },
        ("x",),
    )
    with pytest.raises(ValueError, match="`objects` needs samples with instances"):
        data.pipeline(samples, objects=3)


def test_objects_are_equal_inside_a_graph():
    sample = sample_of(squares((0, 0, 4), (5, 6, 8)), classes=[1, 3])
    graph = tf.function(lambda: data.object_targets(sample, 3))()
    for name, values in data.object_targets(sample, 3).items():
        np.testing.assert_array_equal(graph[name], values)
