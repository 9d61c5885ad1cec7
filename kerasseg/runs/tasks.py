"""What differs between runs of class maps and runs of objects."""

import dataclasses
from collections.abc import Callable

from kerasseg import recipes


@dataclasses.dataclass(frozen=True)
class Task:
    """How the models of a recipe are scored, pictured and used.

    Attributes:
        monitor: the score of a validation that decides which weights are best.
        score: (model, samples, **options) -> result, a dict ready for JSON.
        table: result -> text.
        gallery: (model, samples, result, **options) -> picture.
        folder: as `predict.folder`.
        save: what it writes.
        finds_objects: whether training wants objects instead of labels. Such models do
            not give the background as a class.
    """

    monitor: str
    score: Callable
    table: Callable
    gallery: Callable
    folder: Callable
    save: tuple
    finds_objects: bool


def task_of(recipe):
    """The `Task` of a resolved recipe."""
    return _semantic() if recipes.task(recipe) == "semantic" else _objects()


def _semantic():
    from kerasseg import evaluate, predict

    return Task(
        monitor="mean_iou",
        score=evaluate.class_maps,
        table=evaluate.table,
        gallery=evaluate.gallery,
        folder=predict.folder,
        save=("overlay", "mask", "polygons"),
        finds_objects=False,
    )


def _objects():
    from kerasseg import evaluate, predict

    return Task(
        monitor="mask_ap",
        score=evaluate.instances,
        table=evaluate.instance_table,
        gallery=evaluate.instance_gallery,
        folder=predict.folder_of_instances,
        save=("overlay", "mask"),
        finds_objects=True,
    )
