"""The U-Net on other encoders: as deep as its decoder has steps."""

import numpy as np
import pytest

from kerasseg import encoders, zoo
from kerasseg.weights import named_variables


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_fewer_steps_start_from_a_finer_level(depth):
    model = zoo.unet(3, "tiny", decoder_filters=(8,) * depth)
    assert model(np.zeros([1, 65, 97, 3])).shape == (1, 65, 97, 3)
    inside = encoders.of(model)
    assert list(inside.output)[-1] == f"c{depth}"
    # What lies behind the last tap is no part of the model: tiny widens with depth.
    kept = sum(x.numpy().size for x in named_variables(inside).values())
    whole = sum(x.numpy().size for x in named_variables(encoders.tiny()).values())
    assert (kept == whole) is (depth == 5)


def test_an_encoder_has_five_levels():
    with pytest.raises(ValueError, match="a tap c6"):
        zoo.unet(3, "tiny", decoder_filters=(8,) * 6)
