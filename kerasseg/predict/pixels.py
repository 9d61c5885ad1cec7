"""Class ids and probabilities of whole images and large images.

>>> import keras, numpy as np
>>> x = keras.Input([None, None, 3])
>>> model = keras.Model(x, keras.layers.Conv2D(2, 1)(x))
>>> class_ids(model, np.zeros([5, 7], "uint8")).shape
(5, 7)
"""

import numpy as np

from kerasseg import crf, names
from kerasseg.predict import forward, tiles
from kerasseg.predict.options import ClassMapOptions, check_flips
from kerasseg.predict.preprocessing import check_image


def probabilities(
    model, image, *, tile_px=None, overlap_px=None, flips=False, refine=None
):
    """Class probabilities of one image.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".
        image: [H, W] or [H, W, C], any size; see
            `predict.preprocessing.prepare`.
        tile_px: run on tiles of this size (or (height, width)), blended where they
            overlap, to bound memory; None runs on the whole image.
        overlap_px: overlap of tiles; None for a quarter of the tile, at most 64.
        flips: average over mirrored copies: True or "horizontal" for two, "both" for
            all four.
        refine: "crf" for `crf.dense_crf` as it is, or a function of image and
            probabilities, such as `functools.partial(crf.dense_crf, iterations=10)`;
            works on the whole image, with tiles too.

    Returns:
        float32 [H, W, K]: softmax, or sigmoid for K = 1.

    Raises:
        ValueError: if the image does not fit the model or the refinement.
    """
    # Made for its checks only.
    ClassMapOptions(tile_px, overlap_px, flips, refine)
    if tile_px is None:
        answer = forward.to_probabilities
        found = forward.infer(model, [image], answer, flips=flips)[0]
    else:
        parts = _stripes(model, image, tile_px, overlap_px, flips)
        found = np.concatenate([stripe for _, stripe in parts])
    return _refined(refine, image, found)


def class_ids(model, image, *, tile_px=None, overlap_px=None, flips=False, refine=None):
    """The most probable class of each pixel.

    Args:
        model, image, tile_px, overlap_px, flips, refine: as in `probabilities`.

    Returns:
        int32 [H, W]. With one logit: 1 where its probability is above 0.5.
    """
    if refine is not None:
        options = {"tile_px": tile_px, "overlap_px": overlap_px, "flips": flips}
        return most_probable(probabilities(model, image, **options, refine=refine))[0]
    if tile_px is not None:
        parts = _stripes(model, image, tile_px, overlap_px, flips)
        # By stripes: probabilities of the whole image would take K times the memory.
        return np.concatenate([most_probable(stripe)[0] for _, stripe in parts])
    return class_ids_of_batch(model, [image], flips=flips)[0]


def class_ids_of_batch(model, images, *, flips=False):
    """The most probable class of each pixel of several images of one size.

    Args:
        model, flips: as in `probabilities`.
        images: N images [H, W] or [H, W, C].

    Returns:
        int32 [N, H, W].
    """
    if not flips:  # the short way: classes are chosen inside the compiled function
        return forward.infer(model, images, forward.to_class_ids)
    answer = forward.to_probabilities
    return most_probable(forward.infer(model, images, answer, flips=flips))[0]


def predict_tiled(model, image, *, tile_px=512, overlap_px=None, flips=False, out=None):
    """Class ids and confidence of an image of any size in bounded memory.

    Memory holds one row of tiles. With `image` and `out` memory-mapped
    (`np.lib.format.open_memmap`), an image larger than memory is no problem.

    Args:
        model, tile_px, overlap_px, flips: as in `probabilities`.
        image: [H, W] or [H, W, C], also memory-mapped; read tile by tile.
        out: dict of arrays [H, W] to write to, "class_ids" and "confidence", one or
            both; None makes them.

    Returns:
        `out`: "class_ids" int32 and "confidence" float32, the probability of the
        chosen class. Equal to the whole image's under the condition in
        `predict.tiles.stripes` (probabilities within 1e-6, class ids but for ties).
    """
    size = np.shape(image)[:2]
    if out is None:
        out = {"class_ids": np.empty(size, "i4"), "confidence": np.empty(size, "f4")}
    names.check_options(out, ("class_ids", "confidence"), "`out`")
    for name, array in out.items():
        if array.shape != size:
            raise ValueError(
                f"`out[{name!r}]` must have the size of the image, {size}. "
                f"Received: shape={array.shape}."
            )
    for top, stripe in _stripes(model, image, tile_px, overlap_px, flips):
        for name, values in zip(("class_ids", "confidence"), most_probable(stripe)):
            if name in out:
                out[name][top : top + len(stripe)] = values
    return out


def _stripes(model, image, tile_px, overlap_px, flips):
    """(top, probabilities [h, W, K]) from the top of the image to its bottom."""
    check_flips(flips)
    check_image(image, forward.input_shape(model)[-1])
    tile_px = (tile_px, tile_px) if isinstance(tile_px, int) else tuple(tile_px)
    if overlap_px is None:
        overlap_px = min(64, min(tile_px) // 4)
    if not 0 <= overlap_px < min(tile_px):
        raise ValueError(
            "`tile_px` must be above `overlap_px`, and both positive. "
            f"Received: tile_px={tile_px}, overlap_px={overlap_px}."
        )

    def infer(top, bottom, left, right):
        part = image[top:bottom, left:right]
        answer = forward.to_probabilities
        return forward.infer(model, [part], answer, flips=flips)[0]

    size = np.shape(image)[:2]
    return tiles.stripes(infer, size, tile_px=tile_px, overlap_px=overlap_px)


def _refined(refine, image, found):
    """Refined probabilities; "crf" stands for `crf.dense_crf` as it is."""
    if refine is None:
        return found
    return (crf.dense_crf if refine == "crf" else refine)(image, found)


def most_probable(probabilities):
    """Class ids int32 and confidence float32, [...], of probabilities [..., K]."""
    if probabilities.shape[-1] == 1:
        above = probabilities[..., 0]
        return (above > 0.5).astype("int32"), np.maximum(above, 1 - above)
    return probabilities.argmax(-1).astype("int32"), probabilities.max(-1)
