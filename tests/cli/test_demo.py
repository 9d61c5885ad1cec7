"""The page's pictures whose numbers do not tell what is black and white."""

import numpy as np

from kerasseg.cli import demo, options


def test_a_value_range_scales_what_the_methods_see():
    segment = demo._in_range(lambda image: image, options.number_list("0,4095"))
    seen = segment(np.array([[0, 4095]], "uint16"))
    np.testing.assert_array_equal(seen, [[0, 255]])
