"""Which architecture works in which format: measured, and written into the docs.

    python scripts/format_table.py            # all: about a minute of CPU time for each
    python scripts/format_table.py unet pan   # some; the others stay as they are

Needs pip install 'kerasseg[onnx,openvino,litert]'. Every architecture, with untrained
weights on the encoder `tiny`, is written in every format, opened by its runtime, and
compared with TensorFlow's answer on noise of two sizes and on a photograph.
"""

import argparse
import importlib.metadata
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DOCS = pathlib.Path(__file__).parents[1] / "docs"
MEASURED, PAGE = DOCS / "formats.json", DOCS / "how_to/formats.md"
FORMATS = {
    "saved_model": "SavedModel",
    "onnx": "ONNX",
    "openvino": "OpenVINO",
    "litert": "LiteRT",
    "keras": "Keras",
}
PACKAGES = (
    "tensorflow",
    "keras",
    "tf2onnx",
    "onnxruntime",
    "openvino",
    "ai-edge-litert",
)
AT_ONCE = 20  # cells in one process: TensorFlow keeps what it has traced
SIZE = (193, 257)  # of the photograph: odd at most halvings
HEAD = """# Architectures and formats

Written by `scripts/format_table.py`: each architecture, untrained, on the encoder
`tiny`, as [`kerasseg export`](onnx.md) writes it (float32), opened by its runtime. A
cell is the largest difference from TensorFlow's confidence, scores, or maps (these in
relation to their largest number) on a photograph of {size}, and the share of pixels, or
objects, that are not the same, if there are any.

"""


def measure_apart(pairs):
    """Measure in processes of their own, because a runtime may end them.

    Args:
        pairs: list of (architecture, format).

    Yields:
        (architecture, format, result) of each pair.
    """
    while pairs:
        some, pairs = pairs[:AT_ONCE], pairs[AT_ONCE:]
        command = [sys.executable, __file__, "--pairs", *map(":".join, some)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout:
                if line.startswith("{"):
                    yield *some.pop(0), json.loads(line)
        if some:
            words = f"The process ended by code {child.returncode}."
            yield *some.pop(0), {"refused": words}
            pairs = some + pairs


def measure(name, formats):
    """Print the result of one architecture in some formats, each a line of JSON."""
    import cv2
    import keras
    import skimage.data

    from kerasseg import export, zoo
    from kerasseg.names import parameters

    builder = zoo.BUILDERS[name]
    keras.utils.set_random_seed(0)
    fixed = {"image_size": (128, 128)} if "image_size" in parameters(builder) else {}
    model = builder(encoder="tiny", **fixed)
    photo = cv2.resize(
        skimage.data.astronaut(), SIZE[::-1], interpolation=cv2.INTER_AREA
    )
    classes = None
    if model.task == "instance":
        classes = [str(i) for i in range(parameters(builder)["num_classes"])]
    for format in formats:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / name
            try:
                path = export.save(model, path, format=format, class_names=classes)
                found = export.compare(model, path, format, [photo])
                keys = "agreement", "error", "iou"
                result = {key: found[key] for key in keys}
            except export.ExportError as error:
                result = {"refused": str(error).partition(" Nothing was")[0]}
        print(json.dumps(result), flush=True)


def page(measured):
    """Text of the page."""
    from kerasseg import tasks, zoo

    columns = FORMATS.values()
    lines = [HEAD.format(size=" x ".join(map(str, SIZE)))]
    lines += [f"| | {' | '.join(columns)} |", "|---" * (len(FORMATS) + 1) + "|"]
    notes = []
    for task in reversed(tasks.TASKS.values()):
        for name in zoo.names(task.name):
            row = measured["architectures"].get(name, {})
            cells = [cell(row.get(format)) for format in FORMATS]
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
            notes += [
                f"- `{name}`, {FORMATS[format]}: {one['refused']}"
                for format, one in row.items()
                if "refused" in one
            ]
    lines += ["", *notes] if notes else []
    versions = ", ".join(f"{k} {v}" for k, v in measured["versions"].items())
    return "\n".join([*lines, "", f"Measured with {versions}.", ""])


def cell(result):
    """One cell of the table."""
    if result is None:
        return "not measured"
    if "refused" in result:
        if "process ended" in result["refused"]:
            return "crashes"
        return "differs" if " differ" in result["refused"] else "cannot"
    text = f"{result['error']:.0e}" if result["error"] else "0"
    other = 100 * (1 - result["agreement"])
    return f"{text}, {other:.2g} %" if other else text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="architectures (default: all)")
    parser.add_argument("--pairs", nargs="+", help="NAME:FORMAT, which are printed")
    names, pairs = vars(parser.parse_args()).values()
    if pairs:
        chosen = [pair.split(":") for pair in pairs]
        for name, some in itertools.groupby(chosen, key=lambda pair: pair[0]):
            measure(name, [format for _, format in some])
        return
    from kerasseg import files, zoo

    measured = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    rows = measured.get("architectures", {})
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    pairs = list(itertools.product(names or zoo.BUILDERS, FORMATS))
    for name, format, result in measure_apart(pairs):
        print(name, format, result, flush=True)
        rows.setdefault(name, {})[format] = result
        rows = {key: rows[key] for key in zoo.BUILDERS if key in rows}
        measured = {"versions": versions, "architectures": rows}
        files.replace_text(MEASURED, json.dumps(measured, indent=1) + "\n")
        files.replace_text(PAGE, page(measured))


if __name__ == "__main__":
    main()
