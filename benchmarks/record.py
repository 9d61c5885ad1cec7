"""Where the numbers go: results.json, one entry a benchmark, with its machine."""

import datetime
import json
import pathlib

from kerasseg import evaluate, files

RESULTS = pathlib.Path(__file__).with_name("results.json")


def record(name, result):
    """Print a benchmark's result and put it into results.json."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    date = datetime.date.today().isoformat()
    results[name] = {**result, "date": date, "environment": evaluate.environment()}
    text = json.dumps(_rounded(results), indent=1, sort_keys=True) + "\n"
    files.replace(RESULTS, lambda part: part.write_text(text))
    print(json.dumps(_rounded(result), indent=1))


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
