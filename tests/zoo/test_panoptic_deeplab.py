"""Panoptic-DeepLab: losses, parameters, and pictures learned."""

import numpy as np
import pytest

from kerasseg import zoo
from kerasseg.instance import panoptic
from kerasseg.metrics import panoptic as panoptic_metrics
from tests.contracts.discs import NUM_CLASSES, build, learn, scenes, truth_of
from tests.zoo.counts import norm_conv, trainable, without_values


def test_the_terms_are_those_of_a_hand_calculation():
    # 2 pixels, the hardest 15 % is one: class 1 missed by logits 0, 2. Squares 1 and 0;
    # offsets off by 1 + 2 on the one thing.
    found = {
        "logits": np.array([[[[0, 2], [9, 0]]]], "float32"),
        "centers": np.array([[[[0.0], [1.0]]]], "float32"),
        "offsets": np.array([[[[1, -2], [7, 7]]]], "float32"),
    }
    truth = {
        "label": np.array([[[0, 0]]]),
        "centers": np.ones([1, 1, 2, 1], "float32"),
        "offsets": np.zeros([1, 1, 2, 2], "float32"),
        "weights": np.array([[[[1.0], [0.0]]]], "float32"),
    }
    terms = zoo.panoptic_deeplab.losses(lambda x, training: found, None, truth)
    assert float(terms["semantic"]) == pytest.approx(np.log(1 + np.exp(2)))
    assert float(terms["centers"]) == pytest.approx(200 / 2)
    assert float(terms["offsets"]) == pytest.approx(0.01 * 3)


def test_panoptic_deeplab_has_the_parameters_of_the_paper_s_layers():
    def separable(inputs, outputs):
        return (25 + 2) * inputs + norm_conv(1, inputs, outputs)

    def branch(filters, low3, low2):
        aspp = 2 * norm_conv(1, 2048, 256) + 3 * norm_conv(3, 2048, 256)
        aspp += norm_conv(1, 5 * 256, 256)
        up3 = norm_conv(1, 512, low3) + separable(256 + low3, filters)
        return aspp + up3 + norm_conv(1, 256, low2) + separable(filters + low2, filters)

    heads = separable(256, 256) + 257 * 19
    heads += 2 * separable(128, 32) + 33 * (1 + 2)
    expected = 23508032 + branch(256, 64, 32) + branch(128, 32, 16) + heads
    with without_values():
        assert trainable(zoo.panoptic_deeplab()) == expected


@pytest.mark.slow
def test_panoptic_deeplab_learns_two_pictures_by_heart():
    images, labels, classes = scenes()
    truth = truth_of("panoptic_deeplab", labels, classes)
    model = build("panoptic_deeplab", dropout=0)
    found = learn(model, 80, 3e-3, images, truth)
    counts = 0
    for index, ids in enumerate(labels):
        segments = panoptic.decode(*(x[index] for x in found.values()), things=[1, 2])
        # Discs 1..M of class 1 + id % 2, and the ground as the last segment.
        of_ids = 1 + np.arange(1, ids.max() + 1) % 2
        true = np.where(ids > 0, ids, ids.max() + 1), np.append(of_ids, 0)
        counts = counts + panoptic_metrics.panoptic_counts(true, segments, NUM_CLASSES)
    assert panoptic_metrics.panoptic_scores(counts)["pq"] >= 0.9
