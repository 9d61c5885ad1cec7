"""Panoptic segmentation: objects of things and regions of stuff, by Panoptic-DeepLab.

Things are the classes whose objects are told apart, all but the background unless the
option `things` says otherwise; stuff are all others.
"""

import dataclasses
import math

import numpy as np

from kerasseg.predict.options import PanopticOptions, arguments
from kerasseg.tasks import differences, label_maps, objects, semantic
from kerasseg.tasks.task import percent

OUTPUTS = {
    "logits": "float32 [N, H, W, C], scores of things and stuff",
    "centers": "float32 [N, H, W, 1], about 0..1, peaks at centres of objects",
    "offsets": "float32 [N, H, W, 2], (x, y) in pixels to the centre of the object",
}
SCORES = ("pq", "sq", "rq")


def truth(recipe):
    """Maps of labels, centres and offsets; every object of the data is a thing."""
    from kerasseg.data import maps

    return maps.centers(sigma=recipe["train"]["center_sigma"])


def predict(model, image, options):
    """`instance.panoptic.Panoptic` of one image."""
    from kerasseg.predict import panoptic

    return panoptic(model, image, **arguments(options))


def truth_of(sample):
    """True segments of a sample: its objects, then the classes of the other pixels.

    Args:
        sample: dict of `instances`, `classes` and maybe `crowd`, as in
            `objects.truth_of`, and maybe `label` int [H, W]; without it, pixels of no
            object are of class 0.

    Returns:
        `instance.panoptic.Panoptic`; void where the label is ignored, and in crowds.
    """
    from kerasseg.instance.masks import masks_to_label_map
    from kerasseg.instance.panoptic import Panoptic

    present, crowd = objects.truth_of(sample)
    # `Instances` leave the background out of their class ids, panoptic maps do not.
    masks, classes = present.masks[~crowd], present.classes[~crowd] + 1
    ids = np.zeros(present.masks.shape[1:], "int32")
    if len(masks):
        areas = np.count_nonzero(masks, axis=(1, 2))
        ids = masks_to_label_map(masks, scores=-areas)
    label = np.asarray(sample.get("label", np.where(ids > 0, 255, 0)))
    # `present` holds crowds, too: they have no id and stay void.
    free = (ids == 0) & ~present.masks.any(0) & (label != 255)
    classes = classes.tolist()
    # A thing in the label without an object is nobody's segment: void.
    for stuff in sorted(set(np.unique(label[free]).tolist()) - set(classes)):
        classes.append(stuff)
        ids[free & (label == stuff)] = len(classes)
    return Panoptic(ids, np.array(classes, "int32"))


def _with_crowds(true, present, crowd):
    """True segments and, behind them, crowds; and which ones are crowds, bool [S]."""
    from kerasseg.instance.panoptic import Panoptic

    ids, classes = true.ids.copy(), true.classes.tolist()
    for mask, class_id in zip(present.masks[crowd], present.classes[crowd] + 1):
        classes.append(int(class_id))
        ids[mask & (ids == 0)] = len(classes)
    is_crowd = np.arange(len(classes)) >= len(true.classes)
    return Panoptic(ids, np.array(classes, "int32")), is_crowd


def to_instances(found, things):
    """Segments of things as `Instances`, all of score 1."""
    from kerasseg.instance.instances import Instances
    from kerasseg.instance.masks import masks_to_boxes

    chosen = [i for i, class_id in enumerate(found.classes) if class_id in things]
    masks = np.zeros([len(chosen), *found.ids.shape], bool)
    for mask, index in zip(masks, chosen):
        mask[:] = found.ids == index + 1
    classes = found.classes[chosen].astype("int32") - 1
    scores = np.ones(len(chosen), "float32")
    return Instances(masks_to_boxes(masks), classes, scores, masks)


def things_of(options, num_classes):
    """Ids of the classes whose objects are told apart."""
    everything = range(1, num_classes)
    return set(everything if options.things is None else options.things)


class Scorer:
    """Scores panoptic maps: PQ by class, mean IoU, and the label maps of things."""

    batch_px = 0

    def __init__(self, model, samples, options):
        self.model, self.options, self.names = model, options, list(samples.classes)
        self.things = things_of(options, len(self.names))
        self.counts, self.matrix, self.label_maps = 0, 0, label_maps.Scores()
        self.by_size = label_maps.BySize()

    def predict(self, images):
        return [predict(self.model, image, self.options) for image in images]

    def add(self, sample, found):
        """Count one image; returns its "pq", "mean_iou", "objects" and "found"."""
        from kerasseg import metrics

        num, true = len(self.names), truth_of(sample)
        present, crowd = objects.truth_of(sample)
        segments, is_crowd = _with_crowds(true, present, crowd)
        counts = metrics.panoptic.panoptic_counts(segments, found, num, crowd=is_crowd)
        self.counts = self.counts + counts
        # Void is class `num`: ignored in the truth, a wrong class in the prediction.
        matrix = metrics.confusion_matrix(
            *(_class_map(one, num) for one in (true, found)), num + 1, ignore_label=num
        )
        self.matrix = self.matrix + matrix
        maps = label_maps.of(present, crowd, to_instances(found, self.things))
        self.by_size.add(*maps)
        row = self.label_maps.add(*maps)
        pq = metrics.panoptic.panoptic_scores(counts)["pq"]
        del row["ap"]
        return {"pq": _number(pq), **row}

    def result(self):
        """Numbers in 0..1, None where there is nothing to score.

        "pq", "sq", "rq", means over classes; "mean_iou" of the classes of pixels, void
        predictions being wrong; "label_ap", "label_ap50", "f1" and "aji" of the label
        maps of things, as of instance models, and "by_size", see `label_maps.BySize`;
        "classes", for each name "pq" and "iou".
        """
        from kerasseg import metrics

        num = len(self.names)
        scores = metrics.panoptic.panoptic_scores(self.counts)
        by_class = scores["pq_per_class"], metrics.iou_per_class(self.matrix)[:num]
        found = self.label_maps.result()
        names = ("label_ap", "label_ap50", "f1", "aji")
        return {
            **{name: _number(scores[name]) for name in SCORES},
            "mean_iou": _number(np.nanmean(by_class[1])),
            **{name: found[name] for name in names},
            "by_size": self.by_size.result(),
            "classes": {
                name: {"pq": _number(pq), "iou": _number(iou)}
                for name, pq, iou in zip(self.names, *by_class)
            },
        }


def _class_map(segments, void):
    """Class of each pixel, `void` where no segment is."""
    return np.concatenate([[void], segments.classes]).astype("int32")[segments.ids]


def _number(value):
    return None if math.isnan(value) else float(value)


def table(result):
    """The result as text: one line per class, then the scores of the data set."""
    width = max(map(len, ["class", *result["classes"]]))
    lines = [f"{'class':{width}}      PQ     IoU"]
    for name, scores in result["classes"].items():
        cells = "".join(f"{percent(scores[key], 2):>8}" for key in ("pq", "iou"))
        lines.append(f"{name:{width}}{cells}")
    means = "".join(f"{percent(result[key], 2):>8}" for key in ("pq", "mean_iou"))
    lines.append(f"{'mean':{width}}{means}")
    last = (("SQ, RQ", ("sq", "rq")), objects.LINES[1], ("F1, AJI", ("f1", "aji")))
    sizes = label_maps.table(result)
    return "\n".join([*lines, *objects.lines_of(result, last), *sizes])


def card(results):
    """Markdown: PQ and IoU by class, and the scores of the data set."""
    lines = ["| class | PQ | IoU |", "|---|---|---|"]
    for name, scores in results["classes"].items():
        lines.append(f"| {name} | {percent(scores['pq'])} | {percent(scores['iou'])} |")
    mean = [percent(results[key]) for key in ("pq", "mean_iou")]
    lines += [f"| **mean** | **{mean[0]}** | **{mean[1]}** |", ""]
    keys = ("sq", "rq", "label_ap", "label_ap50", "f1", "aji")
    head = "| SQ | RQ | label AP | label AP50 | F1 | AJI |"
    return [*lines, head, *objects.rule_and_row(results, keys)]


def gallery(groups, samples, options):
    """Image, true objects and found objects of the rows of an evaluation."""
    things = things_of(options, len(samples.classes))
    rows = {
        heading: [{**row, "found": to_instances(row["found"], things)} for row in some]
        for heading, some in groups.items()
    }
    return objects.gallery(rows, samples, options, score_name="PQ")


def folder(model, inputs, out, *, class_names=None, palette=None, options=None):
    """Overlays of objects, 16-bit maps of segment ids, and segments.json.

    Tables and manifests are those of `predict.folder`. segments.json has, for each
    image, its "segments": "id" in the map, "class_id", "class", "area_px", "is_thing".
    """
    from kerasseg import images, viz
    from kerasseg.files import write_json
    from kerasseg.predict import files, tables
    from kerasseg.predict.options import as_options

    options, content = as_options(PanopticOptions, options), []
    things = things_of(options, semantic.num_classes(model))

    read = files.reader_for(model, options)

    def predict_file(path, targets):
        image = read(path)
        found = predict(model, image, options)
        images.write_image(targets["mask"], found.ids.astype("uint16"))
        shown = to_instances(found, things)
        names = None if class_names is None else class_names[1:]
        image = viz.select_bands(image, options.picture_bands)
        picture = viz.instances(image, shown, class_names=names, labels=False)
        images.write_image(targets["overlay"], picture)
        if "cutout" in targets:
            files.write_cut_out(targets["cutout"], image, shown.masks.any(0))
        segments = _segments(found, things, class_names)
        content.append({"file_name": path.name, "segments": segments})
        return tables.of_segments(found.ids, segments, things)

    jobs = files.plan(inputs, out, files.kinds(("overlay", "mask"), options))
    result = files.run(jobs, predict_file)
    path = jobs.out / "segments.json"
    write_json(path, {"images": content})
    return {**result, "segments": str(path)}


def opacity(task, model, image, options):
    """Where there are things, bool [H, W]: stuff is background."""
    things = things_of(options, semantic.num_classes(model))
    return to_instances(predict(model, image, options), things).masks.any(0)


def rows(found, class_names, options):
    """`predict.tables.Found` of segments; those of things are objects."""
    from kerasseg.predict import tables

    things = things_of(options, len(class_names))
    segments = _segments(found, things, class_names)
    return tables.of_segments(found.ids, segments, things, class_names)


def drawer(class_names, palette, options):
    """Overlays of things, each in a colour of its own, and areas by class."""
    from kerasseg import viz

    things = things_of(options, len(class_names))

    def draw(image, found):
        shown = to_instances(found, things)
        picture = viz.instances(image, shown, labels=False)
        return picture, rows(found, class_names, options)

    return draw


def _segments(found, things, class_names):
    areas = np.bincount(found.ids.ravel(), minlength=len(found.classes) + 1)[1:]
    return [
        {
            "id": number,
            "class_id": class_id,
            "class": str(class_names[class_id] if class_names else class_id),
            "area_px": area,
            "is_thing": class_id in things,
        }
        for number, (class_id, area) in enumerate(
            zip(found.classes.tolist(), areas.tolist()), 1
        )
    ]


def signatures(model, max_pixels, value_range=None):
    """From images to the maps of the model: uint8, float and encoded.

    Grouping is left to the client: `instance.panoptic.decode` needs numpy and scipy.
    """
    from kerasseg.predict import in_graph

    return in_graph.functions(model, dict, max_pixels, value_range)


TASK = dataclasses.replace(
    semantic.TASK,
    name="panoptic",
    about="objects and background together",
    options=PanopticOptions,
    monitor="pq",
    row_score="pq",
    needs_instances=True,
    matches=lambda outputs: outputs >= {"logits", "centers", "offsets"},
    resolve=objects.resolve_objective,
    loss=objects.objective,
    truth=truth,
    predict=predict,
    predict_batch=None,
    ids=lambda found: found.ids,
    opacity=opacity,
    rows=rows,
    scorer=Scorer,
    table=table,
    card=card,
    gallery=gallery,
    folder=folder,
    drawer=drawer,
    signatures=signatures,
    program=objects.program,
    differences=differences.of_maps,
    outputs=OUTPUTS,
    file_options=dict.fromkeys(("score_threshold", "max_objects")),
    choose=lambda task, model, samples, options, recipe: ({}, []),
)
