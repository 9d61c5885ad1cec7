"""Layers of a two-stage detector: proposals, ROIAlign, detections and masks."""

import keras
from keras import ops

from kerasseg.detection import boxes as geometry
from kerasseg.detection.anchors import anchors
from kerasseg.detection.detections import (
    multiclass_nms,
    outputs,
    outputs_spec,
    padded_top_k,
)
from kerasseg.detection.gather import gather
from kerasseg.detection.mask_grid import STRIDE, mask_size
from kerasseg.detection.nms import nms
from kerasseg.detection.pasting import paste_masks
from kerasseg.detection.roi_align import multilevel_roi_align

STRIDES = (4, 8, 16, 32, 64)  # of P2 to P6
RATIOS = (0.5, 1.0, 2.0)  # of anchors, height / width
# Of deltas in the second stage: 1 / deviations of .1, .1, .2, .2 (Fast R-CNN).
ROI_WEIGHTS = (10.0, 10.0, 5.0, 5.0)


@keras.saving.register_keras_serializable("kerasseg")
class Proposals(keras.layers.Layer):
    """Region proposals [N, P, 4] from objectness and deltas of all anchors.

    Call it with two lists of one tensor per level, fine to coarse: logits [N, A, 1] and
    deltas [N, A, 4]. The best anchors of each level are decoded, clipped to the image
    and filtered by non-maximum suppression; the best of all levels are returned, best
    first, padded by zeros. No gradient flows through them.

    Args:
        image_size: (height, width).
        anchor_scales: sides of square anchors in pixels, one per level.
        num: P, the number of anchors per level before the suppression, and of proposals
            of all levels after it.
        iou_threshold: of the suppression.
        corners: lay anchors around the corners of cells, their sides rounded, as
            torchvision does.
        content_size: (height, width) of the image without padding at right and below;
            boxes are clipped to it. None for all of it.

    Attributes:
        anchors: float32 [A, 4], of all levels.

    Reference: Ren et al., 2015, https://arxiv.org/abs/1506.01497
    """

    def __init__(
        self,
        image_size,
        anchor_scales,
        num,
        iou_threshold=0.7,
        corners=False,
        content_size=None,
        **kwargs,
    ):
        # float32 also under mixed precision: bfloat16 has 8 bits for a coordinate.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_size = tuple(image_size)
        self.anchor_scales = list(anchor_scales)
        self.num = num
        self.iou_threshold = iou_threshold
        self.corners = corners
        self.content_size = tuple(content_size or image_size)
        # Rounded up, as P6 does, which takes every other pixel of P5 from the first on.
        sizes = [[-(-n // stride) for n in self.image_size] for stride in STRIDES]
        strides, options = STRIDES, {"scales": anchor_scales, "ratios": RATIOS}
        if corners:  # there strides are what a division gives: 61 for P6 of 800 pixels
            strides = [[n // m for n, m in zip(image_size, size)] for size in sizes]
            options |= {"offset": 0.0, "whole": True}
        self.anchors = anchors(sizes, strides, **options)

    def call(self, inputs):
        boxes, scores, start = [], [], 0
        for logits, deltas in zip(*inputs):
            level_anchors = self.anchors[start : start + logits.shape[1]]
            start += logits.shape[1]
            found = self._level_proposals(logits[..., 0], deltas, level_anchors)
            boxes.append(found[0])
            scores.append(found[1])
        scores, best = padded_top_k(ops.concatenate(scores, axis=1), self.num)
        boxes = gather(ops.concatenate(boxes, axis=1), best)
        boxes = ops.where(ops.expand_dims(scores, -1) > 0, boxes, 0.0)
        return ops.stop_gradient(boxes)

    def _level_proposals(self, logits, deltas, level_anchors):
        """Boxes that the suppression keeps, and their scores, 0 for padding."""
        scores, rows = padded_top_k(ops.sigmoid(logits), min(self.num, logits.shape[1]))
        rest = ops.take(ops.convert_to_tensor(level_anchors), rows, axis=0)
        boxes = geometry.clip(
            geometry.decode(gather(deltas, rows), rest), self.content_size
        )
        # Boxes outside of the image are empty after clipping.
        scores = ops.where(geometry.area(boxes) > 0, scores, 0.0)
        kept = nms(
            boxes,
            scores,
            iou_threshold=self.iou_threshold,
            score_threshold=0.0,  # empty boxes and padding have score 0
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
            "corners": self.corners,
            "content_size": self.content_size,
        }


@keras.saving.register_keras_serializable("kerasseg")
class ROIAlign(keras.layers.Layer):
    """Features of boxes from a pyramid, with the boxes in the batch axis.

    Call it with a list of the features of strides 4, 8, 16 and 32, and the boxes [N, R,
    4]; the result is [N * R, size, size, C], so that heads see each box as an image.
    See `kerasseg.detection.roi_align.multilevel_roi_align`.

    Args:
        size: rows and columns of the result.
        canonical_size: side in pixels of a box that is pooled at stride 16.
        aligned: see `kerasseg.detection.roi_align.roi_align`.
    """

    def __init__(self, size, canonical_size, aligned=True, **kwargs):
        # No autocast: bfloat16 has 8 bits, so boxes would move.
        super().__init__(autocast=False, **kwargs)
        self.size = size
        self.canonical_size = canonical_size
        self.aligned = aligned

    def call(self, inputs):
        *features, rois = inputs
        pooled = multilevel_roi_align(
            features,
            rois,
            self.size,
            strides=STRIDES[: len(features)],
            canonical_size=self.canonical_size,
            aligned=self.aligned,
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
            "aligned": self.aligned,
        }


@keras.saving.register_keras_serializable("kerasseg")
class RoiDetections(keras.layers.Layer):
    """Detections of an image from the box head's outputs for each proposal.

    Call it with [proposals [N, R, 4], class logits [N * R, C + 1], deltas
    [N * R, C + 1, 4]], background first; the result is a dict without masks, see
    `detections.outputs`.

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
        # Class 0 is the background, which is never detected.
        deltas = ops.reshape(deltas, (-1, num, *deltas.shape[1:]))[:, :, 1:]
        boxes = geometry.decode(deltas, ops.expand_dims(rois, 2), ROI_WEIGHTS)
        boxes = geometry.clip(boxes, self.image_size)  # [N, R, C, 4]
        # Padded proposals have no area, and no boxes decoded from them count.
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
    """Paste the mask of each detection's class into its box.

    Call it with [logits [N * K, h, w, C + 1], background first, classes [N, K], boxes
    [N, K, 4]]; the result is probabilities float32 [N, K, H / 4, W / 4], see
    `detection.mask_grid`.

    Args:
        image_size: (height, width).
    """

    def __init__(self, image_size, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_size = tuple(image_size)

    def call(self, inputs):
        logits, classes, boxes = inputs
        # Padding, class -1, takes the mask of the background; its box is empty.
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
