"""YOLACT: a one-stage detector; masks are sums of prototypes of the whole image."""

import math

import keras
import numpy as np
from keras import layers, ops

from kerasseg import blocks, encoders
from kerasseg.detection import boxes as geometry
from kerasseg.detection import losses as terms
from kerasseg.detection.anchors import anchors
from kerasseg.detection.detections import (
    merge_nms_options,
    multiclass_nms,
    outputs,
    outputs_spec,
)
from kerasseg.detection.gather import gather
from kerasseg.detection.mask_grid import STRIDE
from kerasseg.detection.matching import sample
from kerasseg.detection.pasting import box_masks
from kerasseg.detection.targets import anchor_targets
from kerasseg.zoo._builder import builder
from kerasseg.zoo._fixed_size import encode
from kerasseg.zoo._yolact_files import REFERENCES

LEVELS = (3, 4, 5, 6, 7)
RATIOS = (1.0, 0.5, 2.0)  # in the authors' order, that of the channels
SCALES = tuple(side / 550 for side in (24, 48, 96, 192, 384))  # shares of the image
DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # 1 / the variances 0.1 and 0.2 of SSD
NMS = {"kind": "fast", "num_candidates": 200, "num_detections": 100}
NUM_MASKS = 100  # positive anchors that train masks per image, as the authors' code


def yolact_losses(model, images, truth, *, seed, divide=terms.divide):
    """Losses of YOLACT, four terms.

    Of the positive anchors of an image, a random sample of 100 trains masks, which
    bounds the memory. `kerasseg.zoo` describes the arguments.

    Returns:
        dict of scalars: "classes" (3 hard negatives per positive), "boxes" (times 1.5),
        "masks" (times 6.125) and "semantic".
    """
    found = _predict(_parts(model), images, training=True)
    boxes, classes = truth["boxes"], truth["classes"]
    targets = anchor_targets(
        model.get_layer("detections").anchors,
        boxes,
        classes,
        low_threshold=0.4,
        high_threshold=0.5,
        low_quality_matches="assign",
        weights=DELTA_WEIGHTS,
    )
    of_classes, of_boxes = terms.multibox_losses(
        found["logits"], found["deltas"], targets, divide=divide
    )
    sampled, weights = sample(
        targets.labels, NUM_MASKS, positive_fraction=1.0, seed=seed
    )
    # Where positives are few, negatives fill the sample.
    positive = ops.cast(gather(targets.labels, sampled) > 0, "float32")
    objects = gather(targets.objects, sampled)
    of_masks = terms.prototype_loss(
        found["prototypes"],
        gather(found["coefficients"], sampled),
        gather(truth["masks"], objects),
        gather(boxes, objects),
        weights * positive,
        stride=STRIDE,
        divide=divide,
    )
    semantic = terms.semantic_loss(found["semantic"], _halve(truth["masks"]), classes)
    return {  # weights of the authors' code
        "classes": of_classes,
        "boxes": 1.5 * of_boxes,
        "masks": 6.125 * of_masks,
        "semantic": semantic,
    }


@builder("instance", references=REFERENCES, losses=yolact_losses)
def yolact(
    num_classes=80,
    encoder="resnet50",
    *,
    image_size=(544, 544),
    channels=3,
    encoder_weights=None,
    freeze_norm=False,
    base_filters=64,
    filters=256,
    num_prototypes=32,
    anchor_scales=SCALES,
    nms=None,
    as_published=False,
    weights=None,
):
    """YOLACT: each box comes with the coefficients of a sum of prototypes, its mask.

    `zoo.yolact.losses` trains it. The paper resizes images to 550 x 550; here a size
    that halves five times makes every stride exact.

    Args:
        num_classes: C, no background.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        image_size: (height, width), multiples of 32.
        channels: of the images; pretrained encoders are adapted to other than 3.
        encoder_weights: None, "imagenet" or a path.
        freeze_norm: keep the encoder's batch normalisation as it is, as the paper; for
            pretrained encoders only.
        base_filters: channels of the first level; "plain" and "residual" only.
        filters: channels of the pyramid and of the heads.
        num_prototypes: masks that are mixed.
        anchor_scales: sides of the square anchors of the five levels, as shares of the
            geometric mean of the image's sides.
        nms: arguments of `detection.detections.multiclass_nms` that differ from the
            paper's: {"kind": "exact"}, {"num_detections": 20}.
        as_published: compute what the authors' program does, for their files: anchors
            are squares, whatever their ratio, spread evenly over an image of any size;
            boxes are clipped after the suppression, masks one pixel outside of them.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> dict of boxes float32 [N, K, 4], classes
        int32 [N, K] (-1 for padding), scores [N, K], masks float32 [N, K, H / 4,
        W / 4] in 0..1 (rounded up to twice whole numbers), num int32 [N].

    Raises:
        ValueError: for an unknown encoder, an unknown name in `nms`, or an
            `image_size` of other numbers.

    Reference: Bolya et al., 2019, https://arxiv.org/abs/1904.02689
    """
    image, encoder, taps = encode(
        encoder,
        (*image_size, channels),
        encoder_weights,
        base_filters,
        freeze_norm,
        any_size=as_published,
    )
    parts = (
        encoder,
        _fpn([taps[f"c{level}"].shape[1:] for level in (3, 4, 5)], filters),
        _prediction_head(num_classes, num_prototypes, filters),
        # The protonet reads P3, at half the size of the masks.
        _protonet(num_classes, num_prototypes, (*_sizes(image_size)[0], filters)),
    )
    found = _predict(parts, image)
    side = math.sqrt(math.prod(image_size))
    detect = YolactDetections(
        image_size,
        [scale * side for scale in anchor_scales],
        merge_nms_options(NMS, nms),
        as_published,
        name="detections",
    )
    names = ("logits", "deltas", "coefficients", "prototypes")
    return keras.Model(image, detect([found[x] for x in names]), name="yolact")


@keras.saving.register_keras_serializable("kerasseg")
class YolactDetections(layers.Layer):
    """Selects the objects of an image from the predictions at all anchors.

    Call it with [class logits [N, A, C + 1], deltas [N, A, 4], coefficients [N, A, P],
    prototypes [N, H / 4, W / 4, P]].

    Args:
        image_size: (height, width).
        anchor_scales: sides of square anchors in pixels, one per level.
        nms_options: arguments of `detection.detections.multiclass_nms`.
        as_published: see `yolact`.

    Attributes:
        anchors: float32 [A, 4].
        mask_size: (height, width).
    """

    def __init__(
        self, image_size, anchor_scales, nms_options, as_published=False, **kwargs
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_size = tuple(image_size)
        self.anchor_scales = list(anchor_scales)
        self.nms_options = dict(nms_options)
        self.as_published = as_published
        sizes, strides = _sizes(self.image_size), [2**level for level in LEVELS]
        scales, ratios = anchor_scales, RATIOS
        self.mask_size = tuple(2 * n for n in sizes[0])
        if as_published:
            strides = [np.divide(self.image_size, size) for size in sizes]
            scales = [np.multiply(scale, np.sqrt(ratios)) for scale in scales]
            ratios = (1.0,)
        self.anchors = anchors(sizes, strides, scales=scales, ratios=ratios)

    def call(self, inputs):
        logits, deltas, coefficients, prototypes = inputs
        boxes = geometry.decode(deltas, self.anchors, DELTA_WEIGHTS)
        if not self.as_published:
            boxes = geometry.clip(boxes, self.image_size)
        scores = ops.softmax(logits, axis=-1)[..., 1:]  # no background
        found = multiclass_nms(boxes, scores, **self.nms_options)
        chosen = gather(coefficients, found.rows)
        masks = ops.sigmoid(ops.einsum("nhwp,nkp->nkhw", prototypes, chosen))
        inside = box_masks(*self._places(found.boxes), stride=STRIDE)
        found = found._replace(boxes=geometry.clip(found.boxes, self.image_size))
        # Wider boxes than none would have pixels, too.
        there = ops.cast(found.classes >= 0, "float32")[..., None, None]
        return outputs(found, masks * inside * there)

    def _places(self, boxes):
        """Boxes as masks are cut, in pixels of masks times 4, and the masks' size."""
        if self.as_published:
            factors = np.divide(self.mask_size, self.image_size)[[1, 0, 1, 0]] * STRIDE
            # Whole numbers of pixels, not their centres, from one before to one behind.
            wider = STRIDE * np.float32([-0.5, -0.5, 1.5, 1.5])
            boxes = boxes * factors.astype("float32") + wider
        return boxes, self.mask_size

    def compute_output_spec(self, inputs):
        num = self.nms_options["num_detections"]
        return outputs_spec(inputs[0].shape[0], num, self.mask_size)

    def get_config(self):
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "anchor_scales": self.anchor_scales,
            "nms_options": self.nms_options,
            "as_published": self.as_published,
        }


def _sizes(image_size):
    """(rows, columns) of the levels P3 to P7."""
    # Rounded up, as the strided convolutions do that make them.
    return [[-(-n // 2**level) for n in image_size] for level in LEVELS]


def _predict(parts, images, **options):
    """Raw predictions; `options` are those of the call, such as training=True."""
    encoder, fpn, head, protonet = parts
    taps = encoder(images, **options)
    pyramid = fpn([taps[name] for name in ("c3", "c4", "c5")], **options)
    levels = [head(pyramid[f"p{level}"], **options) for level in LEVELS]
    found = protonet(pyramid["p3"], **options)
    for name in levels[0]:
        # float32: under mixed precision it would cast the head's float32 outputs back.
        join = layers.Concatenate(axis=1, dtype="float32", name=name)
        found = {**found, name: join([level[name] for level in levels])}
    return found


def _parts(model):
    names = ("fpn", "prediction_head", "protonet")
    return (encoders.of(model), *(model.get_layer(name) for name in names))


def _fpn(shapes, filters):
    inputs = [keras.Input(shape, name=f"c{i}") for i, shape in enumerate(shapes, 3)]
    pyramid = blocks.feature_pyramid(
        {x.name: x for x in inputs},
        filters,
        levels=LEVELS,
        interpolation="bilinear",
        activation="relu",
        coarser="conv",
    )
    return keras.Model(inputs, pyramid, name="fpn")


def _prediction_head(num_classes, num_prototypes, filters):
    """Scores, deltas and coefficients of the anchors of any level."""
    features = keras.Input((None, None, filters), name="features")
    x = blocks.conv_norm_act(features, filters, norm=None, name="head")
    num = len(RATIOS)
    sizes = {"logits": num_classes + 1, "deltas": 4, "coefficients": num_prototypes}
    found = {}
    for name, size in sizes.items():
        y = blocks.score_conv(x, num * size, 3, name=f"head_{name}")
        found[name] = blocks.rows(y, size, name=f"head_{name}_rows")
    tanh = layers.Activation("tanh", dtype="float32", name="head_coefficients_tanh")
    found["coefficients"] = tanh(found["coefficients"])
    return keras.Model(features, found, name="prediction_head")


def _protonet(num_classes, num_prototypes, shape):
    """Prototypes at stride 4, and the classes of pixels, which only training uses."""
    features = x = keras.Input(shape, name="features")
    filters = shape[-1]
    for step in (1, 2, 3):
        x = blocks.conv_norm_act(x, filters, norm=None, name=f"protonet{step}")
    # Keras 3.15 cannot trace this layer for variable sizes; here the size is fixed.
    x = layers.UpSampling2D(2, interpolation="bilinear", name="protonet_up")(x)
    x = blocks.conv_norm_act(x, filters, norm=None, name="protonet4")
    x = blocks.score_conv(x, num_prototypes, name="prototypes_conv")
    found = {
        "prototypes": layers.Activation("relu", dtype="float32", name="prototypes")(x),
        "semantic": blocks.logits(
            blocks.score_conv(features, num_classes, name="semantic_conv"),
            name="semantic",
        ),
    }
    return keras.Model(features, found, name="protonet")


def _halve(masks):
    """Masks of half the size, 1 where at least two of four pixels are."""
    _, num, height, width = masks.shape
    parts = ops.reshape(masks, (-1, num, height // 2, 2, width // 2, 2))
    return ops.mean(ops.cast(parts, "float32"), axis=(3, 5)) >= 0.5
