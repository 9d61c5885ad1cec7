"""Very many images: paths from folders and lists, in order, a few at a time."""

import itertools
import os
import pathlib

from kerasseg.images.listing import find_pictures
from kerasseg.images.read import EXTENSIONS

TEXTS = (".txt", ".lst")
TABLES = (".parquet", ".pq")
COLUMN = "path"
ROWS = 4096  # of a table, read at once


def references(inputs, leave_out=None):
    """Iterate over image files, without a look at most of them.

    Lists are read bit by bit, so that memory does not grow with their length; folders
    of images are searched first, as `images.find_pictures` does, which takes some
    hundred bytes for each image.

    Args:
        inputs: a path, or a list of paths. Image files; folders of images; text files
            (.txt, .lst) of UTF-8 with a path on each line (one that begins with # is a
            comment, unless there is such a file); tables (.parquet, .pq, or a folder of
            them) with a column "path". Paths in lists and tables are relative to their
            folder.
        leave_out: folder of earlier results, which is not searched.

    Yields:
        (name, absolute path as str): the name is the path inside the folder, or the
        file's own, without extension.

    Raises:
        ValueError: if an input is none of these, or a table has no such column.
        ImageError: if there is no such folder.

    Example:
        >>> import tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "list.txt"
        >>> _ = path.write_text("# of May\\na/one.jpg\\n\\n/data/two.png\\n")
        >>> [(name, path[-9:]) for name, path in references(path)]
        [('one', 'a/one.jpg'), ('two', 'a/two.png')]
    """
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    for path in map(pathlib.Path, given):
        kind, is_folder = path.suffix.lower(), path.is_dir()
        folder = path if is_folder else path.parent
        if is_table(path):
            yield from _named(folder, _paths_of_table(path))
        elif is_folder:
            for name, picture in find_pictures(path, leave_out)[0]:
                yield name, str(picture.absolute())
        elif kind in TEXTS:
            yield from _named(folder, _lines(path))
        elif kind in EXTENSIONS:
            yield path.stem, str(path.absolute())
        else:
            raise ValueError(
                "Images must be files, folders, text files (.txt, .lst) with a path on "
                f"each line, or Parquet with a column {COLUMN!r}. Received: {path}."
            )


def check_none(inputs):
    """Refuse lists of images where only images are read.

    Raises:
        ValueError: names the list, and how it can be given.
    """
    for path in map(str, inputs):  # the number of a camera, too
        if pathlib.Path(path).suffix.lower() in (*TEXTS, *TABLES):
            raise ValueError(
                "A list of images needs --on here, or runs.predict_many. "
                f"Received: {path}."
            )


def is_table(path):
    """Whether a path is a Parquet file, or a folder with one in it."""
    if path.suffix.lower() in TABLES:
        return True
    return path.is_dir() and any(
        one.suffix.lower() in TABLES for one in itertools.islice(path.iterdir(), 100)
    )


def _named(folder, paths):
    for text in paths:
        # What is absolute stays so; os.path, because pathlib takes five times as long.
        path = os.path.abspath(os.path.join(folder, text))
        yield os.path.splitext(os.path.basename(path))[0], path


def _lines(path):
    try:
        # -sig: the mark that Windows puts first is no part of a path.
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            for line in file:
                text = line.strip()
                if text and not (text.startswith("#") and not _is_there(path, text)):
                    yield text
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error


def _is_there(path, text):
    """Whether a line names a file, though it looks like a comment."""
    return os.path.exists(os.path.join(os.path.dirname(path), text))


def _paths_of_table(path):
    arrow = parquet()
    import pyarrow.dataset

    try:
        table = pyarrow.dataset.dataset(path, format="parquet")
        names = table.schema.names
    except (OSError, arrow.ArrowInvalid) as error:
        text = str(error).splitlines()[0]
        raise ValueError(f"{path} must be Parquet. Received: {text}") from error
    if COLUMN not in names:
        raise ValueError(
            f"{path} must have a column {COLUMN!r} of image files. Received the "
            f"columns: {', '.join(names)}."
        )
    # Whole row groups would be read ahead otherwise, 16 at a time.
    ahead = {"batch_readahead": 1, "fragment_readahead": 1}
    for batch in table.to_batches(columns=[COLUMN], batch_size=ROWS, **ahead):
        for text in batch.column(0).to_pylist():
            if not isinstance(text, str):
                raise ValueError(
                    f"{COLUMN!r} of {path} must be text in each row. Received: "
                    f"{text!r}."
                )
            yield text


def parquet():
    """The package pyarrow, or an ImportError that says how to install it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Tables in Parquet need pyarrow. Fix: pip install 'kerasseg[ray]'"
        ) from error
    return pyarrow
