"""StarDist: grid, losses, parameters, and pictures learned."""

import numpy as np
import pytest

from kerasseg import zoo
from kerasseg.instance import star_polygons
from kerasseg.metrics import instances
from tests.contracts.discs import NUM_RAYS, build, learn, scenes, truth_of
from tests.zoo.counts import norm_conv, trainable


def test_a_grid_of_two_halves_the_outputs():
    for encoder in ("tiny", "plain"):
        star = build("stardist", encoder=encoder, grid=2, base_filters=2)
        found = star(np.zeros([1, 64, 96, 3], "float32"))
        assert found["distances"].shape == (1, 32, 48, NUM_RAYS)


def test_the_terms_are_those_of_a_hand_calculation():
    # Two pixels, one of an object: logits 0 -> log 2 each. Distances 3 and 5 for 1 and
    # 1: error 3 in the object (weight 0.5, alone, divisor at least 1); 1 outside.
    found = {
        "logits": np.zeros([1, 1, 2, 1], "float32"),
        "distances": np.array([[[[3, 5], [1, 1]]]], "float32"),
    }
    truth = {
        "probabilities": np.array([[[[0.5], [0]]]], "float32"),
        "distances": np.array([[[[1, 1], [0, 0]]]], "float32"),
    }
    terms = zoo.stardist.losses(lambda x, training: found, None, truth)
    assert float(terms["probability"]) == pytest.approx(np.log(2))
    assert float(terms["distances"]) == pytest.approx(0.2 * (0.5 * 3 + 1e-4 * 1 / 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"num_rays": 2}, "Received: 2"), ({"grid": 4}, "Received: grid=4")],
)
def test_stars_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build("stardist", **options)


def test_stardist_is_a_unet_and_three_convolutions():
    def unet(base, depth=4):
        widths = [base * 2**level for level in range(depth + 1)]
        steps = zip([3, *widths], widths)
        total = sum(norm_conv(3, a, b) + norm_conv(3, b, b) for a, b in steps)
        for a, b in zip(widths[:0:-1], widths[-2::-1]):  # up, skip, two convolutions
            total += 4 * a * b + b + norm_conv(3, 2 * b, b) + norm_conv(3, b, b)
        return total

    assert unet(64) + (64 + 1) * 2 == 31037698  # the count of REFERENCES for a U-Net
    heads = (9 * 32 + 1) * 128 + (128 + 1) * (1 + 32)
    assert trainable(zoo.stardist()) == unet(32) + heads


@pytest.mark.slow
def test_stardist_separates_touching_discs_after_a_few_steps():
    images, labels, classes = scenes()
    model = build("stardist", encoder="plain", base_filters=8)
    found = learn(model, 140, 5e-3, images, truth_of("stardist", labels, classes))
    counts = 0
    for index, truth in enumerate(labels):
        polygons = star_polygons.decode(
            *(found[name][index] for name in ("logits", "distances"))
        )
        label_map = star_polygons.to_label_map(polygons, truth.shape)
        counts = counts + instances.instance_counts(truth, label_map, [0.5])
    assert instances.average_precision(counts)[0] >= 0.9
