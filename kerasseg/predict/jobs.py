"""One job per image file: what is read, what is written, and what went wrong."""

import os
import pathlib
import time
from typing import NamedTuple

from kerasseg import files, machine, names
from kerasseg.images import failures
from kerasseg.images.listing import named_pictures
from kerasseg.predict import tables

# What is written of each image, and where.
PLACES = {
    "overlay": ("overlays", None),  # PNG, or JPEG if the image is
    "mask": ("masks", ".png"),
    "polygons": ("polygons", ".json"),
    "cutout": ("cutouts", ".png"),
}


class Plan(NamedTuple):
    """Jobs of a prediction.

    Attributes:
        jobs: pairs of an image file and {kind: file to write}.
        out: output folder.
        skipped: paths of the masks that lie beside images.
    """

    jobs: list
    out: pathlib.Path
    skipped: list


def plan(inputs, out, save):
    """`Plan` of image files and folders, with a name of its own for each image.

    Args:
        inputs, out, save: as in `predict.folder`.
    """
    out = pathlib.Path(out)
    names.check_options(save, PLACES, "`save`")
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    pairs, skipped = named_pictures(inputs, out)
    if not pairs:
        masks = f", {len(skipped)} masks" if skipped else ""
        raise ValueError(
            f"`inputs` must be image files or a folder. Received: none{masks}."
        )
    jobs = []
    for name, path in pairs:
        # What is shown like its source, in size as well: overlays of photographs as PNG
        # are huge.
        picture = ".jpg" if path.suffix.lower() in (".jpg", ".jpeg") else ".png"
        targets = {
            kind: out / place / (name + (suffix or picture))
            for kind, (place, suffix) in PLACES.items()
            if kind in save
        }
        jobs.append((path, targets))
    # Results beside their sources, by a link or a folder that is its own parent, too.
    known = {path.resolve() for _, path in pairs}
    for path in (path for _, targets in jobs for path in targets.values()):
        if path.resolve() in known:
            raise ValueError(
                f"`out` must not hold the inputs. Received: out={str(out)!r}, which "
                f"would overwrite {path}."
            )
    return Plan(jobs, out, skipped)


def run(plan, predict_file, on_image=None):
    """Call `predict_file(path, targets)` for each job of a plan; a bad file stops none.

    Writes manifest.json and manifest.csv, and objects.csv and images.csv of the
    `tables.Found` that `predict_file` may return.

    Returns:
        As `predict.folder`.

    Raises:
        ValueError: if nothing can be written to the output folder.
    """
    machine.check_process()
    failures.check_writable(plan.out)
    result, found = {"images": [], "failed": []}, {}
    for index, (path, targets) in enumerate(plan.jobs, 1):
        start, error = time.perf_counter(), None
        try:
            answer = predict_file(path, targets)
            if isinstance(answer, tables.Found):
                found[str(path)] = answer
        except Exception as problem:  # TensorFlow's own, or too little memory, too
            error = failures.describe(problem, path)
        seconds = round(time.perf_counter() - start, 4)
        written = [] if error else [str(target) for target in targets.values()]
        event = {"index": index, "num": len(plan.jobs), "path": str(path)}
        event |= {"error": error, "files": written, "seconds": seconds}
        result["failed" if error else "images"].append(event)
        if on_image is not None:
            on_image(event)
    _write_manifest(plan, result)
    for name, (rows, columns) in tables.rows_of(found).items():
        files.write_csv(plan.out / name, rows, columns)
    if plan.skipped:
        result["skipped"] = [str(path) for path in plan.skipped]
    return result


def _write_manifest(plan, result):
    """Tie each output, a path relative to the folder, to the file it was made of."""
    events = {e["path"]: e for part in ("images", "failed") for e in result[part]}
    rows = []
    for path, targets in plan.jobs:
        event = events[str(path)]
        outputs = {
            kind: target.relative_to(plan.out).as_posix()
            for kind, target in targets.items()
        }
        row = {"source": str(path.absolute()), "error": event["error"]}
        row |= {"seconds": event["seconds"]}
        rows.append({**row, "outputs": {} if event["error"] else outputs})
    skipped = [{"source": str(path.absolute())} for path in plan.skipped]
    content = {"images": rows, "skipped": skipped}
    files.write_json(plan.out / "manifest.json", content)
    flat = [
        {
            "source": row["source"],
            "status": "failed" if row["error"] else "written",
            **row["outputs"],
            "seconds": row["seconds"],
            "error": row["error"] or "",
        }
        for row in rows
    ]
    flat += [{**row, "status": "skipped, a mask"} for row in skipped]
    files.write_csv(plan.out / "manifest.csv", flat)
