"""results.json: scores, and what a number needs beside it."""

import datetime
import json

from kerasseg import files
from kerasseg.machine import environment


def write_results(path, result, *, split=None, seeds=()):
    """Write results.json: the scores and everything that a number needs beside it.

    Args:
        path: file to write; it appears complete or not at all.
        result: of `evaluate.score`; more keys are kept.
        split: name of the split that was measured.
        seeds: seeds of the training runs behind the number.

    Returns:
        dict as written: `result`, "split", "seeds", "date" (UTC) and "environment".
    """
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts = {"split": split, "seeds": list(seeds), "date": date}
    content = {**result, **facts, "environment": environment()}
    # NaN is no JSON; scorers give None where there is nothing to score.
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    files.replace(path, lambda part: part.write_text(text, encoding="utf-8"))
    return content
