"""Models with published weights, by name."""

import numpy as np
import pytest

from kerasseg import datasets, encoders, predict, tasks, zoo
from kerasseg.metrics import confusion_matrix, mean_iou
from kerasseg.weights import WeightsError, catalog


@pytest.fixture(scope="module")
def shapes():
    return zoo.load("shapes")


def test_a_model_comes_with_weights_task_and_classes(shapes):
    entry = catalog.entry("shapes")
    assert shapes.task == "semantic" and shapes.classes == entry.classes
    samples = datasets.shapes(**entry.dataset["val"])
    matrix = sum(
        confusion_matrix(sample["label"], tasks.predict(shapes, sample["image"]), 4)
        for sample in (samples[i] for i in range(20))
    )
    assert mean_iou(matrix) > 0.8


def test_builders_take_a_name_as_weights(shapes):
    model = zoo.unet(4, base_filters=8, weights="shapes")
    image = np.random.default_rng(0).integers(0, 256, [1, 33, 49, 3]).astype("float32")
    logits = model.predict_on_batch(image)
    np.testing.assert_allclose(logits, shapes(image), atol=1e-4)


def test_a_builder_with_other_options_is_told_who_builds_it():
    with pytest.raises(WeightsError, match=r"kerasseg\.zoo\.load\('shapes'\)"):
        zoo.unet(4, base_filters=4, weights="shapes")
    with pytest.raises(ValueError, match="are weights of 'unet'"):
        zoo.fcn(4, "tiny", weights="shapes")
    with pytest.raises(ValueError, match="are weights of 'unet'"):
        encoders.resnet18(weights="shapes")
    with pytest.raises(ValueError, match="Did you mean 'shapes'"):
        zoo.unet(4, base_filters=8, weights="shape")


def test_an_encoders_weights_are_no_model():
    with pytest.raises(ValueError, match="encoder='resnet50'"):
        zoo.load("resnet50_imagenet")


def test_other_classes_begin_a_head_anew(shapes):
    model = zoo.load("shapes", 2)
    assert model.output_shape[-1] == 2 and model.classes == ()
    ours, theirs = (
        {x.path: x.numpy() for x in m.weights if not x.path.startswith("head")}
        for m in (model, shapes)
    )
    assert ours.keys() == theirs.keys()
    assert all((ours[name] == theirs[name]).all() for name in ours)
    assert predict.class_ids(model, np.zeros([8, 8, 3], "uint8")).shape == (8, 8)
