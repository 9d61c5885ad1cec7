"""The parts that tasks of objects share: truth, scores, tables, pictures, files."""

import functools

import numpy as np

from kerasseg.tasks import label_maps
from kerasseg.tasks.task import percent

KINDS = {"mask": "masks", "box": "boxes"}  # as results and pycocotools call them


def truth_of(sample):
    """The objects of a sample, those without a pixel left out.

    Args:
        sample: dict of `instances` int [L, H, W], ids 1..M, `classes` [M] of label ids
            1..C, and maybe `crowd` [M] and `boxes` [M, 4], those of an annotation file.

    Returns:
        `Instances` of score 1, class ids 0..C-1, and crowd bool [K].

    Raises:
        ValueError: if there are no instances in it.
    """
    from kerasseg.instance.instances import Instances
    from kerasseg.instance.masks import crop_instances, masks_to_boxes

    if not {"instances", "classes"} <= sample.keys():
        raise ValueError(
            "A sample must have `instances` and `classes`, as those of datasets.coco. "
            f"Received: {', '.join(sample)}."
        )
    maps, classes = np.asarray(sample["instances"]), np.asarray(sample["classes"])
    masks = _no_masks(len(classes), maps.shape[1:])
    there = np.zeros(len(classes), bool)
    for layer in maps:
        for number, (x1, y1, x2, y2), mask in crop_instances(layer):
            masks[number - 1, y1:y2, x1:x2] = mask
            there[number - 1] = True
    crowd = np.asarray(sample.get("crowd", np.zeros(len(classes))), bool)[there]
    # A copy of all would take the memory of the pixels outside of the objects, too.
    masks = masks if there.all() else masks[there]
    classes = classes[there].astype("int32") - 1
    scores = np.ones(len(masks), "float32")
    boxes = np.asarray(sample["boxes"])[there] if "boxes" in sample else None
    boxes = masks_to_boxes(masks) if boxes is None else boxes.astype("float32")
    return Instances(boxes, classes, scores, masks), crowd


def _no_masks(num, size):
    try:
        return np.zeros([num, *size], bool)
    except MemoryError as error:
        raise ValueError(
            f"{num} objects of {size[1]} x {size[0]} pixels take {num * np.prod(size)} "
            "bytes as masks, more than there are. Cut the image into tiles."
        ) from error


class Scorer:
    """Scores objects, by COCO's rules and as label maps.

    COCO's scores rank the 100 best of an image, or as many as the fullest image has
    objects, if these are more ("max_results"). The others compare label maps of what
    scores at least the threshold; they know one class, and take crowds by the rule of
    `metrics.instances`.

    Args:
        model, samples: as in `evaluate.score`.
        options: prediction options with a `score_threshold`.
        find: function (model, image) -> `Instances`, also of lower scores.
    """

    batch_px = 0

    def __init__(self, model, samples, options, find):
        self.model, self.options, self.find = model, options, find
        names = list(samples.classes)[1:]
        categories = [{"id": i, "name": str(name)} for i, name in enumerate(names, 1)]
        # A COCO annotation file; category ids are label ids.
        self.truth = {"images": [], "annotations": [], "categories": categories}
        self.results, self.label_maps = [], label_maps.Scores()
        self.by_size = label_maps.BySize()

    def predict(self, images):
        return [self.find(self.model, image) for image in images]

    def add(self, sample, found):
        """Count one image; returns its "ap", "objects" and "found"."""
        from kerasseg.instance.instances import annotate

        present, crowd = truth_of(sample)
        annotate(self.truth, present, crowd=crowd)
        areas = sample.get("areas", ())  # those of an annotation file
        if len(areas) == len(present) > 0:
            for one, area in zip(self.truth["annotations"][-len(present) :], areas):
                one["area"] = float(area)
        self.results += found.to_coco(len(self.truth["images"]))
        # COCO's average precision ranks all scores, a label map needs a decision.
        above = found.above(self.options.score_threshold)
        maps = label_maps.of(present, crowd, above)
        self.by_size.add(*maps)
        return self.label_maps.add(*maps)

    def result(self):
        """Numbers in 0..1, None where there is nothing to find.

        "mask_ap" (over IoU 0.5:0.95), "mask_ap50", "mask_ap75", "box_ap", ... by COCO;
        "label_ap" (TP / (TP + FP + FN), mean over IoU 0.5:0.95), "label_ap50", "f1" (at
        0.5), "pq", "sq", "rq" of all images together, and "aji", a mean over images;
        "masks" and "boxes", the twelve numbers of COCO; "classes", for each name
        "mask_ap", "box_ap" and "objects"; "label_ap_by_iou"; "by_size", see
        `label_maps.BySize`.
        """
        from kerasseg import metrics

        most = max(self.label_maps.most, 100)  # 100 as COCO's own evaluation
        coco = {
            kind: metrics.coco_scores(
                self.truth, self.results, kind=kind, max_results=most
            )
            for kind in KINDS.values()
        }
        scores = self.label_maps.result()
        by_iou = scores.pop("label_ap_by_iou")
        return {
            **_headline(coco, scores),
            **coco,
            "classes": _by_class(self.truth, coco),
            "label_ap_by_iou": by_iou,
            "by_size": self.by_size.result(),
            "settings": {"max_results": most},
        }


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
    """Scores by name; `coco_scores` tells classes of one name apart, such as "N/A"."""
    numbers = [one["category_id"] for one in truth["annotations"] if not one["iscrowd"]]
    masks, boxes = (coco[kind]["classes"] for kind in ("masks", "boxes"))
    return {
        name: {
            "mask_ap": masks[name],
            "box_ap": boxes[name],
            "objects": numbers.count(category["id"]),
        }
        for category, name in zip(truth["categories"], masks, strict=True)
    }


def table(result):
    """The result as text: one line per class, then the scores of label maps."""
    width = max(map(len, ["class", *result["classes"]]))
    lines = [f"{'class':{width}} mask AP  box AP  objects"]
    for name, scores in result["classes"].items():
        cells = "".join(f"{percent(scores[f'{kind}_ap'], 2):>8}" for kind in KINDS)
        lines.append(f"{name:{width}}{cells}{scores['objects']:9,}")
    means = "".join(f"{percent(result[f'{kind}_ap'], 2):>8}" for kind in KINDS)
    lines.append(f"{'mean':{width}}{means}")
    sizes = label_maps.table(result)
    return "\n".join([*lines, *lines_of(result, LINES), *sizes])


LINES = (
    ("AP at IoU 0.5", ("mask_ap50", "box_ap50")),
    ("label maps: AP, AP at IoU 0.5", ("label_ap", "label_ap50")),
    ("F1, PQ, AJI", ("f1", "pq", "aji")),
)


def lines_of(result, lines):
    """Lines of names and scores in percent."""
    return [
        f"{name} {', '.join(percent(result[key], 2) for key in keys)} %"
        for name, keys in lines
    ]


def card(results):
    """Markdown: average precision by class, and the scores of the data set."""
    lines = ["| class | mask AP | box AP | objects |", "|---|---|---|---|"]
    for name, scores in results["classes"].items():
        cells = [percent(scores[key]) for key in ("mask_ap", "box_ap")]
        lines.append(f"| {name} | {' | '.join(cells)} | {scores['objects']:,} |")
    mean = [percent(results[key]) for key in ("mask_ap", "box_ap")]
    lines += [f"| **mean** | **{mean[0]}** | **{mean[1]}** | |", ""]
    keys = ("mask_ap50", "mask_ap75", "label_ap", "label_ap50", "f1", "pq", "aji")
    head = "| AP50 | AP75 | label AP | label AP50 | F1 | PQ | AJI |"
    return [*lines, head, *rule_and_row(results, keys)]


def rule_and_row(results, keys):
    """The lines below the head of a Markdown table of scores in percent."""
    cells = " | ".join(percent(results[key]) for key in keys)
    return ["|---" * len(keys) + "|", f"| {cells} |"]


def gallery(groups, samples, options, *, score_name="AP"):
    """Image, truth and found objects of the rows of an evaluation."""
    from kerasseg import viz

    bands = options.picture_bands
    rows = {
        heading: [
            {
                "name": row["name"],
                "score": row["score"],
                "image": viz.select_bands(row["sample"]["image"], bands),
                "truth": truth_of(row["sample"])[0],
                "found": row["found"],
            }
            for row in some
        ]
        for heading, some in groups.items()
    }
    return viz.instance_gallery(rows, score_name=score_name)


def folder(predict, model, inputs, out, *, class_names=None, palette=None, options):
    """Overlays, label maps and one COCO file of what `predict` finds.

    Each object has a colour of its own: it is objects that a reader tells apart, not
    classes.
    """
    from kerasseg import viz
    from kerasseg.predict import files

    read = files.reader_for(model, options)

    def find(path):
        image = read(path)
        found = predict(model, image, options)
        return viz.select_bands(image, options.picture_bands), found

    save = files.kinds(("overlay", "mask"), options)
    look = {"class_names": class_names, "palette": None, "save": save}
    return files.write_objects(find, inputs, out, **look)


def rows(found, class_names, options):
    """`predict.tables.Found` of `Instances`."""
    from kerasseg.predict import tables

    return tables.of_instances(found, class_names)


def drawer(class_names, palette, options):
    """Overlays of objects, each in a colour of its own, and their areas by class."""
    from kerasseg import viz

    def draw(image, found):
        # Captions enlarge small pictures, if there are any: sizes would change.
        labels = (
            "auto" if max(image.shape[:2]) >= viz.objects.MIN_LABELLED_PX else False
        )
        picture = viz.instances(image, found, class_names=class_names, labels=labels)
        return picture, rows(found, class_names, options)

    return draw


def objective(recipe, builder):
    """The losses that a builder brings, with the options of [loss]."""
    from kerasseg import training

    function = builder.losses
    for options in recipe["loss"]:
        function = functools.partial(function, **options)
    return training.Objective(function, recipe["train"]["seed"])


def resolve_objective(recipe, builder):
    """Check [loss]: options of the losses that the builder brings, no loss by name."""
    from kerasseg.names import parameters
    from kerasseg.tasks.checks import OptionError, check_types

    given = recipe["loss"] or []
    recipe["loss"] = given if isinstance(given, list) else [given]
    known = parameters(builder.losses)
    # The training step gives these.
    for name in ("model", "images", "truth", "seed", "divide"):
        del known[name]
    for options in recipe["loss"]:
        if "name" in options or len(recipe["loss"]) > 1:
            name = recipe["model"]["architecture"]
            raise OptionError(
                f"{name!r} brings its own losses: no [[loss]] can name one.", "loss"
            )
        check_types(options, known, "loss")


def program(model, value_range):
    """From images to the maps of a model, for tasks that find objects in maps."""
    from kerasseg.predict import in_graph

    return in_graph.raw(model, value_range)
