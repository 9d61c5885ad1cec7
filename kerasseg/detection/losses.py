"""Losses of detection and instance heads: scalars from predictions and targets.

They take logits, compute in float32, and are 0 without samples, such as in a batch
without objects. A training step weights and sums them. Targets come from
`kerasseg.detection.targets`. Means over samples or objects are made by the argument
`divide`, a function (sum, count) -> mean, so that a step that divides its batch can
divide by the samples of all its parts.
"""

from keras import ops

from kerasseg.detection.gather import gather
from kerasseg.detection.matching import NEGATIVE, POSITIVE
from kerasseg.detection.pasting import box_masks


def divide(total, count):
    """Sum over count, which counts as 1 at least."""
    return total / ops.maximum(count, 1.0)


def proposal_losses(logits, deltas, targets, sampled, *, divide=divide):
    """Losses of a region proposal network (Faster R-CNN).

    Args:
        logits: objectness, [N, A].
        deltas: [N, A, 4].
        targets: `AnchorTargets` of all anchors.
        sampled: (indices, weights), as `sample` returns them for `targets.labels`.

    Returns:
        Mean cross-entropy of the samples, and the sum of the absolute errors of the
        deltas of positive samples, divided by the number of all samples.

    Reference: Ren et al., 2015, https://arxiv.org/abs/1506.01497
    """
    indices, weights = sampled
    truth = ops.cast(gather(targets.labels, indices) == POSITIVE, "float32")
    entropy = _binary_cross_entropy(truth, gather(logits, indices))
    errors = ops.cast(deltas, "float32") - targets.deltas
    # L1, as torchvision for most errors (its smooth L1 turns at 1/9); boxes of the
    # second stage have smooth L1.
    errors = gather(ops.sum(ops.abs(errors), axis=-1), indices)
    return (
        _weighted_mean(entropy, weights, divide),
        _weighted_mean(errors * truth, weights, divide),
    )


def box_losses(logits, deltas, targets, weights, *, beta=1.0, divide=divide):
    """Losses of the second stage, class and box.

    Args:
        logits: [N, R, C + 1], background first.
        deltas: [N, R, C, 4], one box per class.
        targets, weights: of `roi_targets`.
        beta: error at which smooth L1 changes from quadratic to linear, above 0.

    Returns:
        Mean cross-entropy, and the sum of the smooth L1 losses of the deltas of the
        true class of positives, divided by the number of all sampled boxes.

    Reference: Girshick, 2015, https://arxiv.org/abs/1504.08083
    """
    entropy = _cross_entropy(targets.classes, logits)
    deltas = _select_class(deltas, targets.classes, axis=-2)
    errors = ops.sum(_smooth_l1(deltas - targets.deltas, beta), axis=-1)
    positive = ops.cast(targets.labels == POSITIVE, "float32")
    return (
        _weighted_mean(entropy, weights, divide),
        _weighted_mean(errors * positive, weights, divide),
    )


def mask_loss(logits, masks, classes, weights, *, divide=divide):
    """Mean binary cross-entropy of the mask of the true class (Mask R-CNN).

    Args:
        logits: [N, R, h, w, C].
        masks: 0 and 1, [N, R, h, w].
        classes: int [N, R], class + 1, and 0 for background, which has no mask.
        weights: [N, R], 0 leaves a box out.

    Returns:
        Scalar, mean over pixels and foreground boxes.

    Reference: He et al., 2017, https://arxiv.org/abs/1703.06870
    """
    # Only the mask of the true class is trained: classes do not compete for pixels.
    logits = ops.moveaxis(logits, -1, 2)  # [N, R, C, h, w]
    entropy = _binary_cross_entropy(masks, _select_class(logits, classes, axis=2))
    weights = ops.where(classes > 0, ops.cast(weights, "float32"), 0.0)
    return _weighted_mean(ops.mean(entropy, axis=(-2, -1)), weights, divide)


def multibox_losses(
    logits, deltas, targets, *, negatives_per_positive=3, divide=divide
):
    """Losses of a one-stage detector, class and box, with hard negative mining.

    Used by SSD and YOLACT.

    Args:
        logits: [N, A, C + 1], background first.
        deltas: [N, A, 4].
        targets: `AnchorTargets`.
        negatives_per_positive: number of the hardest negatives of an image, those of
            highest cross-entropy, per positive of the image.

    Returns:
        Cross-entropy and smooth L1 losses, each summed over the batch and divided by
        its number of positives.

    Reference: Liu et al., 2015, https://arxiv.org/abs/1512.02325
    """
    entropy = _cross_entropy(targets.classes, logits)
    positive = ops.cast(targets.labels == POSITIVE, "float32")
    # Positive and ignored anchors rank last: a cross-entropy is never negative.
    hardness = ops.where(targets.labels == NEGATIVE, entropy, -1.0)
    # Argsort twice: the rank of each anchor by hardness, without dynamic shapes.
    rank = ops.argsort(ops.argsort(-hardness, axis=-1), axis=-1)
    most = negatives_per_positive * ops.sum(positive, axis=-1, keepdims=True)
    hard = ops.logical_and(ops.cast(rank, "float32") < most, hardness >= 0)
    counted = positive + ops.cast(hard, "float32")
    errors = ops.cast(deltas, "float32") - targets.deltas
    errors = ops.sum(_smooth_l1(errors, beta=1.0), axis=-1)
    # By the positives alone, though negatives count: SSD divides so, and learning rates
    # that are published go with it.
    num = ops.sum(positive)
    return (
        divide(ops.sum(entropy * counted), num),
        divide(ops.sum(errors * positive), num),
    )


def prototype_loss(
    prototypes, coefficients, masks, boxes, weights, *, stride, divide=divide
):
    """Mean binary cross-entropy of masks from prototypes, within true boxes (YOLACT).

    Args:
        prototypes: [N, h, w, K].
        coefficients: [N, R, K], of the anchors that train masks.
        masks: of their objects, 0..1, [N, R, h, w].
        boxes: of their objects, [N, R, 4] in pixels of the image.
        weights: [N, R], 0 leaves an anchor out.
        stride: pixels of the image per pixel of the prototypes.

    Returns:
        Scalar: mean over pixels whose centres lie in the box, then over anchors.

    Reference: Bolya et al., 2019, https://arxiv.org/abs/1904.02689
    """
    prototypes = ops.cast(prototypes, "float32")
    coefficients = ops.cast(coefficients, "float32")
    logits = ops.einsum("nhwk,nrk->nrhw", prototypes, coefficients)
    return boxed_mask_loss(logits, masks, boxes, weights, stride=stride, divide=divide)


def boxed_mask_loss(logits, masks, boxes, weights, *, stride, divide=divide):
    """Mean binary cross-entropy of full-size masks within the true boxes.

    Args:
        logits: [N, R, h, w].
        masks, boxes, weights, stride: as in `prototype_loss`.

    Returns:
        As `prototype_loss`.
    """
    inside = box_masks(boxes, masks.shape[2:], stride=stride)
    entropy = ops.sum(_binary_cross_entropy(masks, logits) * inside, axis=(-2, -1))
    # By the area of the box: a large object weighs no more than a small one.
    entropy = entropy / ops.maximum(ops.sum(inside, axis=(-2, -1)), 1.0)
    return _weighted_mean(entropy, weights, divide)


def semantic_loss(logits, masks, classes):
    """Semantic segmentation loss of the auxiliary head of YOLACT.

    Args:
        logits: [N, h, w, C].
        masks: of all objects, 0..1, [N, G, h, w].
        classes: int [N, G], 0..C-1 and -1 for padding.

    Returns:
        Scalar: binary cross-entropy, mean over pixels and images, sum over classes.

    Reference: Bolya et al., 2019, https://arxiv.org/abs/1904.02689
    """
    of_class = ops.one_hot(classes, logits.shape[-1], dtype="float32")
    truth = ops.einsum("nghw,ngc->nhwc", ops.cast(masks, "float32"), of_class)
    # Objects of one class may overlap.
    entropy = _binary_cross_entropy(ops.minimum(truth, 1.0), logits)
    return ops.mean(ops.sum(entropy, axis=-1))


def heatmap_loss(logits, heatmap, *, divide=divide):
    """Penalty-reduced focal loss of a heatmap of centres (CornerNet, CenterNet).

    Args:
        logits: [N, h, w, C].
        heatmap: of `center_targets`.

    Returns:
        Scalar, sum over pixels per object.

    Reference: Law and Deng, 2018, https://arxiv.org/abs/1808.01244, alpha 2, beta 4
    """
    logits, heatmap = ops.cast(logits, "float32"), ops.cast(heatmap, "float32")
    centre = ops.cast(heatmap >= 1.0, "float32")
    p = ops.sigmoid(logits)
    # -log p = softplus(-logit), -log(1 - p) = softplus(logit): finite for all logits.
    missed = ops.square(1 - p) * ops.softplus(-logits)
    # alpha 2 and beta 4, CornerNet's: pixels near a centre are hardly negative.
    raised = (1 - heatmap) ** 4 * ops.square(p) * ops.softplus(logits)
    total = ops.sum(centre * missed + (1 - centre) * raised)
    return divide(total, ops.sum(centre))


def center_loss(predictions, truth, targets, *, divide=divide):
    """Mean absolute error of sizes or offsets at the centres of objects (CenterNet).

    Args:
        predictions: sizes or offsets at all positions, [N, h, w, 2].
        truth: `targets.sizes` or `targets.offsets`.
        targets: `CenterTargets`.

    Returns:
        Scalar, sum over x and y, mean over objects.

    Reference: Zhou et al., 2019, https://arxiv.org/abs/1904.07850
    """
    _, height, width, channels = predictions.shape
    flat = ops.reshape(predictions, (-1, height * width, channels))
    found = ops.cast(gather(flat, targets.positions), "float32")
    errors = ops.sum(ops.abs(found - truth), axis=-1)
    return _weighted_mean(errors, targets.weights, divide)


def star_losses(
    logits, distances, probabilities, truth, *, background=1e-4, divide=divide
):
    """Losses of star-convex polygons (StarDist).

    Args:
        logits: of the object probability, [N, h, w, 1].
        distances: [N, h, w, R].
        probabilities: true ones in 0..1, 0 in the background, [N, h, w, 1].
        truth: true distances, [N, h, w, R].
        background: weight of the L1 regularisation of distances in the background,
            which keeps them from growing without bound; the authors' 1e-4.

    Returns:
        Mean binary cross-entropy, and mean absolute error of distances over rays and
        pixels, weighted by the true probabilities.

    Reference: Schmidt et al., 2018, https://arxiv.org/abs/1806.03535
    """
    # Distances are trained most where the probability is large, at the middle of
    # objects, as the authors' code masks them.
    weights = ops.cast(probabilities, "float32")[..., 0]
    distances = ops.cast(distances, "float32")
    errors = ops.mean(ops.abs(distances - truth), axis=-1)
    sizes = ops.mean(ops.abs(distances), axis=-1)
    sizes = ops.mean(ops.where(weights > 0, 0.0, sizes))
    entropy = ops.mean(_binary_cross_entropy(probabilities, logits))
    return entropy, _weighted_mean(errors, weights, divide) + background * sizes


def offset_losses(centers, offsets, truth, *, divide=divide):
    """Losses of centres and centre offsets (Panoptic-DeepLab).

    Args:
        centers: [N, H, W, 1].
        offsets: [N, H, W, 2].
        truth: dict of centers, offsets and weights [N, H, W, 1], see
            `instance.panoptic.panoptic_targets`.

    Returns:
        Mean squared error of the centres over all pixels, and the sum of the absolute
        errors of x and y, averaged over pixels by weight.

    Reference: Cheng et al., 2020, https://arxiv.org/abs/1911.10194
    """
    squares = ops.square(ops.cast(centers, "float32") - truth["centers"])
    errors = ops.abs(ops.cast(offsets, "float32") - truth["offsets"])
    errors = ops.sum(errors, axis=-1, keepdims=True)
    return ops.mean(squares), _weighted_mean(errors, truth["weights"], divide)


def _binary_cross_entropy(truth, logits):
    truth, logits = ops.cast(truth, "float32"), ops.cast(logits, "float32")
    # -t log p - (1 - t) log(1 - p) without exponentials that overflow.
    return ops.softplus(logits) - truth * logits


def _cross_entropy(classes, logits):
    logits = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    chosen = ops.one_hot(classes, logits.shape[-1], dtype="float32")
    return -ops.sum(chosen * logits, axis=-1)


def _smooth_l1(errors, beta):
    """Smooth L1: |e| - beta / 2, below beta e^2 / (2 beta)."""
    size = ops.abs(errors)
    return ops.where(size < beta, size * size / (2 * beta), size - beta / 2)


def _select_class(values, classes, axis):
    """Select entry `classes` - 1 along one axis; 0 for background.

    A product with a one-hot instead of a gather: its gradient is dense.
    """
    num = values.shape[axis]
    chosen = ops.one_hot(classes - 1, num, dtype="float32")
    missing = len(values.shape) - 1 - axis % len(values.shape)
    chosen = ops.reshape(chosen, (*ops.shape(chosen), *(1,) * missing))
    return ops.sum(ops.cast(values, "float32") * chosen, axis=axis)


def _weighted_mean(values, weights, divide):
    """Weighted sum over the sum of weights."""
    weights = ops.cast(weights, "float32")
    return divide(ops.sum(values * weights), ops.sum(weights))
