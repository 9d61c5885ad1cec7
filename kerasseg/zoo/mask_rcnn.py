"""Mask R-CNN: region proposals, then class, box and mask of each."""

import math

import keras
from keras import ops

from kerasseg import encoders
from kerasseg.detection import losses as terms
from kerasseg.detection import two_stage
from kerasseg.detection.detections import merge_nms_options
from kerasseg.detection.matching import sample
from kerasseg.detection.roi_align import crop_masks
from kerasseg.detection.targets import anchor_targets, roi_targets
from kerasseg.zoo._builder import builder
from kerasseg.zoo._fixed_size import encode
from kerasseg.zoo._mask_rcnn_heads import (
    LEVELS,
    MASK_SIZE,
    REFERENCES,
    box_head,
    fpn,
    mask_head,
    rpn_head,
)

IMAGE_SIDE = 800  # shorter side of images in the paper, whose boxes are in pixels
SCALES = tuple(side / IMAGE_SIDE for side in (32, 64, 128, 256, 512))
CANONICAL_BOX = 224 / IMAGE_SIDE  # as large as images of ImageNet: level 4
NMS = {"num_candidates": 200, "num_detections": 100}
NUM_ANCHORS = 256  # sampled per image to train the proposals
FOREGROUND = 0.25  # largest share of the sampled boxes; they train masks


def mask_rcnn_losses(model, images, truth, *, seed, num_rois=512, divide=terms.divide):
    """Losses of Mask R-CNN, five terms.

    Of an image, 256 anchors (at most half of them positive) train the proposals and
    `num_rois` boxes (at most a quarter positive) the heads, or all proposals and
    objects if these are fewer; the positive ones train masks.

    `kerasseg.zoo` describes the arguments. Masks may have any size here:
    the targets, 28 x 28 in a box, are cut out of them.

    Returns:
        dict of scalars: "proposals" and "proposal_boxes" (first stage), "classes",
        "boxes" and "masks" (second stage).
    """
    parts = (encoders.of(model), *(model.get_layer(x) for x in ("fpn", "rpn_head")))
    pyramid, anchors = _propose(parts, images, training=True)
    boxes, classes = truth["boxes"], truth["classes"]
    propose = model.get_layer("proposals")
    # "ties": every anchor that overlaps an object most trains, if no other would.
    targets = anchor_targets(
        propose.anchors,
        boxes,
        classes,
        low_threshold=0.3,
        high_threshold=0.7,
        low_quality_matches="ties",
    )
    objectness, deltas = (
        ops.concatenate(anchors[name], axis=1) for name in ("objectness", "deltas")
    )
    sampled = sample(targets.labels, NUM_ANCHORS, positive_fraction=0.5, seed=seed)
    first = terms.proposal_losses(
        objectness[..., 0], deltas, targets, sampled, divide=divide
    )
    rois = propose([anchors["objectness"], anchors["deltas"]])
    # The objects themselves join the proposals.
    num_rois = min(num_rois, rois.shape[1] + boxes.shape[1])
    rois, targets, weights = roi_targets(
        rois, boxes, classes, num=num_rois, positive_fraction=FOREGROUND, seed=seed
    )
    pooled = model.get_layer("box_features")([*pyramid, rois])
    found = model.get_layer("box_head")(pooled, training=True)
    logits, deltas = (_by_image(found[name], num_rois) for name in ("logits", "deltas"))
    # Class 0 is the background, whose boxes and masks are not trained.
    second = terms.box_losses(logits, deltas[:, :, 1:], targets, weights, divide=divide)
    sampled = rois, targets, weights
    of_masks = _mask_loss(model, pyramid, sampled, truth["masks"], divide)
    return {
        "proposals": first[0],
        "proposal_boxes": first[1],
        "classes": second[0],
        "boxes": second[1],
        "masks": of_masks,
    }


@builder("instance", references=REFERENCES, losses=mask_rcnn_losses)
def mask_rcnn(
    num_classes=80,
    encoder="resnet50",
    *,
    image_size=(800, 800),
    channels=3,
    encoder_weights=None,
    freeze_norm=False,
    base_filters=64,
    filters=256,
    hidden=1024,
    norm=None,
    anchor_scales=SCALES,
    canonical_box=CANONICAL_BOX,
    corners=False,
    rpn_convolutions=1,
    box_convolutions=0,
    content_size=None,
    num_proposals=1000,
    nms=None,
    weights=None,
):
    """Mask R-CNN on a feature pyramid.

    `zoo.mask_rcnn.losses` trains it. Like torchvision's, the heads have a box and a
    mask for the background too, which nothing reads.

    Args:
        num_classes: C, no background.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        image_size: (height, width), multiples of 32.
        channels: of the images; pretrained encoders are adapted to other than 3.
        encoder_weights: None, "imagenet" or a path.
        freeze_norm: keep the encoder's batch normalisation as it is, as the paper; for
            pretrained encoders only.
        base_filters: channels of the first level; "plain" and "residual" only.
        filters: channels of the pyramid and of the convolutions in the heads.
        hidden: units of the two dense layers of the box head.
        norm: after the convolutions of pyramid and heads, see `blocks.normalize`; the
            paper has none. The proposals have it if theirs is a single convolution.
        anchor_scales: sides of the square anchors of the five levels, as shares of the
            geometric mean of the image's sides; from 16 on they are pixels.
        canonical_box: side, likewise, of a box whose features are read at stride 16;
            larger for outlines that keep more of the finest level.
        corners: lay anchors, their sides rounded, around the corners of cells, and read
            features half a pixel off, as torchvision does.
        rpn_convolutions: in front of the proposals' scores.
        box_convolutions: of the box head, which then has one dense layer, not two.
        content_size: (height, width) of the image where the rest is padding at right
            and below: boxes are clipped to it.
        num_proposals: of each level before and of all levels after the suppression.
        nms: arguments of `detection.detections.multiclass_nms` that differ from the
            paper's: {"score_threshold": 0.3}, {"num_detections": 20}.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> dict of boxes float32 [N, K, 4], classes
        int32 [N, K] (-1 for padding), scores [N, K], masks float32 [N, K, H / 4,
        W / 4] in 0..1, num int32 [N].

    Raises:
        ValueError: for an unknown encoder, an unknown name in `nms`, or an
            `image_size` of other numbers.

    Reference: He et al., 2017, https://arxiv.org/abs/1703.06870; Lin et al., 2017,
    https://arxiv.org/abs/1612.03144
    """
    image, encoder, taps = encode(
        encoder, (*image_size, channels), encoder_weights, base_filters, freeze_norm
    )
    neck = fpn([taps[f"c{level}"].shape[1:] for level in LEVELS[:4]], filters, norm)
    head = rpn_head(filters, norm if rpn_convolutions == 1 else None, rpn_convolutions)
    pyramid, anchors = _propose((encoder, neck, head), image)
    *scales, canonical = _in_pixels((*anchor_scales, canonical_box), image_size)
    propose = two_stage.Proposals(
        image_size,
        scales,
        num_proposals,
        corners=corners,
        content_size=content_size,
        name="proposals",
    )
    rois = propose([anchors["objectness"], anchors["deltas"]])
    options = {"canonical_size": canonical, "aligned": not corners}
    pooled = two_stage.ROIAlign(7, name="box_features", **options)([*pyramid, rois])
    found = box_head(num_classes, filters, hidden, norm, box_convolutions)(pooled)
    detect = two_stage.RoiDetections(
        content_size or image_size, merge_nms_options(NMS, nms), name="detections"
    )
    found = detect([rois, found["logits"], found["deltas"]])
    align = two_stage.ROIAlign(MASK_SIZE // 2, name="mask_features", **options)
    logits = mask_head(num_classes, filters, norm)(align([*pyramid, found["boxes"]]))
    paste = two_stage.PasteMasks(image_size, name="masks")
    masks = paste([logits, found["classes"], found["boxes"]])
    return keras.Model(image, {**found, "masks": masks}, name="mask_rcnn")


def _in_pixels(sizes, image_size):
    """Sizes in pixels, given so (from 16 on) or as shares of the image's mean side."""
    side = math.sqrt(math.prod(image_size))
    return [size if size >= 16 else size * side for size in sizes]


def _mask_loss(model, pyramid, sampled, masks, divide):
    """Loss of the masks in the sampled boxes; positive ones come first."""
    rois, targets, weights = sampled
    num = int(rois.shape[1] * FOREGROUND)
    rois, classes, objects, weights = (
        x[:, :num] for x in (rois, targets.classes, targets.objects, weights)
    )
    pooled = model.get_layer("mask_features")([*pyramid, rois])
    logits = _by_image(model.get_layer("mask_head")(pooled, training=True), num)
    stride = model.input.shape[1] / masks.shape[2]
    truth = crop_masks(masks, objects, rois / stride, MASK_SIZE)
    return terms.mask_loss(logits[..., 1:], truth, classes, weights, divide=divide)


def _propose(parts, images, **options):
    """The pyramid, and objectness and deltas of the anchors of each of its levels."""
    encoder, fpn, head = parts
    taps = encoder(images, **options)
    pyramid = fpn([taps[f"c{level}"] for level in LEVELS[:4]], **options)
    levels = [head(pyramid[f"p{level}"], **options) for level in LEVELS]
    anchors = {name: [level[name] for level in levels] for name in levels[0]}
    # Boxes are pooled from P2 to P5: P6 is for anchors only, as in the FPN paper.
    return [pyramid[f"p{level}"] for level in LEVELS[:4]], anchors


def _by_image(x, num):
    """[N * num, ...] as [N, num, ...]."""
    return ops.reshape(x, (-1, num, *x.shape[1:]))
