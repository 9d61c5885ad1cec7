"""Semantic segmentation: a class for each pixel."""

import math
import warnings

import numpy as np

from kerasseg.images import mask_kinds
from kerasseg.predict.options import ClassMapOptions, arguments
from kerasseg.tasks import choosing, details, differences
from kerasseg.tasks.checks import check_named
from kerasseg.tasks.task import Task, percent

# Small images go through the model together: 8 of 64 x 64 px take half the time of
# single ones (U-Net on two CPU cores); from 256 x 256 px on, batches are slower.
BATCH_PX = 2**15
OUTPUTS = {"class_ids": "int32 [N, H, W]", "confidence": "float32 [N, H, W]"}


def resolve(recipe, builder):
    """Check [loss]; cross-entropy where none is given."""
    from kerasseg import losses

    given = recipe["loss"] or {"name": "CrossEntropy"}
    recipe["loss"] = given if isinstance(given, list) else [given]
    for options in recipe["loss"]:
        check_named(options, "name", losses.LOSSES, "loss", extra={"weight": 1.0})


def model_options(recipe, classes, channels):
    """Classes and channels of the data."""
    return {"num_classes": len(classes), "input_shape": (None, None, channels)}


def loss(recipe, builder):
    """The loss of a recipe, or the weighted sum of several."""
    from kerasseg import losses

    parts = []
    for options in recipe["loss"]:
        options = dict(options)
        weight = options.pop("weight", 1.0)
        parts.append((weight, losses.LOSSES[options.pop("name")](**options)))
    if len(parts) == 1 and parts[0][0] == 1.0:
        return parts[0][1]
    return losses.Weighted(parts)


def predict(model, image, options):
    """Class ids int32 [H, W]."""
    from kerasseg.predict import class_ids

    return class_ids(model, image, **arguments(options))


def opacity(task, model, image, options):
    """Probability of all classes but the first, float [H, W]."""
    from kerasseg.predict import files, probabilities

    return files.opacity(
        probabilities(model, image, **arguments(options, "min_area_px"))
    )


def one_by_one(options):
    """Whether options are for one image at a time: tiling and the CRF are."""
    return bool(options.tile_px or options.refine)


def predict_batch(model, images, options):
    """List of class ids int32 [H, W] of images of one size."""
    from kerasseg.predict import class_ids_of_batch, without_small

    if one_by_one(options):
        return [predict(model, image, options) for image in images]
    views = {"flips": options.flips, "scales": options.scales}
    found = class_ids_of_batch(model, images, **views)
    return [without_small(ids, options.min_area_px) for ids in found]


def rows(found, class_names, options):
    """`predict.tables.Found` of class ids: connected regions, areas of classes."""
    from kerasseg.predict import tables

    return tables.of_class_map(found, class_names)


class Scorer:
    """Scores class maps: one confusion matrix grows over all images, at their own size.

    Scores are functions of it (`kerasseg.metrics`), never means of batches.
    """

    def __init__(self, model, samples, options):
        from kerasseg.metrics.bootstrap import IoUReplicates

        self.model, self.samples, self.options = model, samples, options
        self.batch_px = 0 if one_by_one(options) else BATCH_PX
        self.matrix, self.num_px, self.ignored_px = 0, 0, 0
        self.replicates = IoUReplicates(len(samples.classes))
        num, found = len(samples.classes), num_classes(model)
        if found not in (None, num):
            raise ValueError(
                "`model` must have one logit per class (or 1 for two classes): "
                f"{num} classes {tuple(samples.classes)}. Received: {found} classes."
            )

    def predict(self, images):
        """Class ids of images of one size."""
        return predict_batch(self.model, images, self.options)

    def add(self, sample, found):
        """Count one image; returns its scores, None where no pixel counts.

        And the names of classes but the first: "present" in the label, and "shown";
        and "largest_px", the area of the largest region that is found of them.
        """
        from kerasseg import metrics
        from kerasseg.predict import largest_region_px

        matrix = metrics.confusion_matrix(
            sample["label"],
            found,
            len(self.samples.classes),
            ignore_label=self.samples.ignore_label,
        )
        self.matrix = self.matrix + matrix
        self.num_px += np.size(sample["label"])
        self.ignored_px += np.sum(sample["label"] == self.samples.ignore_label)
        self.replicates.add(matrix)
        names = list(self.samples.classes)
        present, shown = (np.flatnonzero(matrix.sum(axis)[1:]) + 1 for axis in (1, 0))
        seen = {
            "present": [names[class_id] for class_id in present],
            "shown": [names[class_id] for class_id in shown],
            "largest_px": largest_region_px(found),
        }
        scores = {
            "mean_iou": float(metrics.mean_iou(matrix)),
            "pixel_accuracy": float(metrics.pixel_accuracy(matrix)),
        }
        scores = {name: None if math.isnan(x) else x for name, x in scores.items()}
        return {**scores, **seen}

    def details(self, samples):
        """See `evaluate.details`; `samples` are scaled already."""
        about = self.samples.classes, self.samples.ignore_label
        return details.of_class_maps(self.model, samples, self.options, *about)

    def result(self):
        """Scores of `metrics.summary`, "matrix", rows are labels, and "intervals".

        These are of 95 %, over images: of "mean_iou" and the IoU of "classes".
        """
        from kerasseg import metrics
        from kerasseg.metrics import matrix

        only_first = len(self.matrix) > 1 and not self.matrix[1:].any()
        if only_first and self.ignored_px > matrix.MANY * self.num_px:
            label = self.samples.ignore_label
            warnings.warn(
                f"All labels hold 0 and {label} only, of which {label} is ignored: "
                "there is no foreground to score. If it is the foreground, say so: "
                f"{mask_kinds.to_paste('values', {0: 0, label: 1})}.",
                stacklevel=2,
            )
        summary = metrics.summary(self.matrix, self.samples.classes)
        found = self.replicates.intervals()
        ends = [found["mean_iou"], *found["iou"]]
        mean, *each = ([None if math.isnan(x) else x for x in pair] for pair in ends)
        classes = dict(zip(summary["classes"], each))
        intervals = {"mean_iou": mean, "classes": classes}
        return {**summary, "matrix": self.matrix.tolist(), "intervals": intervals}


def table(result):
    """The result as text: one line per class, then the means, in percent."""
    width = max(map(len, ["class", *result["classes"]]))
    lines = [f"{'class':{width}}     IoU    Dice    prec.  recall        pixels"]
    for name, scores in result["classes"].items():
        cells = [scores[key] for key in ("iou", "dice", "precision", "recall")]
        cells = "".join(f"{percent(value, 2):>8}" for value in cells)
        lines.append(f"{name:{width}}{cells}{scores['pixels']:14,}")
    means = [percent(result[key], 2) for key in ("mean_iou", "mean_dice")]
    lines.append(f"{'mean':{width}}{means[0]:>8}{means[1]:>8}")
    lines.append(f"pixel accuracy {percent(result['pixel_accuracy'], 2)} %")
    return "\n".join([*lines, *_inspection(result), *details.table(result)])


def _inspection(result):
    """Line about images as a whole, as predicted and with a least area of regions."""
    if "inspection" not in result:
        return []
    parts = result["inspection"]
    chosen = parts["chosen"]
    return [
        f"images with something to find {parts['bad']}, without {parts['good']}: found "
        f"{percent(parts['found'] / parts['bad'])} %, false alarms "
        f"{percent(parts['false_alarms'] / parts['good'])} %; in regions of "
        f"{chosen['min_area_px']} px or more "
        f"{percent(chosen['found'] / parts['bad'])} % and "
        f"{percent(chosen['false_alarms'] / parts['good'])} %"
    ]


def card(results):
    """Markdown: scores by class, and how images went through the model."""
    lines = ["| class | IoU | Dice | recall |", "|---|---|---|---|"]
    for name, scores in results["classes"].items():
        cells = [percent(scores[key]) for key in ("iou", "dice", "recall")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    mean = [percent(results[key]) for key in ("mean_iou", "mean_dice")]
    lines.append(f"| **mean** | **{mean[0]}** | **{mean[1]}** | |")
    found = [line[0].upper() + line[1:] + "." for line in _inspection(results)]
    return [*lines, "", *found] if found else lines


def gallery(groups, samples, options):
    """Image, label, prediction and errors of the rows of an evaluation."""
    from kerasseg import viz

    bands = options.picture_bands
    rows = {
        heading: [
            {
                "name": row["name"],
                "score": row["score"],
                "image": viz.select_bands(row["sample"]["image"], bands),
                "label": row["sample"]["label"],
                "prediction": row["found"],
            }
            for row in some
        ]
        for heading, some in groups.items()
    }
    look = {"class_names": samples.classes, "ignore_label": samples.ignore_label}
    return viz.gallery(rows, palette=samples.colors, **look)


def folder(model, inputs, out, *, class_names=None, palette=None, options=None):
    """`predict.folder`: overlays, class-id PNGs and contours."""
    from kerasseg import predict as predicting

    return predicting.folder(
        model,
        inputs,
        out,
        class_names=class_names,
        palette=palette,
        save=("overlay", "mask", "polygons"),
        options=options,
    )


def drawer(class_names, palette, options):
    """Overlays of class ids beside a legend of all classes, and their areas."""
    from kerasseg import viz

    keys = {}  # legends by height: text takes longer to draw than the overlay

    def draw(image, found):
        picture = viz.overlay(image, found, palette=palette, ignore_label=None)
        table = rows(found, class_names, options)
        if class_names is None:
            return picture, table
        height = len(picture)
        if height not in keys:
            ids = range(1, len(class_names))
            room = {"class_ids": ids, "height_px": max(height, viz.legends.LEAST_PX)}
            keys[height] = viz.legend(class_names, palette, **room)
        return viz.with_legend(picture, keys[height]), table

    return draw


def num_classes(model):
    """Classes of the logits, 2 for a single one."""
    from kerasseg.predict.forward import num_classes

    return num_classes(model)


def signatures(model, max_pixels, value_range=None):
    """From images to `class_ids` and `confidence`: uint8, float and encoded.

    And to `class_ids` in few bytes, see `predict.replies`.
    """
    from kerasseg.predict import in_graph, replies

    found = in_graph.functions(model, _segmented, max_pixels, value_range)
    return found | replies.functions(found, num_classes(model))


def program(model, value_range):
    """From images to `class_ids` and `confidence`."""
    from kerasseg.predict import in_graph

    def answer(images):
        return in_graph.extended(model, images, _segmented)

    return in_graph.program(model, answer, value_range)


def _segmented(outputs):
    from kerasseg.predict import forward

    logits = forward.logits_of(outputs)
    return {
        "class_ids": forward.to_class_ids(logits),
        "confidence": forward.to_confidence(logits),
    }


TASK = Task(
    name="semantic",
    about="a class for each pixel",
    options=ClassMapOptions,
    monitor="mean_iou",
    row_score="mean_iou",
    first_class=0,
    needs_instances=False,
    matches=lambda outputs: not outputs or "logits" in outputs,
    resolve=resolve,
    model_options=model_options,
    loss=loss,
    truth=lambda recipe: None,
    predict=predict,
    predict_batch=predict_batch,
    ids=lambda found: found,
    opacity=opacity,
    rows=rows,
    scorer=Scorer,
    table=table,
    card=card,
    gallery=gallery,
    folder=folder,
    num_classes=num_classes,
    signatures=signatures,
    program=program,
    differences=differences.of_class_maps,
    outputs=OUTPUTS,
    choose=choosing.class_map,
    drawer=drawer,
)
