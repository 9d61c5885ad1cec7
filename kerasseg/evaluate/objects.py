"""Scores of found objects on whole images: average precision, panoptic quality, AJI."""

import time

import numpy as np

from kerasseg import metrics, predict, viz
from kerasseg.evaluate.pixels import extremes, read_ahead, settings_of
from kerasseg.instance.instances import Instances, annotate
from kerasseg.instance.masks import crop_instances, masks_to_boxes, masks_to_label_map
from kerasseg.metrics import instances as label_maps

KINDS = {"mask": "masks", "box": "boxes"}  # as results and pycocotools call them


def instances(
    model,
    samples,
    *,
    score_threshold=0.3,
    fit="tile",
    overlap_px=None,
    zoom=1.0,
    min_area_px=1,
    limit=None,
    on_progress=None,
):
    """Score an instance model on samples: whole images at their original size.

    COCO's scores rank the 100 best of an image, or as many as the fullest image has
    objects, if these are more ("max_results" of the settings). The others compare
    label maps, of what scores at least `score_threshold`; they know one class, and
    pixels of crowds do not count.

    Args:
        model: as in `predict.instances`; class c stands for the label id c + 1.
        samples: `len`, `[i]` -> {"image", "instances", "classes", maybe "crowd"},
            `names`, `classes` with the background first; see `datasets.coco`.
        score_threshold, fit, overlap_px, zoom, min_area_px: as in `predict.instances`.
        limit: number of samples, from the first; None for all.
        on_progress: function of {"index" (from 1), "num", "name", "ap" (of this image),
            "seconds"}, called after each image.

    Returns:
        dict, ready for JSON, of numbers in 0..1 (None where there is nothing to find):
        "mask_ap" (over IoU 0.5:0.95), "mask_ap50", "mask_ap75", "box_ap", ... by COCO;
        "label_ap" (TP / (TP + FP + FN), mean over IoU 0.5:0.95), "label_ap50", "f1" (at
        0.5), "pq", "sq", "rq" of all images together, and "aji", a mean over images;
        "masks" and "boxes", the twelve numbers of COCO; "classes", for each name
        "mask_ap", "box_ap" and "objects"; "label_ap_by_iou"; "samples" (list of
        {"index", "name", "ap", "objects", "found"}, "ap" being "label_ap" of one
        image) and "settings".

    Raises:
        ValueError: if the model finds no objects, or there is no sample.
    """
    num = len(samples) if limit is None else min(limit, len(samples))
    if num < 1:
        raise ValueError(f"There must be a sample to evaluate. Received: {num}.")
    options = {"fit": fit, "overlap_px": overlap_px, "zoom": zoom}
    options["min_area_px"] = min_area_px
    truth, results = _categories(samples), []
    counts, qualities, indices, rows = 0, 0, [], []
    start = time.perf_counter()
    for index, sample in enumerate(read_ahead(samples, num)):
        begin, name = time.perf_counter(), samples.names[index]
        present, crowd = truth_of(sample)
        found = predict.instances(
            model, sample["image"], score_threshold=0.0, **options
        )
        annotate(truth, present, crowd=crowd)
        results += found.to_coco(len(truth["images"]))
        maps = _label_maps(present, crowd, found.above(score_threshold))
        one = label_maps.instance_counts(*maps)
        counts = counts + one
        qualities = qualities + label_maps.quality_counts(*maps)
        indices.append(label_maps.aggregated_jaccard(*maps))
        rows.append({"index": index, "name": name, **_row(one)})
        if on_progress:
            event = {"index": index + 1, "num": num, "name": name}
            event["seconds"] = round(time.perf_counter() - begin, 4)
            on_progress({**event, "ap": rows[-1]["ap"]})
    scores = label_maps.summary(counts, qualities, indices)
    most = max(max(row["objects"] for row in rows), 100)
    coco = {
        kind: metrics.coco_scores(truth, results, kind=kind, max_results=most)
        for kind in KINDS.values()
    }
    sizes = [(image["height"], image["width"]) for image in truth["images"]]
    options = {"score_threshold": score_threshold, **options, "max_results": most}
    settings = settings_of(model, options, sizes, num, time.perf_counter() - start)
    return {
        **_headline(coco, scores),
        **coco,
        "classes": _by_class(truth, coco),
        "label_ap_by_iou": label_maps.average_precision(counts).tolist(),
        "samples": rows,
        "settings": settings,
    }


def truth_of(sample):
    """The objects of a sample, those without a pixel left out.

    Args:
        sample: dict of `instances` int [L, H, W], ids 1..M, `classes` [M] of label ids
            1..C, and maybe `crowd` [M].

    Returns:
        `Instances` of score 1, class ids 0..C-1, and crowd bool [K].

    Raises:
        ValueError: if there are no instances in it.
    """
    if not {"instances", "classes"} <= sample.keys():
        raise ValueError(
            "A sample must have `instances` and `classes`, as those of datasets.coco. "
            f"Received: {', '.join(sample)}."
        )
    maps, classes = np.asarray(sample["instances"]), np.asarray(sample["classes"])
    masks = np.zeros([len(classes), *maps.shape[1:]], bool)
    for layer in maps:
        for number, (x1, y1, x2, y2), mask in crop_instances(layer):
            masks[number - 1, y1:y2, x1:x2] = mask
    there = masks.any((1, 2))
    crowd = np.asarray(sample.get("crowd", np.zeros(len(classes))), bool)[there]
    masks, classes = masks[there], classes[there].astype("int32") - 1
    scores = np.ones(len(masks), "float32")
    return Instances(masks_to_boxes(masks), classes, scores, masks), crowd


def instance_gallery(model, samples, result, *, num=3):
    """Picture of the worst and the best samples, with names and scores.

    Args:
        model, samples: as for `instances`.
        result: of `instances`; pictures are made with its settings.
        num: how many of each.

    Returns:
        uint8 [h, w, 3]; see `viz.instance_gallery`.
    """
    keys = ("score_threshold", "fit", "overlap_px", "zoom", "min_area_px")
    options = {key: result["settings"][key] for key in keys}
    groups = {}
    for heading, rows in extremes(result, num, key="ap").items():
        groups[heading] = []
        for row in rows:
            sample = samples[row["index"]]
            row = {"name": row["name"], "score": row["ap"], "image": sample["image"]}
            found = predict.instances(model, sample["image"], **options)
            groups[heading].append(
                {**row, "truth": truth_of(sample)[0], "found": found}
            )
    return viz.instance_gallery(groups)


def _categories(samples):
    """A COCO annotation file of no images yet; category ids are label ids."""
    names = list(samples.classes)[1:]
    categories = [{"id": i, "name": str(name)} for i, name in enumerate(names, 1)]
    return {"images": [], "annotations": [], "categories": categories}


def _label_maps(present, crowd, found):
    """True and found label map; small objects in front, crowds in neither."""
    size, ignored = present.masks.shape[1:], present.masks[crowd].any(0)
    masks = present.masks[~crowd]
    true = np.zeros(size, "int32")
    if len(masks):
        areas = np.count_nonzero(masks, axis=(1, 2))
        true = masks_to_label_map(masks, scores=-areas)
    return [np.where(ignored, 0, labels) for labels in (true, found.to_label_map())]


def _row(counts):
    """Score of one image, and how many objects its label maps hold."""
    hits, extra, missed = counts[0].tolist()
    ap = float(label_maps.average_precision(counts).mean())
    return {"ap": ap, "objects": hits + missed, "found": hits + extra}


def _headline(coco, scores):
    """The numbers of the data set; the first six are drawn in the curves."""
    ap = {
        f"{kind}_{name}": coco[key][name]
        for kind, key in KINDS.items()
        for name in ("ap", "ap50", "ap75")
    }
    first = {key: ap.pop(key) for key in ("mask_ap", "mask_ap50", "box_ap")}
    first.update((key, scores[key]) for key in ("label_ap", "pq", "aji"))
    return {**first, **ap, **scores}


def _by_class(truth, coco):
    numbers = [one["category_id"] for one in truth["annotations"] if not one["iscrowd"]]
    return {
        category["name"]: {
            "mask_ap": coco["masks"]["classes"][category["name"]],
            "box_ap": coco["boxes"]["classes"][category["name"]],
            "objects": numbers.count(category["id"]),
        }
        for category in truth["categories"]
    }
