"""A model that is loaded once and predicts one shard of many images after another."""

import contextlib

from kerasseg import images
from kerasseg.runs import use


class Worker:
    """Completes shards of an output folder with a plan, see `predict.shards`.

    Args:
        run, options: as in `runs.predict`.
        out: output folder.
    """

    def __init__(self, run, options, out):
        from kerasseg.predict import files, shards, tables

        self.model, self.task, look, self.options = use.ready(run, options)
        self.out, self.class_names = out, look["class_names"]
        self.columns = tables.class_columns(self.class_names)
        if self._is_class_map():
            del self.columns[0]  # regions of the background are no objects
        self._read = files.reader_for(self.model, self.options)
        # Where no range of values is given, the first file that tells decides about all
        # others: each worker asks the same files first.
        for path in shards.first_paths(out):
            with contextlib.suppress(Exception):
                self._read(path)

    def __call__(self, number):
        """Complete the shard of a number; returns as `shards.run`."""
        from kerasseg.predict import shards

        names = {"columns": self.columns, "class_names": self.class_names}
        return shards.run(self.out, number, self._predict_file, **names)

    def _predict_file(self, path, mask):
        found = self.task.predict(self.model, self._read(path), self.options)
        ids = self.task.ids(found)
        if self._is_class_map():
            images.write_mask(mask, ids)
        else:  # of one type, however few the objects are
            images.write_image(mask, ids.astype("uint16"))
        return self.task.rows(found, self.class_names, self.options), found

    def _is_class_map(self):
        return self.task.name == "semantic"
