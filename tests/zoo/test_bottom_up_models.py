"""StarDist and Panoptic-DeepLab: outputs, losses, counts, and pictures learned."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import training, zoo
from kerasseg.instance import panoptic, star_distances, star_polygons
from kerasseg.metrics import instances
from kerasseg.metrics import panoptic as panoptic_metrics

NUM_RAYS, NUM_CLASSES = 16, 3
FEW = (16, 16, 8, 8, 8)
SMALL = {
    "stardist": {"num_rays": NUM_RAYS, "decoder_filters": FEW, "head_filters": 16},
    "panoptic_deeplab": {"num_classes": NUM_CLASSES},
}
# Discs that touch, (x, y, radius), two pictures.
CIRCLES = [
    [(18, 20, 12), (41, 20, 11), (20, 45, 13), (46, 44, 14)],
    [(12, 14, 10), (32, 16, 10), (30, 36, 10), (52, 30, 10.5), (14, 50, 11)],
]


def build(name, **options):
    keras.utils.set_random_seed(0)
    return zoo.BUILDERS[name](**{**SMALL[name], "encoder": "tiny", **options})


def discs(circles, size=(64, 64)):
    """Ids of discs, each pixel to the one that it lies deepest in."""
    y, x = np.indices(size)
    depth = np.array([r - np.hypot(x - cx, y - cy) for cx, cy, r in circles])
    return np.where(depth.max(0) >= 0, depth.argmax(0) + 1, 0)


def scenes():
    """Images float32 [2, 64, 64, 3], label maps, classes of the pixels 0..2."""
    labels = np.stack([discs(circles) for circles in CIRCLES])
    classes = np.where(labels > 0, 1 + labels % 2, 0)
    noise = np.random.default_rng(0).normal(0, 8, (*labels.shape, 3))
    colors = np.array([(40, 40, 40), (200, 90, 60), (70, 160, 210)])
    # Outlines of touching discs are dark, as between cells.
    deep = np.stack([star_distances.object_probabilities(x) for x in labels])
    light = np.where(labels > 0, 0.5 + 0.5 * deep, 1)[..., None]
    return (colors[classes] * light + noise).astype("float32"), labels, classes


def truth_of(name, labels, classes, grid=1):
    if name == "stardist":
        parts = [star_distances.star_targets(x, NUM_RAYS, grid=grid) for x in labels]
        return {key: np.stack([p[key] for p in parts]) for key in parts[0]}
    parts = [panoptic.panoptic_targets(x, sigma=3.0) for x in labels]
    return {"label": classes, **{k: np.stack([p[k] for p in parts]) for k in parts[0]}}


def losses(model, images, truth):
    return zoo.BUILDERS[model.name].losses(model, images, truth, seed=None)


def learn(model, steps, rate, images, truth):
    function = zoo.BUILDERS[model.name].losses
    step = training.make_train_step(
        model, training.Objective(function), keras.optimizers.Adam(rate)
    )
    for _ in range(steps):
        step(images, truth)
    return {name: np.asarray(values) for name, values in model(images).items()}


@pytest.fixture(scope="module", params=zoo.names("stars") + zoo.names("panoptic"))
def model(request):
    return build(request.param)


def test_outputs_are_named_maps_in_float32_at_any_size(model):
    sizes = {"logits": 1, "distances": NUM_RAYS}
    if model.name == "panoptic_deeplab":
        sizes = {"logits": NUM_CLASSES, "centers": 1, "offsets": 2}
    for shape in ((1, 65, 97, 3), (2, 64, 32, 3)):
        found = model(np.zeros(shape, "float32"))
        assert list(found) == list(sizes)
        for name, values in found.items():
            assert values.shape == (*shape[:3], sizes[name])
            assert values.dtype == "float32"


def test_a_saved_model_says_the_same(model, tmp_path):
    images = scenes()[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name, values in loaded(images).items():
        np.testing.assert_allclose(values, model(images)[name], atol=1e-4)


def test_the_loss_reaches_every_weight(model):
    images, labels, classes = scenes()
    with tf.GradientTape() as tape:
        terms = losses(model, images, truth_of(model.name, labels, classes))
        total = tf.add_n(list(terms.values()))
    weights = model.trainable_variables
    for weight, gradient in zip(
        weights, tape.gradient(total, [w.value for w in weights])
    ):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all() and np.any(gradient), weight.path


def test_pictures_without_objects_give_finite_losses(model):
    images, labels, classes = scenes()
    truth = truth_of(model.name, 0 * labels, 0 * classes)
    terms = losses(model, images, truth)
    assert all(np.isfinite(value) for value in terms.values())


def test_half_precision_keeps_outputs_in_float32(model):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = build(model.name)
        found = half(scenes()[0])
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(x.dtype == "float32" and np.isfinite(x).all() for x in found.values())


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


@pytest.mark.parametrize(
    ("options", "message"),
    [({"num_rays": 2}, "Received: 2"), ({"grid": 4}, "Received: grid=4")],
)
def test_stars_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build("stardist", **options)


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


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


def norm_conv(size, inputs, outputs):
    return size**2 * inputs * outputs + 2 * outputs


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
    with keras.StatelessScope(initialize_variables=False):
        assert trainable(zoo.panoptic_deeplab()) == expected
