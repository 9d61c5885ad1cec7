"""The command `kerasseg`: train, evaluate, predict, export, check data, look around.

Exit codes: 0 done, 1 the data or the run failed (`check-data`: something would spoil a
training), 2 the command or the recipe is wrong,
3 done, but some of the files failed and are listed, 75 another worker of the training
was lost, 129 a closed terminal (SIGHUP), 130 Ctrl-C, 141 a reader that left (`| head`),
143 SIGTERM.
"""

import argparse
import json
import os
import signal
import sys

from kerasseg.cli import (
    check_data,
    classical,
    clips,
    completion,
    convert,
    data,
    demo,
    errors,
    exports,
    look_around,
    many,
    options,
    plan,
    published,
    quiet,
    reports,
    restarts,
    serve,
    show,
    train,
    tune,
)

FAILURES = ArithmeticError, ImportError, MemoryError, OSError, RuntimeError, ValueError


def main(argv=None):
    """Run the command line; returns the exit code.

    Args:
        argv: arguments without the program's name; None takes `sys.argv`, and keeps
            TensorFlow's chatter from stderr.
    """
    try:
        try:
            return _run(argv)
        finally:  # also behind --help; at exit, Python would complain
            quiet.flush()
    except BrokenPipeError:
        return quiet.leave()


def _run(argv):
    is_process, argv = argv is None, sys.argv[1:] if argv is None else list(argv)
    parser = _parser(argv)
    completion.complete(parser)
    arguments = parser.parse_args(options.with_words(argv))
    if getattr(arguments, "restarts", 0) > 0:
        return restarts.supervise(argv, arguments.restarts)
    loud = train.run, tune.run, plan.run, _evaluate, _predict, exports.run
    loud += look_around.describe, show.run, demo.run, serve.run
    if is_process and arguments.run in loud:
        quiet.filter_errors()
    # TensorFlow reads it once, on import; 2 hides messages below errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # OpenCV reads these on import; bad clips get one error, ours.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    from kerasseg import recipes

    try:
        answer = arguments.run(arguments)
    except restarts.WorkerLost as error:
        return errors.fail(arguments, error, restarts.LOST)
    except recipes.RecipeError as error:  # a ValueError, so it comes first
        return errors.fail(arguments, error, 2)
    # A `training.CheckpointError` is a RuntimeError, a `NonFiniteError` an
    # ArithmeticError, and what an extra lacks an ImportError.
    except FAILURES as error:
        if isinstance(error, BrokenPipeError) and quiet.has_no_reader():
            raise
        return errors.fail(arguments, error, 1)
    except KeyboardInterrupt as stop:
        # 128 + signal, as shells report a process that a signal ended.
        number = getattr(stop, "signal", signal.SIGINT)
        return errors.fail(arguments, str(stop) or "interrupted", 128 + number)
    if arguments.json:
        print(json.dumps(answer, indent=1))
    if "exit_code" in answer:
        return answer["exit_code"]
    parts = [answer, *(part for part in answer.values() if isinstance(part, dict))]
    return 3 if any(part.get("failed") for part in parts) else 0


def _parser(argv):
    parser = argparse.ArgumentParser(
        prog="kerasseg", description="Image segmentation with TensorFlow and Keras 3."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, function, fill in (
        ("train", train.run, _train_arguments),
        ("plan", plan.run, plan.add_arguments),
        ("tune", tune.run, _tune_arguments),
        ("evaluate", _evaluate, _evaluate_arguments),
        ("predict", _predict, _predict_arguments),
        ("export", exports.run, exports.add_arguments),
        ("report", reports.report, reports.add_report_arguments),
        ("compare", reports.compare, reports.add_compare_arguments),
        ("classical", classical.run, None),
        ("convert", convert.run, convert.add_arguments),
        ("check-data", check_data.run, _check_arguments),
        ("show", show.run, _show_arguments),
        ("weights", published.run, published.add_arguments),
        ("demo", demo.run, demo.add_arguments),
        ("serve", serve.run, serve.add_arguments),
        ("list", look_around.list_names, None),
        ("info", look_around.describe, look_around.add_arguments),
    ):
        summary = function.__doc__.splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument(
            "--json", action="store_true", help="print the result as JSON"
        )
        command.set_defaults(run=function)
        if name == "classical" and name in argv:  # its methods need OpenCV
            fill = classical.add_arguments
        if fill:
            fill(command)
    return parser


def _recipe_arguments(command):
    command.add_argument(
        "recipe",
        nargs="?",
        help="recipe.toml, its folder, or a name such as unet_plain_isbi2012; "
        "without one: a U-Net on the folder --data, or else on synthetic shapes",
    )
    data.add_arguments(command)


def _check_arguments(command):
    _recipe_arguments(command)
    check_data.add_arguments(command)


def _show_arguments(command):
    _recipe_arguments(command)
    show.add_arguments(command)


def _train_arguments(command):
    _recipe_arguments(command)
    train.add_arguments(command)


def _tune_arguments(command):
    _recipe_arguments(command)
    tune.add_arguments(command)


def _evaluate_arguments(command):
    published.add_model_arguments(command)
    data.add_arguments(command)
    command.add_argument("--split", default="val", help="train, val, or a split's name")
    command.add_argument(
        "--out",
        metavar="DIR",
        help="where results go (default: RUN, or RUN/evaluations/SPLIT)",
    )
    options.add_arguments(command)


def _predict_arguments(command):
    command.add_argument(
        "images",
        nargs="+",
        help="image files, folders, clips, or 0 for a camera; with --on also lists",
    )
    published.add_model_arguments(command)
    command.add_argument("--out", default="predictions", help="output folder")
    many.add_arguments(command)
    clips.add_arguments(command)
    options.add_arguments(command)


def _evaluate(arguments):
    """Measure a run's best weights on a split of its data set."""
    from kerasseg import runs

    chosen, samples = published.chosen(arguments), None
    overrides, form = data.overrides(arguments, arguments.format)
    if form:
        _say(arguments, form["text"])
    place = {"root": arguments.data, "split": arguments.split}
    if overrides:
        samples = runs.read_samples(chosen, **place, overrides=overrides)
    results = runs.evaluate(
        chosen,
        **place,
        samples=samples,
        options=options.given(arguments),
        out=arguments.out,
        on_error="list",
    )
    _say(arguments, results["table"])
    for doubt in results.get("doubts", ()):
        _say(arguments, f"Beware: {doubt}")
    errors.list_failures(arguments, results["failed"])
    if results["failed"]:
        _say(arguments, f"Not scored: {len(results['failed'])} samples, listed above.")
    return results


def _predict(arguments):
    """Segment images and clips: overlays, class-id PNGs and contours, or objects."""
    from kerasseg import runs

    if arguments.on is not None:
        return many.predict(arguments)
    if arguments.workers is not None or arguments.gpus_per_worker:
        raise ValueError("--workers and --gpus-per-worker are for --on ray.")
    report = runs.predict(
        published.chosen(arguments),
        arguments.images,
        arguments.out,
        options=options.given(arguments),
        clip=clips.options_of(arguments),
    )
    errors.list_failures(arguments, report["failed"])
    num, films = len(report["images"]), report.get("clips", [])
    for line in clips.lines(films):
        _say(arguments, line)
    if num or not films:
        text = f"Wrote {num} prediction{'s' * (num != 1)} to {arguments.out}/."
        if report["failed"]:
            text += f" Without one: {len(report['failed'])}, named in manifest.csv."
        _say(arguments, text)
    if report.get("skipped"):
        _say(arguments, f"Skipped {len(report['skipped'])} masks beside the images.")
    if not report["images"] and not films:
        raise ValueError("None of the images could be predicted.")
    return report


def _say(arguments, text):
    if not arguments.json:
        print(text)


if __name__ == "__main__":
    sys.exit(main())
