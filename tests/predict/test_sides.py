"""Images resized by their sides, for models that are built anew for each size."""

import keras
import numpy as np
import pytest

from kerasseg import predict
from kerasseg.predict.options import InstanceOptions
from kerasseg.predict.preprocessing import fit_sides
from tests.contracts.objects import build


@pytest.mark.parametrize(
    ("given", "sides", "inner", "padded"),
    [
        ((480, 640), (800, 1333), (800, 1066), (800, 1088)),
        ((200, 1000), (800, 1333), (266, 1333), (288, 1344)),
        ((64, 96), (64, 96), (64, 96), (64, 96)),
    ],
)
def test_the_longer_side_limits_the_shorter_one(given, sides, inner, padded):
    fitted, found = fit_sides(np.ones((*given, 1), "float32"), sides, fill=7.0)
    assert (found, fitted.shape[:2]) == (inner, padded)
    assert (fitted[: inner[0], : inner[1]] == 1).all()
    assert (fitted[inner[0] :] == 7).all() and (fitted[:, inner[1] :] == 7).all()


def test_a_fit_of_two_sides_is_known():
    assert InstanceOptions(fit="800x1333").sides_px == (800, 1333)
    assert InstanceOptions().sides_px is None
    for fit in ("1333x800", "800", "8x9", "x", "800X1333"):
        with pytest.raises(ValueError, match="or sides as '800x1333'"):
            InstanceOptions(fit=fit)


def test_objects_of_an_image_by_its_sides_lie_within_it():
    model = build("mask_rcnn", corners=True, nms={"score_threshold": 0.0})
    image = np.random.default_rng(0).integers(0, 256, (50, 75, 3), "uint8")
    found = predict.instances(model, image, fit="64x80", score_threshold=0.0)
    assert found.masks.shape[1:] == (50, 75)
    assert (found.boxes >= 0).all() and (found.boxes[:, 2:] <= (75, 50)).all()


def test_a_model_that_does_not_tell_its_options_is_refused():
    model = build("mask_rcnn")
    bare = keras.Model(model.input, model.output, name="mine")
    with pytest.raises(ValueError, match="not from a file"):
        predict.instances(bare, np.zeros((9, 9, 3), "uint8"), fit="64x80")
