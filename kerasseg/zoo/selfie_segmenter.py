"""Google's selfie segmenter: people cut out of photos by 106,401 numbers."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.layers import ResizeLike, ResizeTo
from kerasseg.zoo._builder import builder


@builder()
def selfie_segmenter(
    num_classes=1,
    encoder="mobilenet_v3_selfie",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    resize_to=None,
    decoder_filters=128,
    weights=None,
):
    """Selfie segmenter of MediaPipe (its general model): gated skips, few channels.

    The published network sees every photo at 256 x 256 px, stretched if need be: there
    this one gives what its last sigmoid is given (`kerasseg.zoo.load("people")`). At
    other sizes it knows people only if they are about as large.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        resize_to: (height, width) at which the network sees every image; None is the
            image's own. The logits are always as large as the image.
        decoder_filters: channels at stride 16; finer ones are those of the encoder.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or a `resize_to` of other numbers.

    Reference: Google, 2021, https://ai.google.dev/edge/mediapipe/solutions/vision/image_segmenter
    """
    _check_size(resize_to)
    x = image = keras.Input(input_shape, name="image")
    if resize_to is not None:
        x = ResizeTo(*resize_to, dtype="float32", name="resize")(image)
    encoder = encoders.build(encoder, input_shape, weights=encoder_weights)
    taps = encoders.shallow(encoder, 4)(x)
    x = _context(taps["c4"], decoder_filters)
    skips = [skip for skip in blocks.skips_of(taps, 3) if skip is not None]
    for level, skip in enumerate(skips, 1):
        x = _step(x, skip, name=f"decoder{level}")
    scores = layers.Conv2DTranspose(
        num_classes, 2, strides=2, kernel_initializer="he_normal", name="head"
    )(x)
    return keras.Model(image, blocks.logits(scores, image), name="selfie_segmenter")


def _check_size(size):
    right = isinstance(size, (list, tuple)) and len(size) == 2
    if size is None or (right and all(type(n) is int and n > 0 for n in size)):
        return
    raise ValueError(
        "`resize_to` must be (height, width) in pixels, or None. "
        f"Received: resize_to={size!r}."
    )


def _context(x, filters):
    """1x1 convolution, its channels weighted by the averages of the whole map."""
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="context_pool")(x)
    gate = blocks.conv(gate, filters, 1, name="context_gate")
    gate = blocks.activate(gate, "sigmoid", name="context_gate")
    x = blocks.conv(x, filters, 1, name="context_conv")
    x = blocks.activate(x, "relu", name="context")
    return layers.Multiply(name="context_gated")([x, gate])


def _step(x, skip, *, name):
    """Add the skip, gated by what both show together; then 1x1 and depthwise 3x3."""
    filters = skip.shape[-1]
    # Before the resize, a quarter of the work; the two commute.
    x = blocks.conv(x, filters, 1, name=f"{name}_reduce_conv")
    x = ResizeLike(name=f"{name}_up")([x, skip])
    both = layers.Add(name=f"{name}_both")([x, skip])
    gate = blocks.channel_gate(both, filters, name=f"{name}_gate")
    skip = layers.Multiply(name=f"{name}_gated")([skip, gate])
    x = layers.Add(name=f"{name}_skip")([x, skip])
    x = blocks.conv(x, filters, 1, name=f"{name}_conv")
    x = blocks.activate(x, "relu", name=name)
    refined = blocks.depthwise_conv_norm_act(x, norm=None, name=f"{name}_refine")
    return layers.Add(name=f"{name}_add")([x, refined])
