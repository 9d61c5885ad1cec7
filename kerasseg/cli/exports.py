"""`kerasseg export`: a model as files for other programs, and what they are worth."""

import os
import pathlib

from kerasseg import images
from kerasseg.cli import options, published
from kerasseg.images import failures


def add_arguments(command):
    """Add the arguments of `kerasseg export` to its parser."""
    published.add_model_arguments(command)
    command.add_argument("--out", default="exported", help="output folder")
    command.add_argument(
        "--format",
        type=options.export_format,
        default="tf_saved_model",
        help="tf_saved_model (for TF Serving), keras, weights, onnx, openvino, litert",
    )
    command.add_argument(
        "--precision",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="numbers in files of onnx, openvino, litert: float16 are weights of half "
        "the size, int8 is calibrated on the validation images",
    )
    command.add_argument(
        "--max-loss",
        type=float,
        default=1.0,
        metavar="POINTS",
        help="points (of 100) of the score that int8 may lose (default: 1)",
    )
    command.add_argument("--data", metavar="ROOT", help="folder of the data set")
    command.add_argument(
        "--raw", action="store_true", help="write logits instead of class ids"
    )
    command.add_argument(
        "--check",
        nargs="*",
        metavar="PICTURE",
        help="compare answers and speed with TensorFlow's, on image files or folders "
        "(default: validation images)",
    )


def run(arguments):
    """Write a run's model for serving: SavedModel and other formats."""
    from kerasseg import runs

    check, format = arguments.check, arguments.format
    if check is not None and (arguments.raw or format == "weights"):
        raise ValueError("--check is for programs: not for --raw, nor for weights.")
    for picture in check or ():
        if not os.path.isdir(picture):
            images.read_image(picture)  # a wrong one is told before the work
    chosen = published.chosen(arguments)
    failures.check_writable(pathlib.Path(arguments.out))
    path = runs.export(
        chosen,
        arguments.out,
        format=format,
        precision=arguments.precision,
        root=arguments.data,
        max_loss=arguments.max_loss,
        raw=arguments.raw,
    )
    answer, lines = {"path": str(path)}, [f"Wrote {path}."]
    about = runs.about_export(path, format)
    if arguments.precision == "int8":
        answer["int8"] = about["int8"]
        lines.append(_scores(answer["int8"]))
    if "predict" in about and format != "weights":
        answer["predict"] = about["predict"]
        lines.append(_apart(answer["predict"]))
    if not arguments.json:
        print("\n".join(lines), flush=True)
    if check is not None:
        place = {"pictures": check, "root": arguments.data}
        answer["check"] = runs.compare(chosen, path, format=format, **place)
        table = answer["check"].pop("table")
        if not arguments.json:
            print(table)
    return answer


def _apart(options):
    """Options of predictions that a file knows nothing of, in words."""
    told = ", ".join(f"{key}={value}" for key, value in options.items())
    return (
        f"The file does not do what predictions of this run do by {told}: what reads "
        "it has to, or its answers are others."
    )


def _scores(int8):
    """Scores of float32 and int8 in words."""
    before, after = (100 * int8[key] for key in ("float32", "int8"))
    return (
        f"{int8['score']} on {int8['images']} validation images: {before:.2f} in "
        f"float32, {after:.2f} in int8 ({after - before:+.2f} points)."
    )
