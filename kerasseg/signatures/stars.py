"""Signatures of StarDist: from images to the maps that polygons are found in."""

import tensorflow as tf

from kerasseg.signatures import pixels

OUTPUTS = {
    "logits": "float32 [N, h, w, 1], sigmoid: object probability",
    "distances": "float32 [N, h, w, R] along the rays, in pixels of the image",
}


def functions(model, max_pixels):
    """The signatures of `zoo.stardist`, by name.

    Polygons are left to the client: `instance.star_polygons.decode` needs numpy and
    scipy only.

    Args:
        model: image -> dict of logits and distances.
        max_pixels: larger encoded images are refused.

    Returns:
        As `pixels.functions`.
    """

    @tf.function(input_signature=[pixels.image_spec(model, tf.float32)])
    def map_floats(images):
        return dict(model(images, training=False))

    return pixels.functions(model, max_pixels, map_floats)
