"""Aligned Xception-65: layout, dense features."""

import pytest

from kerasseg.encoders.xception import xception65


@pytest.fixture(scope="module")
def strided(calibrate):
    return calibrate(xception65())


@pytest.mark.slow
def test_taps_have_their_strides_and_channels_at_an_odd_size(strided, picture):
    shapes = [tuple(tap.shape[1:]) for tap in strided(picture(65, 97)).values()]
    assert shapes == [
        (33, 49, 64),
        (17, 25, 256),
        (9, 13, 728),
        (5, 7, 728),
        (3, 4, 2048),
    ]


def test_parameters_are_those_of_deeplab_v3_plus_less_its_head(strided):
    # Separable 3x3 with both normalisations: 9 C + 4 C + C F + 4 F.
    def separable(channels, filters):
        return 13 * channels + (channels + 4) * filters

    aspp = (2048 + 4) * 256 * 2 + 3 * separable(2048, 256) + (5 * 256 + 4) * 256
    decoder = (256 + 4) * 48 + separable(304, 256) + separable(256, 256)
    head = (256 + 1) * 21
    assert strided.count_params() == 41258213 - aspp - decoder - head


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [16, 8])
def test_dense_features_subsampled_equal_strided_ones(
    strided, picture, relative_error, output_stride
):
    image = picture(64, 97)
    expected = strided(image)
    dense = xception65(output_stride=output_stride)
    dense.set_weights(strided.get_weights())
    for tap, features in dense(image).items():
        step = max(1, 2 ** int(tap[1]) // output_stride)
        assert relative_error(features[:, ::step, ::step], expected[tap]) <= 1e-5
