"""Sequence of samples, the common type of all data sets."""

import bisect
import collections
import dataclasses
import functools
import itertools
import operator
import pathlib
from collections.abc import Callable

import numpy as np

from kerasseg.images.values import check_range
from kerasseg.names import bounded, look_up


@dataclasses.dataclass(frozen=True)
class Samples:
    """Sequence of samples that are read on demand.

    A sample is a dict: `image` uint8, uint16 or float32 [H, W, C]; `label` int32 [H, W]
    of class ids; for instances also `classes` int32 [M], and `masks` bool [M, H, W] or
    `instances` int32 [L, H, W], maps of ids 1..M where objects overlap L deep.

    Args:
        names: one per sample, unique, for messages and names of output files.
        read: function of an index 0..len - 1 that returns the sample.
        classes: class names; the position is the class id.
        ignore_label: the id of pixels without a class.
        colors: (r, g, b) of each class, for pictures and palettes, or None.
        files: (image file, mask file) of each sample, or None.
        notes: sentences about what was left out of the data, for `check`.
        value_range: (black, white), the numbers of the images that mean so; None where
            dtype and numbers tell, see `images.values`.
        weights: how often each sample is drawn in training, relative to the others, or
            None for all alike; see `balance`.
        splits: where the data set itself has splits and all were read, the name of that
            of each sample, such as "val", or None for those in no split.

    Example:
        >>> import numpy as np
        >>> blank = {"image": np.zeros((2, 3, 3), np.uint8),
        ...          "label": np.zeros((2, 3), np.int32)}
        >>> samples = Samples(("a", "b"), lambda index: blank, ("background",))
        >>> len(samples), samples[1]["label"].shape, samples.subset([1]).names
        (2, (2, 3), ('b',))
    """

    names: tuple[str, ...]
    read: Callable[[int], dict]
    classes: tuple[str, ...]
    ignore_label: int = 255
    colors: tuple[tuple[int, int, int], ...] | None = None
    files: tuple[tuple[pathlib.Path, pathlib.Path], ...] | None = None
    notes: tuple[str, ...] = ()
    value_range: tuple[float, float] | None = None
    weights: tuple[float, ...] | None = None
    splits: tuple[str | None, ...] | None = None

    def __post_init__(self):
        if len(set(self.names)) != len(self.names):
            twice = collections.Counter(self.names).most_common(1)[0][0]
            raise ValueError(f"`names` must be unique. Received: {twice!r} twice.")
        lengths = dict.fromkeys(("files", "splits"), len(self.names))
        for name, length in (lengths | {"colors": len(self.classes)}).items():
            value = getattr(self, name)
            if value is not None and len(value) != length:
                raise ValueError(
                    f"`{name}` must have {length} entries. Received: {len(value)}."
                )

    def __repr__(self):
        some = ", ".join([*map(repr, self.names[:3]), *["..."] * (len(self) > 3)])
        return f"Samples({len(self)}: {some}; classes={self.classes})"

    def with_weights(self, weights):
        """The same samples, drawn as often in training as these weights say.

        Args:
            weights: one positive number per sample, of any sum; None for all alike.

        Returns:
            Samples. An epoch stays as long: with weights 3 and 1, three of four draws
            are of the first sample.

        Raises:
            ValueError: if they do not fit.

        Example:
            >>> samples = Samples(("a", "b"), lambda index: {}, ("ground",))
            >>> samples.with_weights([3, 1]).weights
            (3.0, 1.0)
        """
        if weights is not None:
            weights = tuple(map(float, weights))
            fits = all(0 < x < float("inf") for x in weights)
            if not fits or len(weights) != len(self):
                raise ValueError(
                    f"`weights` must be {len(self)} positive numbers, one per sample. "
                    f"Received: {len(weights)}, {weights[:5]}."
                )
        return dataclasses.replace(self, weights=weights)

    def followed_by(self, other, *, prefixes=("train", "val")):
        """These samples and then others of the same data.

        Args:
            other: Samples; their classes must be among those of these.
            prefixes: where names occur in both, folders to put in front of all names.

        Returns:
            Samples without weights.

        Example:
            >>> one = Samples(("a",), lambda index: index, ("ground",))
            >>> both = one.followed_by(one)
            >>> both.names, both[1]
            (('train/a', 'val/a'), 0)
        """
        both = join(dict(zip(prefixes, (self, other))))
        return dataclasses.replace(both, splits=None)

    def with_range(self, value_range):
        """The same samples whose images have this range: (black, white), or None."""
        if value_range is not None:
            value_range = check_range(value_range)
        return dataclasses.replace(self, value_range=value_range)

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return self.read(self._position(index))

    def subset(self, indices):
        """The samples at `indices`, in that order.

        Args:
            indices: integers, each once; negative ones count from the end.

        Returns:
            Samples.

        Raises:
            IndexError: if there is no such sample.
        """
        indices = tuple(self._position(index) for index in indices)
        return dataclasses.replace(
            self,
            names=tuple(self.names[index] for index in indices),
            read=functools.partial(_read_at, self.read, indices),
            files=self.files and tuple(self.files[index] for index in indices),
            weights=self.weights and tuple(self.weights[index] for index in indices),
            splits=self.splits and tuple(self.splits[index] for index in indices),
        )

    def only(self, names):
        """The same samples with some of the classes: the others are background.

        Args:
            names: of the classes to keep, in the order of their new ids from 1 on. The
                first class, the background, stays.

        Returns:
            Samples.

        Raises:
            ValueError: if a name is unknown; with the nearest.

        Example:
            >>> import numpy as np
            >>> label = {"label": np.array([[0, 1, 2, 255]], np.int32)}
            >>> samples = Samples(("a",), lambda i: label, ("ground", "fig", "date"))
            >>> samples.only(["date"])[0]["label"].tolist()
            [[0, 0, 1, 255]]
        """
        ids = {name: number for number, name in enumerate(self.classes)}
        kept = [0, *(look_up(name, ids, "class") for name in names)]
        places = tuple(kept.index(i) if i in kept else 0 for i in ids.values())
        return dataclasses.replace(
            self,
            read=functools.partial(_read_only, self.read, places),
            classes=tuple(self.classes[number] for number in kept),
            colors=self.colors and tuple(self.colors[number] for number in kept),
        )

    def with_classes(self, classes):
        """The same samples with the class ids of another list of names.

        Args:
            classes: class names; those of these samples must be among them.

        Returns:
            Samples; `label` and `classes` of each are mapped by name.

        Raises:
            ValueError: if a name is missing.

        Example:
            >>> import numpy as np
            >>> label = {"label": np.array([[0, 1, 255]], np.int32)}
            >>> samples = Samples(("a",), lambda index: label, ("ground", "fig"))
            >>> samples.with_classes(("ground", "date", "fig"))[0]["label"].tolist()
            [[0, 2, 255]]
        """
        classes = tuple(map(str, classes))
        if classes == self.classes:
            return self
        unknown = [name for name in self.classes if name not in classes]
        if unknown:
            raise ValueError(
                "All samples must have the classes of the training. Received: "
                f"{bounded(', '.join(unknown), 1000)}, which is not among "
                f"{bounded(', '.join(classes), 1000)}. Fix: give both sides the same "
                "categories."
            )
        ids = [classes.index(name) for name in self.classes]
        return dataclasses.replace(
            self,
            read=functools.partial(_read_mapped, self.read, tuple(ids)),
            classes=classes,
            colors=None,
        )

    def _position(self, index):
        if isinstance(index, slice):
            raise TypeError(
                "Samples are read one by one. "
                f"Received: {index}. Use `samples.subset(range(...))`."
            )
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(
                f"`index` must be within -{len(self)}..{len(self) - 1}. "
                f"Received: {index}."
            )
        return position % len(self)


def _read_mapped(read, ids, index):
    sample = dict(read(index))
    # Ids beyond the names, such as the ignored one, stay.
    for key in {"label", "classes"} & sample.keys():
        values = np.asarray(sample[key])
        known = (values >= 0) & (values < len(ids))
        mapped = np.asarray(ids, values.dtype)[np.where(known, values, 0)]
        sample[key] = np.where(known, mapped, values).astype(values.dtype)
    return sample


def join(parts):
    """Samples of several splits of one data set, one after the other.

    Args:
        parts: {name of a split: Samples}; the classes of all must be among those of the
            first.

    Returns:
        Samples with `splits`. Where a name occurs in two, all begin with their split:
        "train/a".

    Raises:
        ValueError: if classes differ.

    Example:
        >>> one = Samples(("a",), lambda index: index, ("ground",))
        >>> both = join({"train": one, "test": one})
        >>> both.names, both.splits, both[1]
        (('train/a', 'test/a'), ('train', 'test'), 0)
    """
    first = next(iter(parts.values()))
    every = [one.with_classes(first.classes) for one in parts.values()]
    names = [name for one in every for name in one.names]
    if len({*names}) < len(names):
        names = [f"{split}/{name}" for split in parts for name in parts[split].names]
    known = all(one.files for one in every)
    return dataclasses.replace(
        first,
        names=tuple(names),
        read=functools.partial(_read_joined, [one.read for one in every], _ends(every)),
        files=tuple(pair for one in every for pair in one.files) if known else None,
        notes=tuple(dict.fromkeys(note for one in every for note in one.notes)),
        weights=None,
        splits=tuple(split for split in parts for _ in parts[split].names),
    )


def _ends(parts):
    return list(itertools.accumulate(map(len, parts)))


def _read_joined(reads, ends, index):
    place = bisect.bisect_right(ends, index)
    return reads[place](index - (ends[place - 1] if place else 0))


def _read_only(read, ids, index):
    """A sample with class ids of other numbers, without the objects of class 0."""
    sample = _read_mapped(read, ids, index)
    if "classes" not in sample:
        return sample
    keep = sample["classes"] > 0
    if "instances" in sample:
        numbers = np.concatenate([[0], np.where(keep, np.cumsum(keep), 0)])
        sample["instances"] = numbers[sample["instances"]].astype("int32")
    for key in {"classes", "crowd", "boxes", "areas", "masks"} & sample.keys():
        sample[key] = np.asarray(sample[key])[keep]
    return sample


def _read_at(read, indices, index):
    return read(indices[index])
