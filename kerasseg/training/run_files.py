"""The files of a run folder: checkpoints, history and best weights."""

import dataclasses
import math
import os
import pathlib

import tensorflow as tf

from kerasseg import files
from kerasseg.training import checkpoints
from kerasseg.training.history import History


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """The folder of a run, and the options of its files.

    Attributes:
        path: the folder; made if missing.
        save_every: write a checkpoint every so many steps, besides those of the epochs.
        log_every: write a history row every so many steps, besides those of the epochs.
        tensorboard: also write TensorBoard scalars.
    """

    path: os.PathLike | str
    save_every: int | None = None
    log_every: int | None = None
    tensorboard: bool = False


class RunFiles:
    """Access to the files of a run; without a folder nothing is read or written.

    Args:
        folder: RunFolder or None.
        is_writer: False in all workers but the first, which share the folder: they
            read the checkpoint and write nothing.

    Attributes:
        folder: as given.
        is_writer: whether this process writes into it.
        saved_step: position of the newest checkpoint that is up to date, or None.
    """

    def __init__(self, folder, is_writer):
        self.folder = folder
        self.is_writer = is_writer and folder is not None
        self.saved_step = None
        if folder is not None:
            self._path = pathlib.Path(folder.path)
            self._history = History(self._path / "history.jsonl")

    def saves_at(self, step):
        """Whether a checkpoint is due at this step, besides those of the epochs."""
        every = self.folder and self.folder.save_every
        return bool(every) and step % every == 0

    def logs_at(self, step):
        """Whether a row is due at this step, besides those of the epochs."""
        every = self.folder and self.folder.log_every
        return bool(every) and step % every == 0

    def load_checkpoint(self, variables):
        """Set variables to the newest checkpoint.

        Returns:
            (its path, the JSON values saved with it), or None without a checkpoint.
        """
        if self.folder is None:
            return None
        path = checkpoints.latest(self._path / "checkpoints")
        if path is None:
            return None
        self.saved_step, extra = checkpoints.load(path, variables)
        if self.is_writer:
            checkpoints.prune(path.parent)  # a kill after a save left a third one
        return path, extra

    def save_checkpoint(self, step, variables, extra):
        """Write a checkpoint, unless this step has one.

        Returns:
            Its path, or None if nothing was written.
        """
        if not self.is_writer or self.saved_step == step:
            return None
        path = checkpoints.save(self._path / "checkpoints", step, variables, extra)
        self.saved_step = step
        return path

    def lacks_best_weights(self):
        """Whether this process must write the best weights, which are not there."""
        return self.is_writer and not (self._path / "best.weights.h5").exists()

    def save_best_weights(self, model):
        """Write the weights of the model; return their path, or None.

        Raises:
            files.WriteError: if they cannot be written.
        """
        if not self.is_writer:
            return None
        path = self._path / "best.weights.h5"

        def write(temporary):
            # HDF5 1.14 ends the process by a segmentation fault on a full disk. A
            # weight takes 2 kB besides its numbers.
            size = sum(_num_bytes(weight) + 4096 for weight in model.weights)
            files.reserve(temporary, size + 65536)
            model.save_weights(temporary)

        files.replace(path, write)
        return path

    def append_row(self, row):
        """Add a row to the history."""
        if self.is_writer:
            self._history.append(row)

    def truncate_history(self, step, max_rows):
        """Drop the rows after a step; return the number of those that stay."""
        self._history.truncate_after(step, max_rows=max_rows)
        return len(self._history.rows())


def _num_bytes(weight):
    return math.prod(weight.shape) * tf.as_dtype(weight.dtype).size
