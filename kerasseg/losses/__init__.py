"""Losses: integer labels and logits in, one value per image out.

Every loss takes labels [N, H, W] and logits [N, H, W, K]:

- K > 1: class ids 0..K-1, scored against the softmax of the logits (multiclass).
- K == 1: ids 0 and 1, scored against the sigmoid of the one logit (binary).
- labels [N, H, W, K] of 0 and 1: each class on its own (multilabel).

Class ids may have a last axis of 1, too. Pixels that carry `ignore_label` (255 unless
told otherwise; None for none) add nothing to the loss nor to its gradient, and neither
do labels that are no class ids: a graph cannot raise, and to leave such a pixel out
does the least harm; an eager call warns of them. Check the data before training
(`datasets.check`). `call` returns [N], so Keras' `reduction`, `sample_weight` [N] and
distributed scaling work as for other losses: each image has the same weight, however
many of its pixels are ignored. An image with only ignored pixels has loss 0.
`sample_weight` may be [N, H, W] as well, one number per pixel. Everything is computed
in float32, whatever the dtype of the logits.

Losses add up: `CrossEntropy() + 0.5 * Dice()` is a `Weighted`; so do those of Keras
(`from_logits=True`).

Where others count otherwise:

| | here | as an option | who does |
|---|---|---|---|
| divisor of class weights | valid pixels, as Keras | `divisor="weights"` | PyTorch |
| mean over pixels | per image, then over images | `per_image=False` | PyTorch, Keras |
| Dice, Jaccard, Tversky | per image | `per_image=False` | smp, nnU-Net's batch Dice |
| Lovász | per image | `per_image=False` | the authors' default |
"""

from kerasseg.losses.cross_entropy import CrossEntropy, Focal, TopK
from kerasseg.losses.lovasz import Lovasz
from kerasseg.losses.overlap import Dice, Jaccard, Tversky
from kerasseg.losses.structure import Boundary, ClDice
from kerasseg.losses.weighted import Weighted
from kerasseg.names import public

LOSSES = public(globals(), __name__)
__all__ = ["LOSSES", *LOSSES]
