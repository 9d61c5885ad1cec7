"""Predictions of very many images, some hundred at a time, that go on after any stop.

A shard is a part of the list of images, in order, at most `MOST_IMAGES` of them. All
that is made of shard 7 has its number: masks/000007/NAME.png, images/000007.parquet (a
row for each image, also for one that failed), objects/000007.parquet (a row for each
object) and, of models of objects, instances/000007.json (a COCO file). These tables
appear complete or not at all. Until then, each image that is done has a line in a
journal, so that whoever takes up a shard does what is missing, and nothing twice.

Processes share nothing but the output folder. Two that have the same shard, because one
of them was believed to be dead, write different journals, and the same masks.
"""

import collections
import itertools
import json
import os
import pathlib
import time
import uuid

from kerasseg import files
from kerasseg.images import failures
from kerasseg.images.listing import unique_names
from kerasseg.instance.instances import Instances, annotate
from kerasseg.predict import lists

MOST_IMAGES = 256  # in one shard: as many files as a folder lists at once, and a table
SHARDS_PER_WORKER = 8  # at least, so that all end at about the same time
# An image at which its process died so often, killed by the system for its memory for
# example, would stop the rest for ever.
MOST_DEATHS = 3
PLAN, WORK = "plan.json", "work"
IMAGES = {
    **{"index": "int64", "path": "string", "mask": "string", "error": "string"},
    **{"seconds": "float64", "height": "int32", "width": "int32", "objects": "int32"},
}
OBJECTS = {
    **{"index": "int64", "path": "string", "id": "int32", "class_id": "int32"},
    **{"class": "string", "area_px": "int64"},
    **dict.fromkeys(("x1", "y1", "x2", "y2"), "float64"),
    **dict.fromkeys(("centroid_x", "centroid_y", "score"), "float64"),
}


def plan(inputs, out, about, *, workers=1):
    """Divide a list of images into shards, or take up what was divided before.

    Args:
        inputs: as in `lists.references`.
        out: output folder; gets plan.json and, in work/, the list of each shard.
        about: JSON-able dict of all that decides what is written, but the images.
        workers: how many will work at the same time.

    Returns:
        dict: "images" (their number), "shards" (likewise), and `about`.

    Raises:
        ValueError: if there are no images, they lie in the output folder, or that holds
            other predictions.
    """
    out = pathlib.Path(out)
    failures.check_writable(out)
    about = json.loads(json.dumps(about))  # lists instead of tuples
    if (out / PLAN).is_file() and (found := _taken_up(out, about)):
        return found
    found = iter(lists.references(inputs, out))
    # Of few images, each worker gets some shards.
    parts = SHARDS_PER_WORKER * min(workers, 64)
    first = list(itertools.islice(found, MOST_IMAGES * parts))
    size = -(-len(first) // parts) or 1
    if not first:
        raise ValueError("There must be images to predict. Received: none.")
    found, num, shards = itertools.chain(first, found), 0, 0
    inside = os.path.join(out.absolute(), "")
    while some := list(itertools.islice(found, size)):
        if beside := [path for _, path in some if path.startswith(inside)]:
            raise ValueError(
                "`out` must not hold the inputs. Received: "
                f"out={str(out)!r}, where {beside[0]} is."
            )
        names, paths = zip(*some)
        some = list(zip(unique_names(names), paths))
        _write(_list_of(out, shards), {"begin": num, "images": some})
        num, shards = num + len(some), shards + 1
    found = {"images": num, "shards": shards, **about}
    files.write_json(out / PLAN, found)
    return found


def _taken_up(out, about):
    """The plan that is there; None of another one, of which nothing was begun."""
    try:
        found = json.loads((out / PLAN).read_text(encoding="utf-8"))
        _ = [int(found[key]) for key in ("images", "shards")]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{out / PLAN} must be a plan of predictions. Received: a file that is cut "
            "off, or something else. Choose another --out, or remove this one."
        ) from error
    for key, value in about.items():
        if found.get(key) != value:
            if not any([*(out / WORK).glob("*.jsonl"), *(out / WORK).glob("*.done")]):
                return None
            raise ValueError(
                f"{out} holds predictions with {key}={found.get(key)!r}, which go on "
                f"only as they began. Received: {key}={value!r}. Choose another --out."
            )
    return found


def missing(out, found):
    """Numbers of the shards of a plan that are not complete, in order."""
    done = {path.name for path in pathlib.Path(out, WORK).glob("*.done")}
    return [n for n in range(found["shards"]) if f"{n:06}.done" not in done]


def summaries(out):
    """Iterate over what `run` has returned for the shards that are complete."""
    for path in sorted(pathlib.Path(out, WORK).glob("*.done")):
        yield json.loads(path.read_text(encoding="utf-8"))


def first_paths(out, num=16):
    """The first few paths of the list of images."""
    content = json.loads(_list_of(out, 0).read_text(encoding="ascii"))
    return [path for _, path in content["images"][:num]]


def run(out, number, predict_file, *, columns=(), class_names=()):
    """Predict the images of a shard that are missing, and complete it.

    Args:
        out: output folder, with a plan.
        number: of the shard, from 0.
        predict_file: function of the path of an image and that of the mask to write;
            returns (`tables.Found`, what was found: `Instances` also become COCO).
        columns: of the areas of classes in the table of images.
        class_names: of the categories of COCO documents.

    Returns:
        dict: "shard", "images" (their number), and "failed", list of {"path", "error"}.

    Raises:
        files.WriteError: if the output cannot be written. What is wrong with one image
            is in its row.
    """
    out = pathlib.Path(out)
    content = json.loads(_list_of(out, number).read_text(encoding="ascii"))
    rows, begun = _journalled(out, number)
    journal = out / WORK / f"{number:06}-{uuid.uuid4().hex}.jsonl"
    for index, (name, path) in enumerate(content["images"]):
        if index in rows:
            continue
        _log(journal, {"begin": index})
        if begun[index] < MOST_DEATHS:
            mask = f"masks/{number:06}/{name}.png"
            row = _row(predict_file, path, out, mask)
        else:
            row = {"error": f"{path}: the process died at it {begun[index]} times."}
        rows[index] = {"index": content["begin"] + index, "path": path, **row}
        _log(journal, {"end": index, "row": rows[index]})
    rows = [rows[index] for index in sorted(rows)]
    _write_tables(out, number, rows, columns, class_names)
    failed = [{key: x[key] for key in ("path", "error")} for x in rows if x["error"]]
    summary = {"shard": number, "images": len(rows), "failed": failed}
    _write(out / WORK / f"{number:06}.done", summary)
    for path in (out / WORK).glob(f"{number:06}-*.jsonl"):
        path.unlink(missing_ok=True)
    files.remove_leftovers(out / "masks" / f"{number:06}")
    return summary


def _row(predict_file, path, out, mask):
    start, row = time.perf_counter(), {"mask": mask, "error": None}
    try:
        table, found = predict_file(path, out / mask)
        row |= {"areas": table.image, "found": table.objects}
        if isinstance(found, Instances):
            row["coco"] = {"images": [], "annotations": []}
            annotate(row["coco"], found, file_name=path)
    except files.WriteError:
        raise  # a full disk is no fault of the image
    except Exception as problem:  # TensorFlow's own, or too little memory, too
        row = {"error": failures.describe(problem, path)}
    return {**row, "seconds": round(time.perf_counter() - start, 4)}


def _journalled(out, number):
    """Rows by index in the shard, and how often the others were begun."""
    rows, begun = {}, collections.Counter()
    for path in sorted((out / WORK).glob(f"{number:06}-*.jsonl")):
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # the process died while it wrote this line
                continue
            if "end" in entry:
                rows[entry["end"]] = entry["row"]
            else:
                begun[entry["begin"]] += 1
    return rows, begun


def _write_tables(out, number, rows, columns, class_names):
    images = [{**row, **row.get("areas", {})} for row in rows]
    objects = [
        {**one, "index": row["index"], "path": row["path"]}
        for row in rows
        for one in row.get("found", ())
    ]
    documents = [(row["index"] + 1, row["coco"]) for row in rows if row.get("coco")]
    if documents:
        place = out / "instances" / f"{number:06}.json"
        files.write_json(place, _joined(documents, class_names))
    write_table(out / "objects" / f"{number:06}.parquet", objects, OBJECTS)
    areas = dict.fromkeys(columns, "int64")
    write_table(out / "images" / f"{number:06}.parquet", images, IMAGES | areas)


def _joined(documents, class_names):
    """One COCO document; ids of images are those of the whole list, from 1."""
    names = enumerate(map(str, class_names), 1)
    content = {"images": [], "annotations": []}
    for number, document in documents:
        content["images"] += [{**one, "id": number} for one in document["images"]]
        for one in document["annotations"]:
            own = {"id": len(content["annotations"]) + 1, "image_id": number}
            content["annotations"].append({**one, **own})
    content["categories"] = [{"id": i, "name": name} for i, name in names]
    return content


def write_table(path, rows, columns):
    """Write dicts as Parquet, atomically.

    Args:
        path: file to write.
        rows: list of dicts; what is missing or "" is null.
        columns: dict from the name of each column to its type, as pyarrow calls it.
            Given, because a column of nulls would have another one in each file.
    """
    arrow = lists.parquet()
    arrays = {
        name: arrow.array([_cell(row.get(name)) for row in rows], kind)
        for name, kind in columns.items()
    }
    table = arrow.table(arrays)
    files.replace(path, lambda part: arrow.parquet.write_table(table, part))


def _cell(value):
    if isinstance(value, str):  # Linux has names that are no Unicode
        value = value.encode(errors="backslashreplace").decode()
    return None if value == "" else value


def _list_of(out, number):
    return pathlib.Path(out, WORK, f"{number:06}.json")


def _write(path, content):
    # ASCII, so that names that are no Unicode come back as they are. Not durable: what
    # is lost with the power is made again.
    text = json.dumps(content)
    files.replace(path, lambda part: part.write_text(text), durable=False)


def _log(journal, entry):
    """Add a line, which outlives this process."""
    with files.explained(journal), open(journal, "a", encoding="ascii") as file:
        file.write(json.dumps(entry) + "\n")
