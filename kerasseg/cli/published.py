"""`kerasseg weights`: published weights by name, and the options that take one."""

import json

from kerasseg import tasks

# By task, as printed; `about` of the tasks, the commonest first.
TEXTS = {task.name: task.about for task in reversed(tasks.TASKS.values())} | {
    "encoder": "to train from, by encoder=NAME without _imagenet, "
    "encoder_weights='imagenet'"
}


def add_arguments(command):
    """Add the arguments of `kerasseg weights` to its parser."""
    command.add_argument("name", nargs="?", help="say all about one of them")
    command.add_argument("--task", help=f"one kind only: {', '.join(TEXTS)}")
    command.add_argument(
        "--open", action="store_true", help="only those that anybody may use"
    )
    command.add_argument(
        "--fetch", action="store_true", help="download the file of NAME, say where"
    )
    add_licence_argument(command)


def add_licence_argument(command):
    """Add the option that accepts a licence to a parser."""
    command.add_argument(
        "--accept-licence",
        action="store_true",
        help="of weights whose licence is not open: you have read it",
    )


def add_host_argument(command):
    """Add the option of the address that a model is shown or served at to a parser."""
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (default: this machine only)",
    )


def add_model_arguments(command):
    """Add the options that say which model a command uses to its parser."""
    command.add_argument(
        "--run",
        dest="run_dir",
        metavar="RUN",
        action="append",
        help="run folder (default: the newest); repeated, or a folder of folds: the "
        "mean of their probabilities",
    )
    command.add_argument(
        "--weights",
        metavar="NAME",
        help="published weights instead of a run's, or a folder that smp's or "
        "transformers' save_pretrained or StarDist wrote",
    )
    add_licence_argument(command)


def chosen(arguments):
    """Run folder, several, or entry of published weights, that a command is to use."""
    from kerasseg import runs

    if arguments.weights is None:
        several = runs.expand(arguments.run_dir or [])
        return several if len(several) > 1 else runs.find(*several)
    if arguments.run_dir is not None:
        raise ValueError("Give either --run or --weights.")
    return runs.published(arguments.weights, accept_licence=arguments.accept_licence)


def warm_start(arguments):
    """Make `--init` an override of the recipe; a path outlasts the current folder.

    Returns:
        [model] that fits these weights, where no recipe is named; None otherwise.
    """
    import os

    from kerasseg.runs import warm_start
    from kerasseg.weights import catalog

    init = arguments.init
    if init is None:
        return None
    if catalog.is_name(init):
        found = catalog.entry(init, accept_licence=arguments.accept_licence)
        # A recipe cannot accept a licence: it gets the file.
        path = init if catalog.entry(init).open else found.path()
    else:
        path = os.path.abspath(init)
    arguments.set.insert(0, f"train.init={json.dumps(str(path))}")
    return warm_start.model_table(init) if arguments.recipe is None else None


def run(arguments):
    """List published weights by task and licence, or describe one."""
    from kerasseg.weights import catalog

    if arguments.name:
        return _describe(arguments)
    names = catalog.names(arguments.task, only_open=arguments.open)
    rows = [_row(catalog.entry(name)) for name in names]
    if not arguments.json:
        _print(rows)
    return {"weights": rows}


def _row(entry):
    where = "here" if entry.stored else entry.fetched_by or "download"
    where = "by hand" if entry.file else where
    return {
        "name": entry.name,
        "task": entry.task,
        "scores": entry.metric,
        "data": entry.data,
        "licence": entry.licence,
        "file": where,
    }


def _print(rows):
    """Print one line per entry, under the name of its task."""
    columns = "name", "data", "scores", "licence", "file"
    cells = [{key: row[key] or "" for key in columns} for row in rows]
    widths = {key: max(len(row[key]) for row in cells) for key in columns if cells}
    for task in sorted({row["task"] for row in rows}, key=[*TEXTS].index):
        print(f"{task}: {TEXTS[task]}")
        for row, texts in zip(rows, cells):
            if row["task"] == task:
                line = "  ".join(f"{texts[key]:{widths[key]}}" for key in columns)
                print(f"  {line}".rstrip())
    print(
        "\nUse one: kerasseg predict photo.jpg --weights NAME, kerasseg.zoo.load(NAME)"
        "\nAll about one: kerasseg weights NAME"
    )


def _describe(arguments):
    import dataclasses

    from kerasseg.weights import catalog

    found = catalog.entry(arguments.name, accept_licence=arguments.accept_licence)
    answer = {key: x for key, x in dataclasses.asdict(found).items() if x or x is False}
    if arguments.fetch:
        answer["path"] = str(found.path())
    if not arguments.json:
        for key, value in answer.items():
            if isinstance(value, (list, tuple)) and key == "classes":
                value = ", ".join(value)
            if key != "colors":
                print(f"{key}: {value}")
    return answer
