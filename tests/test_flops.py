"""Operations against the figures that torchvision publishes for its models."""

import pytest

from kerasseg import zoo
from kerasseg.flops import gflops


# Multiplications with an addition, in billions, at 520x520; 21 classes.
@pytest.mark.parametrize(
    ("name", "options", "published"),
    [
        ("lraspp", {}, 2.086),
        ("fcn", {"encoder": "resnet50", "aux": True}, 152.717),
        ("deeplab_v3", {"aux": True}, 178.722),
    ],
)
def test_gflops_are_twice_the_published_multiplications(name, options, published):
    model = zoo.BUILDERS[name](21, input_shape=(520, 520, 3), **options)
    assert gflops(model) / 2 == pytest.approx(published, rel=0.005)


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="fixed image size"):
        gflops(zoo.lraspp(21))
