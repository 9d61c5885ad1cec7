"""Predictions of very many images, by this process or by many."""

import os
import pathlib

from kerasseg import files
from kerasseg.runs import on_ray, use
from kerasseg.runs.workers import Worker
from kerasseg.weights import catalog

MOST_TOLD = 1000  # failures in a report; all are in the tables


def predict_many(
    run, inputs, out, options=None, *, on="here", workers=None, gpus=0.0, on_shard=None
):
    """Predict images of folders and lists; the same call goes on after a stop.

    Memory does not grow with the number of images in lists.

    Args:
        run, options: as in `runs.predict`.
        inputs: as in `predict.lists.references`. Those of the first call count: what
            comes into a folder later is not seen, and a list that has changed needs
            another `out`.
        out: folder; gets masks/ (PNG, as those of `predict.folder`), images/ and
            objects/ (Parquet) and instances/ (COCO, of models of objects), see
            `predict.shards`, work/ and plan.json.
        on: "here" for this process; "ray" for several processes of this machine;
            "ray=ADDRESS" for those of a cluster, see `on_ray.completed`. There, run and
            images must have the same paths on all machines, as must `out`.
        workers, gpus: number of processes, and GPUs for each, as in `on_ray.completed`.
        on_shard: function of a dict, called at the beginning and after each shard:
            "images" (done by now), "num" (of all) and "failed" (of this shard).

    Returns:
        dict: "images" (their number, without those that failed), "num_failed",
        "failed" (list of {"path", "error"}, the first 1000), "out".

    Raises:
        ImportError: without pyarrow, or without Ray where it is asked for.
        ValueError: if there are no images, or for options that are wrong or belong to
            another process, and as `predict.shards.plan`.
        files.WriteError: if the output cannot be written.
    """
    from kerasseg.predict import lists, shards

    place, _, address = on.partition("=")
    _check(place, on, workers, gpus)
    lists.parquet()  # the error for a missing extra comes first
    paths = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    paths = [os.path.abspath(path) for path in paths]
    if use.check_prediction(run, options).cut_outs:
        raise ValueError("Of very many images no cut-outs are written: --no-cut-outs.")
    run, about = _identity(run)
    about |= {"options": options or {}, "inputs": paths}
    about["lists"] = [files.sha256(path) for path in paths if os.path.isfile(path)]
    expected = workers or (os.cpu_count() if place == "ray" and not address else 64)
    expected = 1 if place == "here" else expected
    plan = shards.plan(paths, out, about, workers=expected)
    left = shards.missing(out, plan)
    worker = {"run": run, "options": options, "out": os.path.abspath(out)}
    if place == "ray":
        cluster = {"address": address or None, "workers": workers, "gpus": gpus}
        found = on_ray.completed(left, worker, **cluster)
    else:
        found = _completed_here(left, worker)
    report = {"images": 0, "num_failed": 0, "failed": [], "out": str(out)}
    for summary in shards.summaries(out):
        _add(report, summary)
    if on_shard is not None:
        on_shard(_event(report, plan, []))
    for summary in found if left else ():
        _add(report, summary)
        if on_shard is not None:
            on_shard(_event(report, plan, summary["failed"]))
    return report


def _completed_here(numbers, place):
    worker = Worker(**place)
    for number in numbers:
        yield worker(number)


def _add(report, summary):
    failed = summary["failed"]
    report["images"] += summary["images"] - len(failed)
    report["num_failed"] += len(failed)
    report["failed"] += failed[: MOST_TOLD - len(report["failed"])]


def _event(report, plan, failed):
    done = report["images"] + report["num_failed"]
    return {"images": done, "num": plan["images"], "failed": failed}


def _identity(run):
    """A run as other processes find it, and what tells its weights from others."""
    if isinstance(run, catalog.Entry):
        run.path()  # one download, not one for each worker
        return run, {"model": run.name, "weights": run.sha256}
    several = isinstance(run, (list, tuple))
    paths = [os.path.abspath(one) for one in (run if several else [run])]
    stats = [pathlib.Path(one, "best.weights.h5").stat() for one in paths]
    weights = [[one.st_size, one.st_mtime] for one in stats]
    return paths if several else paths[0], {"model": paths, "weights": weights}


def _check(place, on, workers, gpus):
    if place not in ("here", "ray") or (place == "here" and on != place):
        raise ValueError(
            f"`on` must be 'here', 'ray' or 'ray=ADDRESS'. Received: {on!r}."
        )
    if workers is not None and workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers}.")
    if not 0 <= gpus < float("inf"):
        raise ValueError(f"`gpus` must be 0 or more. Received: {gpus}.")
    if place == "here" and (workers not in (None, 1) or gpus):
        raise ValueError("Workers and GPUs are given to on='ray' only.")
