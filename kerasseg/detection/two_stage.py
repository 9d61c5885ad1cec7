"""Layers of a two-stage detector: proposals, their features, and what comes of them."""

import keras
from keras import ops

from kerasseg.detection import boxes as geometry
from kerasseg.detection.anchors import anchors
from kerasseg.detection.detections import (
    best_of,
    multiclass_nms,
    outputs,
    outputs_spec,
)
from kerasseg.detection.gather import gather
from kerasseg.detection.mask_grid import STRIDE, mask_size
from kerasseg.detection.nms import nms
from kerasseg.detection.pasting import paste_masks
from kerasseg.detection.roi_align import multilevel_roi_align

STRIDES = (4, 8, 16, 32, 64)
RATIOS = (0.5, 1.0, 2.0)
ROI_WEIGHTS = (10.0, 10.0, 5.0, 5.0)


@keras.saving.register_keras_serializable("kerasseg")
class Proposals(keras.layers.Layer):
    """Objectness and deltas at all anchors -> boxes [N, P, 4] worth a second look.

    Call it with two lists of one tensor a level, fine to coarse: logits [N, A, 1] and
    deltas [N, A, 4]. In each level the best anchors are decoded, clipped to the image
    and thinned out by non-maximum suppression; the best of all levels follow, best
    first, then rows of zeros. No gradient flows through them.

    Args:
        image_size: (height, width).
        anchor_scales: sides of square anchors in pixels, one a level.
        num: of each level before and of all after the suppression, P.
        iou_threshold: of the suppression.

    Attributes:
        anchors: float32 [A, 4], of all levels.

    Reference: Ren et al., 2015, https://arxiv.org/abs/1506.01497
    """

    def __init__(self, image_size, anchor_scales, num, iou_threshold=0.7, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_size = tuple(image_size)
        self.anchor_scales = list(anchor_scales)
        self.num = num
        self.iou_threshold = iou_threshold
        sizes = [[-(-n // stride) for n in self.image_size] for stride in STRIDES]
        self.anchors = anchors(sizes, STRIDES, scales=anchor_scales, ratios=RATIOS)

    def call(self, inputs):
        boxes, scores, start = [], [], 0
        for logits, deltas in zip(*inputs):
            of_level = self.anchors[start : start + logits.shape[1]]
            start += logits.shape[1]
            found = self._of_level(logits[..., 0], deltas, of_level)
            boxes.append(found[0])
            scores.append(found[1])
        scores, best = best_of(ops.concatenate(scores, axis=1), self.num)
        boxes = gather(ops.concatenate(boxes, axis=1), best)
        boxes = ops.where(ops.expand_dims(scores, -1) > 0, boxes, 0.0)
        return ops.stop_gradient(boxes)

    def _of_level(self, logits, deltas, of_level):
        """Boxes that remain, and their scores, 0 for padding."""
        scores, rows = best_of(ops.sigmoid(logits), min(self.num, logits.shape[1]))
        rest = ops.take(ops.convert_to_tensor(of_level), rows, axis=0)
        boxes = geometry.clip(
            geometry.decode(gather(deltas, rows), rest), self.image_size
        )
        # What lies outside of the image has become empty.
        scores = ops.where(geometry.area(boxes) > 0, scores, 0.0)
        kept = nms(
            boxes,
            scores,
            iou_threshold=self.iou_threshold,
            score_threshold=0.0,
            max_output=scores.shape[1],
        )
        chosen = ops.maximum(kept, 0)
        return gather(boxes, chosen), ops.where(kept >= 0, gather(scores, chosen), 0.0)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs[0][0].shape[0], self.num, 4), "float32")

    def get_config(self):
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "anchor_scales": self.anchor_scales,
            "num": self.num,
            "iou_threshold": self.iou_threshold,
        }


@keras.saving.register_keras_serializable("kerasseg")
class ROIAlign(keras.layers.Layer):
    """Features of boxes, those of all images one after another.

    Call it with a list of the features of levels of strides 4, 8, 16 and 32, and of the
    boxes [N, R, 4]; the result is [N * R, size, size, C], for a head that takes a box
    as a picture. See `kerasseg.detection.roi_align.multilevel_roi_align`.

    Args:
        size: rows and columns of the result.
        canonical_size: side in pixels of a box that is read at stride 16.
    """

    def __init__(self, size, canonical_size, **kwargs):
        super().__init__(autocast=False, **kwargs)  # bfloat16 would move boxes
        self.size = size
        self.canonical_size = canonical_size

    def call(self, inputs):
        *features, rois = inputs
        pooled = multilevel_roi_align(
            features,
            rois,
            self.size,
            strides=STRIDES[: len(features)],
            canonical_size=self.canonical_size,
        )
        return ops.reshape(pooled, (-1, *pooled.shape[2:]))

    def compute_output_spec(self, inputs):
        channels = inputs[0].shape[-1]
        shape = (None, self.size, self.size, channels)
        return keras.KerasTensor(shape, self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "canonical_size": self.canonical_size,
        }


@keras.saving.register_keras_serializable("kerasseg")
class RoiDetections(keras.layers.Layer):
    """What the box head says of each proposal -> the objects of an image.

    Call it with [proposals [N, R, 4], class logits [N * R, C + 1], deltas
    [N * R, C + 1, 4]], background first; the result is a dict without masks.

    Args:
        image_size: (height, width).
        nms_options: arguments of `detection.detections.multiclass_nms`.
    """

    def __init__(self, image_size, nms_options, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_size = tuple(image_size)
        self.nms_options = dict(nms_options)

    def call(self, inputs):
        rois, logits, deltas = inputs
        num = rois.shape[1]
        logits = ops.reshape(logits, (-1, num, logits.shape[-1]))
        deltas = ops.reshape(deltas, (-1, num, *deltas.shape[1:]))[:, :, 1:]
        boxes = geometry.decode(deltas, ops.expand_dims(rois, 2), ROI_WEIGHTS)
        boxes = geometry.clip(boxes, self.image_size)  # [N, R, C, 4]
        real = ops.cast(geometry.area(rois) > 0, "float32")
        scores = ops.softmax(logits, axis=-1)[..., 1:] * ops.expand_dims(real, -1)
        return outputs(multiclass_nms(boxes, scores, **self.nms_options))

    def compute_output_spec(self, inputs):
        return outputs_spec(inputs[0].shape[0], self.nms_options["num_detections"])

    def get_config(self):
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "nms_options": self.nms_options,
        }


@keras.saving.register_keras_serializable("kerasseg")
class PasteMasks(keras.layers.Layer):
    """Masks of boxes, each from the channel of its class, on the canvas.

    Call it with [logits [N * K, h, w, C + 1], background first, classes [N, K], boxes
    [N, K, 4]]; the result is probabilities float32 [N, K, H / 4, W / 4].

    Args:
        image_size: (height, width).
    """

    def __init__(self, image_size, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_size = tuple(image_size)

    def call(self, inputs):
        logits, classes, boxes = inputs
        chosen = ops.one_hot(classes + 1, logits.shape[-1], dtype="float32")
        chosen = ops.reshape(chosen, (-1, 1, 1, logits.shape[-1]))
        masks = ops.sigmoid(ops.sum(logits * chosen, axis=-1))
        masks = ops.reshape(masks, (-1, classes.shape[1], *logits.shape[1:3]))
        return paste_masks(masks, boxes, mask_size(self.image_size), stride=STRIDE)

    def compute_output_spec(self, inputs):
        shape = (*inputs[1].shape, *mask_size(self.image_size))
        return keras.KerasTensor(shape, "float32")

    def get_config(self):
        return {**super().get_config(), "image_size": self.image_size}
