"""The log of a run: one JSON object per line, safe to cut off at any byte."""

import json
import math
import os
import pathlib

import numpy as np

from kerasseg import files


class History:
    """Rows of numbers in a JSON-lines file.

    Args:
        path: file to append to; its folder is made if missing.

    Example:
        >>> import tempfile
        >>> history = History(tempfile.mkdtemp() + "/history.jsonl")
        >>> history.append({"step": 10, "loss": 0.5})
        >>> history.rows()
        [{'step': 10, 'loss': 0.5}]
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, row):
        """Add one row; it is on the disk when this returns.

        Args:
            row: dict of JSON values and NumPy or tensor scalars and arrays. Numbers
                that are not finite become null, which every JSON reader accepts.

        Raises:
            files.WriteError: if it cannot be written, for example on a full disk.
        """
        line = json.dumps(_plain(row), allow_nan=False).encode() + b"\n"
        with files.explained(self.path), open(self.path, "a+b") as file:
            if file.tell():  # "a+b" begins at the end
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a crash cut the last line off
                    line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def rows(self):
        """Return the complete rows, oldest first; [] if there is no file.

        A line that is no JSON object (cut off by a crash) is left out.
        """
        return [row for _, row in self._lines()]

    def truncate_after(self, step, *, max_rows=None):
        """Drop the rows of later steps, and incomplete lines, before a run resumes.

        Args:
            step: the position the run resumes at; rows up to it stay.
            max_rows: number of rows at that moment, if known: a row of the same step
                may have been written after the checkpoint.
        """
        if not self.path.exists():
            return
        kept = [line for line, row in self._lines() if row.get("step", 0) <= step]
        kept = kept[:max_rows]
        text = "".join(line + "\n" for line in kept).encode()
        if text != self.path.read_bytes():
            files.replace(self.path, lambda temporary: temporary.write_bytes(text))

    def _lines(self):
        if not self.path.exists():
            return
        # A line that a crash cut off may end within a character.
        text = self.path.read_bytes().decode("utf-8", errors="replace")
        for line in text.split("\n"):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict) and isinstance(row.get("step", 0), int):
                yield line, row


def _plain(value):
    """Turn nested rows into values of JSON."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise TypeError(
            "A history row holds numbers, text, lists and dicts. "
            f"Received: {type(value).__name__}."
        )
    if array.dtype.kind not in "biuU":
        array = array.astype("float64")  # bfloat16 is no Python number
    return _plain(array.tolist())
