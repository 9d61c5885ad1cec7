"""COCO's scores of detected instances, computed by pycocotools (no tensorflow)."""

import contextlib
import io
import math
from collections.abc import Iterable

from kerasseg.metrics.coco_documents import renumbered, unknown

NAMES = (
    *("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"),
    *("ar1", "ar10", "ar{}", "ar_small", "ar_medium", "ar_large"),
)
KINDS = {"masks": "segm", "boxes": "bbox"}


def coco_scores(truth, results, *, kind="masks", max_results=100):
    """The twelve numbers of COCO, and the average precision of each class.

    Args:
        truth: content of an annotation file, a dict; it is not changed. Ids may be
            numbers or strings and begin anywhere, `iscrowd`, `area` and `bbox` may be
            missing; an annotation without the mask or the box that is compared does
            not count, nor does a category that only names a group of others.
        results: list of dicts with image_id, category_id, score, and segmentation (a
            run-length code or polygons) or bbox, as `Instances.to_coco` gives them.
        kind: "masks" or "boxes".
        max_results: number of results per image that count, the best ones, at least 10.
            COCO's 100 are too few where an image has hundreds of objects.

    Returns:
        dict of floats in 0..1: "ap" (mean over IoU 0.5:0.95), "ap50", "ap75",
        "ap_small" (area below 32^2 px), "ap_medium", "ap_large" (from 96^2), and the
        recalls "ar1", "ar10", "ar100" (so many results per image; the last is named
        after `max_results`), "ar_small", "ar_medium", "ar_large"; None where there is
        no object of that kind. "classes": dict of category name to its "ap", or None.

    Raises:
        ValueError: if `kind` or `max_results` is no option, a result names an unknown
            image or category, or has a score or a box that is not finite, or a mask is
            malformed or of another size than its image.

    Reference: Lin et al., 2014, https://arxiv.org/abs/1405.0312
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if kind not in KINDS:
        raise ValueError(f"`kind` must be in {tuple(KINDS)}. Received: {kind!r}.")
    if max_results < 10:  # pycocotools wants 1, 10, `max_results` in rising order
        raise ValueError(f"`max_results` must be 10 or more. Received: {max_results}.")
    results = _listed(results)
    _check(truth, results, kind)
    document, results, names = renumbered(truth, results, kind)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        reference = COCO()
        reference.dataset = document
        reference.createIndex()
        found = _loaded(reference, results)
        evaluation = COCOeval(reference, found, KINDS[kind])
        evaluation.params.maxDets = [1, 10, max_results]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    keys = (name.format(max_results) for name in NAMES)
    scores = {name: _known(x) for name, x in zip(keys, evaluation.stats)}
    # [threshold, recall, class, area, number of results], -1 where there is no object
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    present = precision[precision > -1]
    # summarize() looks for the mean precision of 100 results, and finds -1 if
    # `max_results` is another number.
    scores["ap"] = float(present.mean()) if present.size else None
    scores["classes"] = {
        names[number]: _known(precision[:, :, position].mean())
        for position, number in enumerate(evaluation.params.catIds)
    }
    return scores


def _loaded(reference, results):
    """pycocotools' object of the results; its own loader fails on an empty list."""
    from pycocotools.coco import COCO

    if results:
        return reference.loadRes(results)
    found = COCO()
    found.dataset = {**reference.dataset, "annotations": []}
    found.createIndex()
    return found


def _known(number):
    return None if number < 0 else float(number)


def _listed(results):
    """`results` as a list of dicts."""
    is_text = isinstance(results, (str, bytes, dict))
    if not is_text and isinstance(results, Iterable):
        results = list(results)
        if all(isinstance(one, dict) for one in results):
            return results
    raise ValueError(
        "`results` must be a list of dicts, as `json.load` makes one of COCO's file of "
        f"results. Received: {type(results).__name__}, {repr(results)[:60]}."
    )


def _check(truth, results, kind):
    """Refuse results for which pycocotools would crash or give a wrong number."""
    known = len(results) if (first := unknown(results, truth)) is None else first
    for position, result in enumerate(results):
        if position == known or not _is_usable(result, kind):
            shown = {k: v for k, v in result.items() if k != "segmentation"}
            raise ValueError(
                "`results` must name images and categories of `truth`, with finite "
                "scores and boxes, [x, y, width, height], or masks. "
                f"Received: results[{position}] = {shown}."
            )


def _is_usable(result, kind):
    box = result.get("bbox")
    if box is None and (kind == "boxes" or result.get("segmentation") is None):
        return False
    try:
        numbers = [result["score"], *([] if box is None else box)]
        finite = all(math.isfinite(number) for number in numbers)
    except (KeyError, TypeError):
        return False
    return finite and len(numbers) in (1, 5) and min(numbers[3:], default=0) >= 0
