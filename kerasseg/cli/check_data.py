"""The command `kerasseg check-data`: a data set is examined, told about and mended."""

import dataclasses
import pathlib
import shlex
import sys

from kerasseg.cli import data, sheets
from kerasseg.cli.errors import alike

# A screenful; --json has all.
MOST_FINDINGS, MOST_NAMES, MOST_CLASSES = 24, 3, 12
TOLD = ("Left out", "Run", "Crowds")  # notes of readers, by their beginning
NO_COPY_MENDS = ("nothing",)  # kinds of findings
COUNTED = ("annotators", "nnunet", "stacks", "voc")  # forms that count their classes
MOST_NUMBERS = 65536  # of masks
UNEVEN = 4  # ratio of weights from which on they are worth a try
TITLES = {
    "fault": "Spoils the training:",
    "warning": "Worth a look:",
    "note": "Good to know:",
}


def add_arguments(command):
    """Give the parser of `kerasseg check-data` its own arguments."""
    command.add_argument(
        "--fix",
        metavar="OUT",
        help="write a corrected copy into a new folder, as images/, labels/ and lists",
    )
    command.add_argument(
        "--sheet",
        metavar="FILE",
        help="contact sheet of images and labels, suspects in a frame (default: "
        "data.png; none with --json)",
    )


def run(arguments):
    """Examine a data set: what is in it, and what would spoil a training."""
    from kerasseg import datasets

    _, recipe, form = data.read_recipe(arguments, only_data=True)
    say = _silent if arguments.json else print
    if form:
        say(form["text"])
    sides, reports, errors = _sides(recipe, arguments.data)
    options = recipe["data"]
    plain = options["dataset"] in ("folder", "table") and "values" not in options
    with Bar(arguments.json) as bar:
        found = datasets.examine(
            sides,
            root=arguments.data if options["dataset"] == "folder" else None,
            raw="labels" if _are_counted(options, sides) else plain,
            num_classes=_num_classes(sides, options, arguments.data),
            colors=_colors(sides, options) if plain else None,
            errors=errors.values(),
            on_progress=bar.update,
        )
    answer = {"format": form} if form else {}
    answer |= {**reports, **found.report(), "exit_code": int(bool(found.faults))}
    for line in _prose(found, reports):
        say(line)
    _tell_errors(errors, reports)
    if errors and not any(_some_read(report) for report in reports.values()):
        answer["error"] = str(next(iter(errors.values())))
    sheet = arguments.sheet or (None if arguments.json else "data.png")
    if sheet and found.facts:
        sheets.write(sheet, found, sides)
        say(f"Wrote {sheet}.")
    if arguments.fix:
        answer["fixed"] = _fix(arguments, found, sides, say)
    elif found.faults and found.facts:
        say(f"A corrected copy: {_again(arguments)} --fix corrected")
    return answer


def _again(arguments):
    """This command as it can be pasted."""
    words = ["kerasseg", "check-data", *filter(None, [arguments.recipe])]
    for option in ("data", "format", "group"):
        if value := getattr(arguments, option):
            words += [f"--{option}", str(value)]
    for assignment in arguments.set:
        words += ["--set", assignment]
    return shlex.join(words)


def _silent(*_):
    """Print nothing, for programs that read JSON."""


def _sides(recipe, root):
    """Samples, reports and errors by side, as training would meet them."""
    from kerasseg import datasets, recipes

    sides, reports, errors = {}, {}, {}
    for side in ("train", "val"):
        try:
            samples = recipes.build_samples(recipe, root, side)
            if side == "val" and samples.value_range is None:  # scaled as in training
                given = reports.get("train", {}).get("value_range")
                samples = samples.with_range(given)
            sides[side] = samples
            num = len(samples.classes)
            report = datasets.check(samples, num_classes=num, on_error="list")
        # Wrong options are the user's to mend, no fault of the data.
        except recipes.RecipeError:
            raise
        except (ValueError, OSError) as error:
            errors[side] = error
            if recipe["data"]["dataset"] == "stacks":
                sides |= _pages(recipe, root, side)
            continue
        reports[side] = report
    return sides, reports, errors


def _are_counted(options, sides):
    """Whether masks of such a form are told apart by their numbers, without names."""
    known = {"values", "classes"} & {*options}
    named = any(x.classes[1:] and "class " not in x.classes[1] for x in sides.values())
    return options["dataset"] in COUNTED and not known and not named


def _pages(recipe, root, side):
    """{side: samples} of pages whose numbers may be no classes, {} if there are none.

    They are looked at, mended and shown like mask files.
    """
    from kerasseg import recipes

    data = {"classes": MOST_NUMBERS} | recipe["data"]
    try:
        samples = recipes.build_samples({**recipe, "data": data}, root, side)
    except (ValueError, OSError):  # the error that is told already
        return {}
    return {side: dataclasses.replace(samples, classes=())}


def _some_read(report):
    return len(report["failed"]) < report["num_read"]


def _num_classes(sides, options, root):
    """Number of classes, if the user gives them; None if the masks were counted."""
    listed = root is not None and pathlib.Path(root, "classes.txt").is_file()
    if sides and (listed or options.get("classes") is not None):
        return len(next(iter(sides.values())).classes)
    return None


def _colors(sides, options):
    """{(r, g, b): class id} of the user or of a table beside the masks, or None."""
    from kerasseg.images.class_ids import color_of

    given = options.get("colors")
    if given is None:  # a table beside the masks
        given = next((samples.colors for samples in sides.values()), None)
    if given is None:
        return None
    pairs = given.items() if isinstance(given, dict) else zip(given, range(len(given)))
    return {color_of(color): class_id for color, class_id in pairs}


def _tell_errors(errors, reports):
    """Print the errors that stop a training, and the option to paste."""
    from kerasseg.cli import options

    told = [str(error) for error in errors.values()]
    for report in reports.values():
        failed = report["failed"]
        if failed:
            more = f" ({len(failed) - 1} more)" if len(failed) > 1 else ""
            told.append(failed[0]["error"] + more)
    for text, _ in alike(dict.fromkeys(told)):
        print(f"kerasseg: {text}", file=sys.stderr)
    hints = filter(None, map(options.pasteable, told))
    if hint := next(hints, None):
        print(f"kerasseg: on the command line: {hint}", file=sys.stderr)


def _prose(found, reports):
    """Lines about a data set, at most a screen."""
    yield from _numbers(found)
    shown = 0
    for severity, title in TITLES.items():
        some = [one for one in found.findings if one.severity == severity]
        if some:
            yield f"\n{title}"
        for one in some:
            shown += 1
            if shown > MOST_FINDINGS:
                continue
            yield f"- {_short(one.text)}{_listed(one.names)}."
            if one.fix and severity != "note":
                yield f"  Fix: {_short(one.fix)}."
    if not found.faults:
        yield "\nNothing that would spoil the training was found."
    notes = [w for report in reports.values() for w in report["warnings"]]
    left = [note for note in dict.fromkeys(notes) if note.startswith(TOLD)]
    yield from (f"- {_short(note)}" for note in left[:4])
    yield from _classes(found)


def _short(text, most=400):
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= most else text[: most - 4] + " ..."


def _listed(names):
    if not names:
        return ""
    more = f", ... {len(names)} in all" * (len(names) > MOST_NAMES)
    return f": {', '.join(map(str, names[:MOST_NAMES]))}{more}"


def _numbers(found):
    facts = [one for one in found.facts if one.size]
    counts = [sum(one.side == side for one in found.facts) for side in ("train", "val")]
    text = f"{len(found.facts)} images ({counts[0]} train, {counts[1]} val)"
    if facts:
        sizes = sorted({one.size[::-1] for one in facts}, key=lambda s: s[0] * s[1])
        span = " to ".join(f"{w} x {h}" for w, h in (sizes[0], sizes[-1])[: len(sizes)])
        bands = " and ".join(map(str, sorted({one.channels for one in facts})))
        dtypes = " and ".join(sorted({one.dtype for one in facts}))
        low, high = min(one.low for one in facts), max(one.high for one in facts)
        text += f", {span}, {bands} bands of {dtypes} within {low:g}..{high:g}"
    yield text + "."


def _classes(found):
    shares = found.shares()
    rows = [
        (n, r, w)
        for (n, r), w in zip(shares["classes"].items(), shares["class_weights"])
    ]
    if not any(row["pixels"] for _, row, _ in rows):
        return
    yield "\nClasses (share of the pixels, images with it, proposed weight):"
    order = sorted(rows, key=lambda one: -one[1]["pixels"])
    for name, row, weight in order[:MOST_CLASSES]:
        yield f"  {name[:30]:<30} {row['share']:7.2%} {row['images']:6d}  {weight:g}"
    if len(order) > MOST_CLASSES:
        yield f"  and {len(order) - MOST_CLASSES} more (--json lists all)"
    weights = [weight for _, _, weight in rows]
    if len(rows) <= MOST_CLASSES and max(weights) > UNEVEN * min(weights):
        numbers = ", ".join(f"{weight:g}" for weight in weights)
        yield f"As weights of a recipe's [[loss]]: class_weights = [{numbers}]"


class Bar:
    """Progress of the examination in the terminal."""

    def __init__(self, silent):
        import rich.progress

        from kerasseg.cli.progress import console

        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("looking at"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeRemainingColumn(),
            console=console(quiet=silent, stderr=True),
            transient=True,
        )
        self._task, self._is_closed = None, False

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Take the bar away; it may be done twice."""
        if not self._is_closed:  # each time would print a line into a log
            self._bar.stop()
        self._is_closed = True

    def update(self, done, total):
        """Show that `done` of `total` samples were looked at."""
        if self._task is None:
            self._task = self._bar.add_task("data", total=total)
        self._bar.update(self._task, completed=done)


def _fix(arguments, found, sides, say):
    from kerasseg import datasets, images

    def read(facts):
        samples = sides[facts.side]
        return samples[samples.names.index(facts.name)]

    try:
        report = datasets.repair(found, arguments.fix, read=read)
    except images.ImageError as error:  # what was found is still to be told
        say(f"No corrected copy: {error}")
        return {"error": str(error)}
    changed = ", ".join(f"{what}: {num}" for what, num in report["changed"].items())
    say(
        f"Wrote {report['images']} images into {report['out']}/: {changed or 'copied'}."
    )
    left = report["left_out"]
    for name, reason in list(left.items())[:5]:
        say(f"  left out: {name}: {_short(reason, 160)}")
    if len(left) > 5:
        say(f"  left out: {len(left) - 5} more")
    for one in found.faults:
        if one.kind in NO_COPY_MENDS:
            say(f"  not mended: {_short(one.text)}; {_short(one.fix)}")
    say(f"Next: kerasseg check-data --data {shlex.quote(report['out'])}")
    return report
