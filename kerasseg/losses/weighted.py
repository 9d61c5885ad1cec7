"""Losses that take weights of images or pixels, and add up to a weighted sum."""

from numbers import Real

import keras
from keras import ops

from kerasseg.losses.checks import check_values


class SegmentationLoss(keras.losses.Loss):
    """A keras Loss that takes weights of pixels, too, and knows + and *.

    The one base class of the package: `+` and `*` cannot be had by functions. A
    subclass has `call(labels, logits)` -> [N]; with weights of pixels, labels are the
    pair (labels, weights), which `read_targets` takes apart.
    """

    ignore_label = 255
    per_image = True
    linear = False  # whether a weight of a pixel multiplies its share of the loss
    __array_ufunc__ = None  # so that `np.float32(0.5) * loss` asks the loss

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The reduced loss of a batch.

        Args:
            y_true: labels, [N, H, W] or [N, H, W, 1] class ids, or 0 and 1 in
                [N, H, W, K].
            y_pred: logits [N, H, W, K].
            sample_weight: one number per image [N], or per pixel [N, H, W] or
                [N, H, W, 1]. As in Keras, they multiply losses, and the divisor stays
                the number of images, or of valid pixels. A loss of regions counts a
                pixel as often as its weight says.

        Raises:
            ValueError: if shapes do not fit, or values are certainly wrong.
        """
        if not isinstance(y_pred, dict):
            check_values(y_true, y_pred, self.ignore_label)
        if sample_weight is None or isinstance(y_pred, dict):
            return super().__call__(y_true, y_pred)
        y_pred = ops.convert_to_tensor(y_pred)
        of_images, of_pixels = split_weights(sample_weight, y_pred, self.per_image)
        if of_pixels is None:
            return super().__call__(y_true, y_pred, of_images)
        # Keras would divide by the weights, which have become part of the values.
        if self.reduction == "mean_with_sample_weight":
            raise ValueError(
                "Weights of pixels need another `reduction`: 'sum_over_batch_size' "
                "divides by the number of valid pixels. "
                "Received: reduction='mean_with_sample_weight'."
            )
        return super().__call__((y_true, of_pixels), y_pred)

    def __add__(self, other):
        """`CrossEntropy() + Dice()`, also with a loss of Keras."""
        if not isinstance(other, keras.losses.Loss):
            return NotImplemented
        return _sum(self, other)

    def __radd__(self, other):
        if isinstance(other, Real) and other == 0:
            return self  # `sum([CrossEntropy(), Dice()])` begins with 0
        if not isinstance(other, keras.losses.Loss):
            return NotImplemented
        return _sum(other, self)

    def __mul__(self, factor):
        """`0.5 * CrossEntropy()`."""
        if isinstance(factor, bool) or not isinstance(factor, Real):
            return NotImplemented
        pairs = [(float(factor) * weight, loss) for weight, loss in _parts(self)]
        return Weighted(pairs, reduction=self.reduction)

    __rmul__ = __mul__

    def __truediv__(self, divisor):
        if isinstance(divisor, bool) or not isinstance(divisor, Real):
            return NotImplemented
        return self * (1 / divisor)


@keras.saving.register_keras_serializable("kerasseg")
class Weighted(SegmentationLoss):
    """Weighted sum of losses on the same labels and logits; `a + 0.5 * b` makes it.

    Losses of Keras may be parts of it: their values are averaged over the pixels of an
    image, those that their `ignore_class` leaves out excepted.

    Args:
        losses: list of losses, or of (weight, loss) pairs; a loss alone weighs 1. Their
            own `reduction` is not used.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Raises:
        ValueError: if there is none, or a loss of Keras takes probabilities.

    Example:
        >>> from kerasseg.losses import CrossEntropy, Dice
        >>> loss = Weighted([(1.0, CrossEntropy()), (0.5, Dice())])
        >>> [weight for weight, _ in (CrossEntropy() + 0.5 * Dice()).losses]
        [1.0, 0.5]
    """

    def __init__(self, losses, *, reduction="sum_over_batch_size", name="weighted"):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.losses = [_pair(part, losses) for part in _listed(losses)]
        for _, loss in self.losses:
            _check_takes_logits(loss)

    @property
    def ignore_label(self):
        """That of the first part of this package."""
        own = [x for _, x in self.losses if isinstance(x, SegmentationLoss)]
        return own[0].ignore_label if own else 255

    @property
    def per_image(self):
        """Whether a weight of an image can multiply its value."""
        own = [x for _, x in self.losses if isinstance(x, SegmentationLoss)]
        found = {loss.per_image for loss in own if not loss.linear}
        if len(found) > 1:
            raise ValueError(
                "Weights of images need parts of one `per_image`. "
                f"Received: {[loss.name for loss in own]}, some per image, some not."
            )
        return found != {False}

    def call(self, labels, logits):
        return sum(
            weight * _image_losses(loss, labels, logits) for weight, loss in self.losses
        )

    def get_config(self):
        pairs = [
            [weight, keras.saving.serialize_keras_object(loss)]
            for weight, loss in self.losses
        ]
        return {**super().get_config(), "losses": pairs}

    @classmethod
    def from_config(cls, config):
        pairs = [
            (weight, keras.saving.deserialize_keras_object(loss))
            for weight, loss in config["losses"]
        ]
        return cls(**{**config, "losses": pairs})


def split_weights(weights, logits, per_image):
    """Sample weights as those of images [N] or of pixels [N, H, W], the other None."""
    weights = ops.convert_to_tensor(weights, "float32")
    shape, wanted = list(weights.shape), list(logits.shape[:-1])
    if len(shape) == len(wanted) + 1 and shape[-1] == 1:
        weights, shape = ops.squeeze(weights, -1), shape[:-1]
    if len(shape) > 1 and all(size == 1 for size in shape[1:]):
        weights, shape = ops.reshape(weights, (-1,)), shape[:1]
    fits = len(shape) in (0, 1, len(wanted)) and all(
        given in (1, size) or None in (given, size)
        for given, size in zip(shape, wanted)
    )
    if not fits:
        raise ValueError(
            "`sample_weight` must be one number per image [N], or per pixel [N, H, W], "
            f"for logits {list(logits.shape)}. Received: shape {shape}."
        )
    if len(shape) == len(wanted):
        return None, ops.broadcast_to(weights, ops.shape(logits)[:-1])
    if per_image or not shape:
        return weights, None
    # Sums over the whole batch know no images, only pixels.
    weights = ops.reshape(weights, (-1, *(1,) * (len(wanted) - 1)))
    return None, ops.broadcast_to(weights, ops.shape(logits)[:-1])


def _image_losses(loss, labels, logits):
    """Values [N] of one part of a sum."""
    if isinstance(loss, SegmentationLoss):
        return loss.call(labels, logits)
    labels, weights = labels if isinstance(labels, tuple) else (labels, None)
    if logits.shape[-1] == 1 and len(labels.shape) == len(logits.shape) - 1:
        labels = ops.expand_dims(labels, -1)
    labels = ops.cast(labels, "float32")  # as Keras calls its losses
    values = loss.call(labels, ops.cast(logits, "float32"))
    if not values.shape:
        raise ValueError(
            "A loss in `Weighted` must return values of images or pixels, [N] or "
            f"[N, H, W]. Received: one number from {loss.name!r}."
        )
    mask = getattr(values, "_keras_mask", None)  # of `ignore_class`
    counted = ops.ones_like(values) if mask is None else ops.cast(mask, "float32")
    if weights is not None:
        if len(values.shape) != len(weights.shape):
            raise ValueError(
                f"{loss.name!r} takes no weights of pixels: it returns values "
                f"{list(values.shape)}. Received: weights {list(weights.shape)}."
            )
        values = values * weights
    axes = tuple(range(1, len(values.shape)))
    return ops.divide_no_nan(
        ops.sum(values * counted, axis=axes), ops.sum(counted, axis=axes)
    )


def _parts(loss):
    return loss.losses if isinstance(loss, Weighted) else [(1.0, loss)]


def _sum(left, right):
    if left.reduction != right.reduction:
        raise ValueError(
            "Losses that are added must have one `reduction`. Received: "
            f"{left.name!r} with {left.reduction!r} and {right.name!r} with "
            f"{right.reduction!r}."
        )
    return Weighted([*_parts(left), *_parts(right)], reduction=left.reduction)


def _listed(losses):
    if not isinstance(losses, (list, tuple)) or not losses:
        raise ValueError(_PAIRS + f"Received: losses={losses}.")
    return losses


_PAIRS = (
    "`losses` must be a list of losses or (weight, loss) pairs: "
    "[CrossEntropy(), (0.5, Dice())]. "
)


def _pair(part, losses):
    pair = part if isinstance(part, (tuple, list)) else (1.0, part)
    if len(pair) == 2 and isinstance(pair[1], keras.losses.Loss):
        try:
            return float(pair[0]), pair[1]
        except (TypeError, ValueError):
            pass
    raise ValueError(_PAIRS + f"Received: losses={losses}.")


def _check_takes_logits(loss):
    """Refuse losses of Keras that read probabilities, where logits are given."""
    takes = getattr(loss, "from_logits", None)
    if takes is None:
        # Keras 3.15's losses of regions take probabilities and have no `from_logits`.
        takes = loss.__class__.__name__ not in ("Dice", "Tversky")
        takes = takes or isinstance(loss, SegmentationLoss)
    if not takes:
        name = type(loss).__name__
        fix = f"keras.losses.{name}(from_logits=True)"
        if name in ("Dice", "Tversky"):
            fix = f"kerasseg.losses.{name}()"
        raise ValueError(
            "A loss in `Weighted` takes logits, as all of this package do. "
            f"Received: {name} of probabilities; write {fix}."
        )
