"""Options of prediction and the functions that take them by the same names."""

import inspect

import pytest

from kerasseg import predict
from kerasseg.predict import options
from kerasseg.predict.options import InstanceOptions, StarOptions


@pytest.mark.parametrize(
    ("function", "cls"),
    [
        (predict.class_ids, options.ClassMapOptions),
        (predict.probabilities, options.ClassMapOptions),
        (predict.instances, options.InstanceOptions),
        (predict.stars, options.StarOptions),
        (predict.panoptic, options.PanopticOptions),
    ],
)
def test_functions_and_options_have_the_same_defaults(function, cls):
    given = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    expected = vars(cls())
    assert given
    assert {name: expected[name] for name in given} == given
    areas = {"min_area_px"} if function is predict.probabilities else set()
    assert set(expected) - set(given) == {*options.FOR_FILES} | areas


def test_a_fit_of_two_sides_is_known():
    assert InstanceOptions(fit="800x1333").sides_px == (800, 1333)
    assert InstanceOptions().sides_px is None
    for fit in ("1333x800", "800", "8x9", "x", "800X1333"):
        with pytest.raises(ValueError, match="or sides as '800x1333'"):
            InstanceOptions(fit=fit)


def test_percentiles_and_borders_are_checked():
    assert StarOptions(percentiles=(1, 99.8), border="mirror").percentiles == (1, 99.8)
    for percentiles in ((1,), (99, 1), (0, 101), (float("nan"), 50)):
        with pytest.raises(ValueError, match=r"two numbers in 0\.\.100"):
            StarOptions(percentiles=percentiles)
    with pytest.raises(ValueError, match="Received: border='zero'"):
        StarOptions(border="zero")
