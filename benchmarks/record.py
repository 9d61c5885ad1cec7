"""Where the numbers go: results.json, one entry a benchmark, with its machine."""

import datetime
import json
import pathlib

from kerasseg import evaluate, files, machine

RESULTS = pathlib.Path(__file__).with_name("results.json")
WITH_ONEDNN = ", with oneDNN"


def recorded(name=None):
    """What results.json says of a benchmark, or of all; {} if nothing."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return results if name is None else results.get(_entry(name), {})


def record(name, result, *, show=True):
    """Put a benchmark's result into results.json, and print it."""
    results = recorded()
    date = datetime.date.today().isoformat()
    environment = evaluate.environment()
    results[_entry(name)] = {**result, "date": date, "environment": environment}
    text = json.dumps(_rounded(results), indent=1, sort_keys=True) + "\n"
    files.replace(RESULTS, lambda part: part.write_text(text))
    if show:
        print(json.dumps(_rounded(result), indent=1))


def _entry(name):
    """Name of a benchmark, and of the flag that changes its numbers most."""
    return f"{name}{WITH_ONEDNN}" if machine.computes_with_onednn() else name


def ratios(measured, case, reference):
    """CPU and wall time of a case as multiples of another's."""
    return {
        kind: measured[case][f"{kind}_ms_per_image"]
        / measured[reference][f"{kind}_ms_per_image"]
        for kind in ("cpu", "wall")
    }


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
