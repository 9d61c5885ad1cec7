"""Scores of images one by one."""

import numpy as np
import pytest

from kerasseg import metrics

IMAGES = ("ImageDice", "ImageIoU")


@pytest.mark.parametrize("weighted", [None, (4,), (4, 6, 5)])
@pytest.mark.parametrize("name", IMAGES)
def test_images_are_scored_one_by_one(exclusive, name, weighted, rng):
    labels, logits = exclusive
    weights = np.ones(4) if weighted is None else rng.random(weighted)
    score = {"ImageIoU": metrics.mean_iou, "ImageDice": metrics.mean_dice}[name]
    values = []
    for label, logit, weight in zip(labels[:3], logits, weights):
        of_image = metrics.ConfusionMatrix(3)
        spread = np.broadcast_to(weight, (1, 6, 5)) if weight.ndim else None
        of_image.update_state(label[None], logit[None], spread)
        values.append(score(of_image.numpy()))
    of_images = weights[:3] if weights.ndim == 1 else np.ones(3)
    metric = getattr(metrics, name)(3)
    given = None if weighted is None else weights
    metric.update_state(labels, logits, given)  # the last image has no valid pixel
    expected = np.average(values, weights=of_images)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", IMAGES)
def test_binary_images_are_scored_too(name, exclusive):
    labels, logits = exclusive[0] % 255 % 2, exclusive[1][..., :1]
    one, two = getattr(metrics, name)(1), getattr(metrics, name)(2)
    one.update_state(labels, logits)
    two.update_state(labels, np.concatenate([0 * logits, logits], -1))
    assert float(one.result()) == pytest.approx(float(two.result()), rel=1e-6)
