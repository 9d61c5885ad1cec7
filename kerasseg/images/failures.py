"""One line about a file of many that failed, and the check of the output folder."""

import tempfile

from kerasseg import files


def check_writable(out):
    """Refuse an output folder before any work, if nothing can be written to it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ValueError(
            "The output must be a folder that can be written to. Received: "
            f"{out}: {error.strerror or error}. Choose another --out."
        ) from error


def describe(problem, path):
    """One line about what went wrong with a file, with its path."""
    text = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    if isinstance(problem, MemoryError):
        text = f"the memory does not suffice: {text}"
    if isinstance(problem, files.WriteError):
        return f"{path}: the output cannot be written: {text}"
    if not isinstance(problem, (ValueError, OSError, MemoryError)):
        text = f"{type(problem).__name__}: {text}"
    return text if str(path) in text else f"{path}: {text}"
