"""The encoder of instance models."""

from kerasseg import encoders, zoo


def test_a_plain_encoder_has_as_many_filters_as_asked():
    model = zoo.yolact(1, "plain", base_filters=2, image_size=(64, 64), filters=4)
    assert encoders.of(model).output["c2"].shape[-1] == 8
