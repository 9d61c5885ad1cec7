"""Normalised taps of ConvNeXt."""

import keras
import numpy as np

from kerasseg import encoders
from kerasseg.encoders.convnext import arrays_of
from kerasseg.weights import assign, named_variables


def test_taps_are_normalised_over_their_channels(rng):
    model = encoders.convnext_tiny(normalize_taps=True)
    taps = model(rng.uniform(0, 255, (1, 64, 64, 3)))
    for name in ("c2", "c3", "c4", "c5"):
        tap = np.asarray(taps[name])
        np.testing.assert_allclose(tap.mean(-1), 0, atol=1e-4)
        # Not quite 1 where features vary less than the epsilon of 1e-6 allows for.
        np.testing.assert_allclose(tap.std(-1), 1, atol=0.1)


def test_weights_of_a_classifier_leave_the_normalisations_of_taps_as_they_are():
    model = encoders.convnext_tiny(normalize_taps=True)
    source = keras.applications.ConvNeXtTiny(include_top=False, weights=None)
    arrays = arrays_of(source, model)
    assign(model, arrays)  # raises if one is missing or has another shape
    table = named_variables(model)
    np.testing.assert_array_equal(table["stage2_norm/gamma"], 1)
    np.testing.assert_array_equal(table["norm/gamma"], source.weights[-2])
