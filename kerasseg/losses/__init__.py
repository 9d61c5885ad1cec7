"""Losses: integer labels and logits in, one value per image out.

Every loss takes labels [N, H, W] and logits [N, H, W, K]:

- K > 1: class ids 0..K-1, scored against the softmax of the logits (multiclass).
- K == 1: ids 0 and 1, scored against the sigmoid of the one logit (binary).
- labels [N, H, W, K] of 0 and 1: each class on its own (multilabel).

Pixels that carry `ignore_label` (255 unless told otherwise; None for none) add nothing
to the loss nor to its gradient, and neither do labels that are no class ids: a graph
cannot raise, and to leave such a pixel out does the least harm. Check the data before
training (`datasets.check`). `call` returns [N], so Keras' `reduction`, `sample_weight`
and distributed scaling work as for other losses: each image has the same weight,
however many of its pixels are ignored. An image with only ignored pixels has loss 0.
Everything is computed in float32, whatever the dtype of the logits.
"""

from kerasseg.losses.cross_entropy import CrossEntropy, Focal, TopK
from kerasseg.losses.lovasz import Lovasz
from kerasseg.losses.overlap import Dice, Jaccard, Tversky
from kerasseg.losses.weighted import Weighted
from kerasseg.names import public

LOSSES = public(globals(), __name__)
__all__ = ["LOSSES", *LOSSES]
