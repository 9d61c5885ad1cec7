"""CenterMask: objects as points; a mask is a local shape times a global saliency."""

import keras
from keras import layers, ops

from kerasseg import blocks, encoders
from kerasseg.detection import boxes as geometry
from kerasseg.detection import losses as terms
from kerasseg.detection.detections import (
    detections,
    outputs,
    outputs_spec,
    padded_top_k,
)
from kerasseg.detection.gather import gather
from kerasseg.detection.mask_grid import STRIDE, mask_size
from kerasseg.detection.pasting import box_masks, paste_masks
from kerasseg.detection.targets import center_targets
from kerasseg.names import look_up
from kerasseg.zoo._builder import builder
from kerasseg.zoo._fixed_size import encode

CENTER_BIAS = -2.19  # CenterNet's: a score of 0.1 everywhere at the start
NAMES = ("heatmap", "sizes", "offsets", "shapes", "saliency")
# Decoder -> the taps that it reads, fine to coarse.
DECODERS = {"transposed": ("c5",)} | dict.fromkeys(
    ("pyramid", "unet"), ("c2", "c3", "c4", "c5")
)


def center_mask_losses(model, images, truth, *, seed=None, divide=terms.divide):
    """Losses of CenterMask, four terms.

    Shapes are trained in the boxes of the truth. The cross-entropy of a mask is the
    mean over the pixels of its box.

    `kerasseg.zoo` describes the arguments; `seed` belongs to their common form and is
    not used.

    Returns:
        dict of scalars: "centers", "sizes" (times 0.1), "offsets" and "masks".
    """
    found = _predict(_parts(model), images, training=True)
    height, width, num_classes = found["heatmap"].shape[1:]
    boxes, classes = truth["boxes"], truth["classes"]
    targets = center_targets(
        boxes, classes, num_classes=num_classes, size=(height, width), stride=STRIDE
    )
    shapes = _shapes(found["shapes"], targets.positions)
    logits = _mask_logits(shapes, found["saliency"], boxes)
    of_masks = terms.boxed_mask_loss(
        logits,
        truth["masks"],
        boxes,
        targets.weights,
        stride=STRIDE,
        divide=divide,
    )
    of_centers = terms.heatmap_loss(found["heatmap"], targets.heatmap, divide=divide)
    of_sizes, of_offsets = (
        terms.center_loss(found[name], getattr(targets, name), targets, divide=divide)
        for name in ("sizes", "offsets")
    )
    return {  # sizes weigh 0.1 as in CenterNet: they are in pixels, the others near 1
        "centers": of_centers,
        "sizes": 0.1 * of_sizes,
        "offsets": of_offsets,
        "masks": of_masks,
    }


@builder("instance", losses=center_mask_losses)
def center_mask(
    num_classes=80,
    encoder="resnet18",
    *,
    image_size=(512, 512),
    channels=3,
    encoder_weights=None,
    freeze_norm=False,
    base_filters=64,
    decoder="transposed",
    filters=256,
    head_filters=64,
    shape_size=32,
    score_threshold=0.05,
    num_detections=100,
    weights=None,
):
    """CenterMask on CenterNet: peaks of a heatmap are objects, without suppression.

    `zoo.center_mask.losses` trains it. The default decoder is that of CenterNet's
    ResNets, whose deformable convolutions are left out.

    Args:
        num_classes: C.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        image_size: (height, width), multiples of 32.
        channels: of the images; pretrained encoders are adapted to other than 3.
        encoder_weights: None, "imagenet" or a path.
        freeze_norm: keep the encoder's batch normalisation as it is; for pretrained
            encoders only.
        base_filters: channels of the first level; "plain" and "residual" only.
        decoder: "transposed" doubles the last features three times; "pyramid" adds
            those of strides 4 to 16, which small encoders need to place centres; "unet"
            joins them and convolves twice at each stride, normalised.
        filters: channels of the decoder.
        head_filters: channels inside each of the five heads.
        shape_size: S, rows and columns of a local shape.
        score_threshold: objects score higher than this.
        num_detections: K.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> dict of boxes float32 [N, K, 4], classes
        int32 [N, K] (-1 for padding), scores [N, K], masks float32 [N, K, H / 4,
        W / 4] in 0..1, num int32 [N].

    Raises:
        ValueError: for an unknown encoder or decoder, or an `image_size` of other
            numbers.

    Reference: Wang et al., 2020, https://arxiv.org/abs/2004.04446; Zhou et al., 2019,
    https://arxiv.org/abs/1904.07850
    """
    read = look_up(decoder, DECODERS, "decoder")
    image, encoder, taps = encode(
        encoder, (*image_size, channels), encoder_weights, base_filters, freeze_norm
    )
    parts = (
        encoder,
        _decoder(decoder, {name: taps[name].shape[1:] for name in read}, filters),
        _head(num_classes, shape_size, filters, head_filters),
    )
    found = _predict(parts, image)
    detect = CenterDetections(
        image_size, score_threshold, num_detections, name="detections"
    )
    return keras.Model(image, detect([found[x] for x in NAMES]), name="center_mask")


@keras.saving.register_keras_serializable("kerasseg")
class CenterDetections(layers.Layer):
    """Selects the objects of an image from the predictions at all mask pixels.

    Call it with [heatmap logits [N, h, w, C], sizes [N, h, w, 2] and offsets
    [N, h, w, 2] in mask pixels, shape logits [N, h, w, S * S], saliency logits
    [N, h, w, 1]].

    Args:
        image_size: (height, width), four times (h, w).
        score_threshold: objects score higher than this.
        num_detections: K.
    """

    def __init__(self, image_size, score_threshold, num_detections, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_size = tuple(image_size)
        self.score_threshold = score_threshold
        self.num_detections = num_detections

    def call(self, inputs):
        heatmap, sizes, offsets, shapes, saliency = inputs
        _, height, width, num_classes = heatmap.shape
        scores = ops.sigmoid(heatmap)
        # A peak is the largest of its 3x3: this takes the place of suppression.
        around = ops.max_pool(scores, 3, strides=1, padding="same")
        peak = ops.logical_and(scores == around, scores > self.score_threshold)
        scores = ops.where(peak, scores, 0.0)
        scores = ops.reshape(scores, (-1, height * width * num_classes))
        scores, rows = padded_top_k(scores, self.num_detections)
        # rows count [h, w, C], positions [h, w]
        positions = rows // num_classes
        corner = ops.stack([positions % width, positions // width], axis=-1)
        centers = ops.cast(corner, "float32") + _at(offsets, positions)
        # The head is linear, so sizes may be negative.
        halves = ops.maximum(_at(sizes, positions), 0.0) / 2
        boxes = ops.concatenate([centers - halves, centers + halves], axis=-1)
        boxes = geometry.clip(boxes * STRIDE, self.image_size)
        found = detections(boxes, rows % num_classes, scores, positions)
        logits = _mask_logits(_shapes(shapes, found.rows), saliency, found.boxes)
        inside = box_masks(found.boxes, (height, width), stride=STRIDE)
        return outputs(found, ops.sigmoid(logits) * inside)

    def compute_output_spec(self, inputs):
        batch = inputs[0].shape[0]
        return outputs_spec(batch, self.num_detections, mask_size(self.image_size))

    def get_config(self):
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "score_threshold": self.score_threshold,
            "num_detections": self.num_detections,
        }


def _predict(parts, images, **options):
    """Raw predictions; `options` are those of the call, such as training=True."""
    encoder, decoder, head = parts
    taps = encoder(images, **options)
    taps = {name: taps[name] for name in decoder.input}
    return head(decoder(taps, **options), **options)


def _parts(model):
    return encoders.of(model), model.get_layer("decoder"), model.get_layer("head")


def _decoder(kind, shapes, filters):
    """Model from taps of the encoder to features at stride 4."""
    taps = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    if kind == "pyramid":
        x = blocks.feature_pyramid(
            taps, filters, levels=(2, 3, 4, 5), activation="relu"
        )
        return keras.Model(taps, x["p2"], name="decoder")
    x = taps["c5"]
    if kind == "unet":
        for step, level in enumerate((4, 3, 2), 1):
            skip = taps[f"c{level}"]
            x = blocks.decoder_block(x, skip, filters, name=f"decoder{step}")
        return keras.Model(taps, x, name="decoder")
    for level in (1, 2, 3):
        name = f"decoder{level}"
        x = layers.Conv2DTranspose(
            filters,
            4,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        )(x)
        x = blocks.normalize(x, name=f"{name}_norm")
        x = blocks.activate(x, "relu", name=name)
    return keras.Model(taps, x, name="decoder")


def _head(num_classes, shape_size, filters, head_filters):
    """Model from features to the five predictions, each by two convolutions."""
    features = keras.Input((None, None, filters), name="features")
    found = {}
    for name, size in zip(NAMES, (num_classes, 2, 2, shape_size**2, 1)):
        x = blocks.conv_norm_act(features, head_filters, norm=None, name=f"{name}_head")
        bias = CENTER_BIAS if name == "heatmap" else 0.0
        x = blocks.score_conv(x, size, bias=bias, name=f"{name}_conv")
        found[name] = blocks.logits(x, name=name)
    return keras.Model(features, found, name="head")


def _at(features, positions):
    """Features [N, h, w, C] at row * w + column: [N, K, C]."""
    _, height, width, channels = features.shape
    return gather(ops.reshape(features, (-1, height * width, channels)), positions)


def _shapes(features, positions):
    """Local shapes [N, K, S, S] at positions [N, K]."""
    size = round(features.shape[-1] ** 0.5)
    return ops.reshape(_at(features, positions), (-1, positions.shape[1], size, size))


def _mask_logits(shapes, saliency, boxes):
    """Logits of shape and saliency together, at mask size: [N, K, h, w].

    A pixel belongs to the mask where both say so, with the product of their
    probabilities. Its logit, written in theirs a and b, is -log(e^-a + e^-b + e^-a-b),
    which loses no digits where a probability rounds to 0 or 1.
    """
    size = saliency.shape[1:3]
    a = paste_masks(shapes, boxes, size, stride=STRIDE)
    b = ops.cast(ops.moveaxis(saliency, -1, 1), "float32")
    return -_log_add_exp(_log_add_exp(-a, -b), -a - b)


def _log_add_exp(a, b):
    """Keras' own needs log1p, which ONNX does not have."""
    return ops.maximum(a, b) + ops.softplus(-ops.abs(a - b))
