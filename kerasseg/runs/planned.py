"""Runs that a plan has begun, to go on with."""

import json
import pathlib

from kerasseg.runs import folder
from kerasseg.runs.folder import PLAN, RunError


def find_planned(out, name, request):
    """The run that a plan for the same request has begun.

    Args:
        out: run folder, or None for any unfinished one in `runs/`.
        name: that folders there begin with.
        request: JSON-able dict, "request" of plan.json.

    Returns:
        Path, or None if there is none yet.

    Raises:
        RunError: if `out` holds anything else.
    """
    if out is None:
        found = sorted(folder.RUNS.glob(f"{name}*"))
        unfinished = [one for one in found if not (one / "results.json").is_file()]
        return next((one for one in unfinished if _request(one) == request), None)
    out = pathlib.Path(out)
    if (out / "recipe.toml").is_file():
        if _request(out) == request:
            return out
        raise RunError(
            f"{out} holds a run of another plan or recipe. Choose another --out, or "
            f"go on with it: kerasseg train {out / 'recipe.toml'} --out {out}."
        )
    folder.check_new(out)
    return None


def _request(run):
    try:
        return json.loads((run / PLAN).read_text(encoding="utf-8"))["request"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
