"""Reading and writing of results.json: one entry per benchmark, with its machine."""

import datetime
import json
import pathlib

from kerasseg import evaluate, files, machine

RESULTS = pathlib.Path(__file__).with_name("results.json")
WITH_ONEDNN = ", with oneDNN"


def recorded(name=None):
    """Entry of one benchmark in results.json, or all entries; {} if there is none."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return results if name is None else results.get(_entry(name), {})


def record(name, result, *, show=True):
    """Write the result of a benchmark into results.json, and print it."""
    results = recorded()
    date = datetime.date.today().isoformat()
    environment = evaluate.environment()
    results[_entry(name)] = {**result, "date": date, "environment": environment}
    text = json.dumps(_rounded(results), indent=1, sort_keys=True) + "\n"
    files.replace(RESULTS, lambda part: part.write_text(text))
    if show:
        print(json.dumps(_rounded(result), indent=1))


def _entry(name):
    """Key of a benchmark: its name, and whether oneDNN, which matters most, is on."""
    return f"{name}{WITH_ONEDNN}" if machine.computes_with_onednn() else name


def ratios(measured, case, reference):
    """Ratios of the CPU and wall time of two cases of `measure`."""
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
