"""Writes the numbers of results.json into cards and the table of the zoo.

A card is a README.md beside a results.json; what stands between `<!-- results -->`
and `<!-- /results -->` is written here, so no number in it is typed by hand.
"""

import json
import pathlib

from kerasseg import tasks
from kerasseg.tasks.task import percent

WORST = 5  # images that a card names


def card(results):
    """Markdown of one result: scores by class, and what they depend on.

    Args:
        results: dict of a results.json.

    Returns:
        str without the markers.
    """
    task = tasks.of_results(results)
    lines = task.card(results)
    facts, about = results["environment"], results["settings"]
    sizes = " to ".join(
        "x".join(map(str, about["image_sizes"][key])) for key in ("min", "max")
    )
    versions = facts["versions"]
    lines += [
        "",
        f"Split `{results['split']}`, {about['num_images']} images of {sizes}, "
        f"{_how(task, about)}, {about['precision']}; "
        f"seeds {', '.join(map(str, results['seeds']))}; "
        f"{about['num_params']:,} parameters; {results['date'][:10]}; "
        f"{', '.join(facts['devices'])} ({facts['cpu']}, {facts['cpu_count']} cores); "
        f"TensorFlow {versions['tensorflow']}, Keras {versions['keras']}, "
        f"kerasseg {versions['kerasseg']}.",
    ]
    lines += _spread(task, results)
    if training := results.get("training"):
        # Results of earlier versions lack the CPU time.
        cpu = training.get("cpu_seconds")
        lines.append(
            f"Trained for {training['steps']} steps in {training['seconds'] / 60:.0f} "
            f"minutes{f' ({cpu / 60:.0f} CPU minutes)' if cpu else ''}, "
            f"{training['precision']}."
        )
    return "\n".join(lines)


def _spread(task, results):
    """Lines on how the score depends on the images: its interval, and the worst."""
    found, monitor = [], task.monitor
    interval = results.get("intervals", {}).get(monitor)
    if interval and None not in interval:  # one image alone has none
        low, high = map(percent, interval)
        name = monitor.replace("_", " ")
        found.append(f"Of the {name}, 95 % by bootstrap over images: {low} to {high}.")
    scores = [
        (row[task.row_score], row["name"])
        for row in results.get("samples", ())
        if row[task.row_score] is not None
    ]
    # Of few images half are shown, or the best would be among the worst.
    worst = sorted(scores)[: min(WORST, len(scores) // 2)]
    if worst:
        named = ", ".join(f"{name} {percent(score)}" for score, name in worst)
        found.append(f"Worst images by {task.row_score.replace('_', ' ')}: {named}.")
    return found


def _how(task, settings):
    """The options of prediction that differ from their defaults."""
    chosen = [
        f"{name} {settings[name]}"
        for name, default in task.default_options().items()
        if settings.get(name, default) != default
    ]
    return ", ".join(chosen) or "default options"


def update(zoo):
    """Write the numbers of every recipe under `zoo` into its card and the table.

    Args:
        zoo: folder of recipe folders; zoo/README.md holds the table.

    Returns:
        List of the files that changed.

    Raises:
        ValueError: if a file lacks the markers.
    """
    zoo, rows, changed = pathlib.Path(zoo), [], []
    for path in sorted(zoo.glob("*/results.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        folder = path.parent
        changed += fill(folder / "README.md", card(results))
        training = results.get("training", {})
        minutes = f"{training['seconds'] / 60:.0f}" if training else "not measured"
        monitor = tasks.of_results(results).monitor
        rows.append(
            f"| [{folder.name}]({folder.name}) | {results['settings']['num_params']:,} "
            f"| {monitor.replace('_', ' ')} {percent(results[monitor])} | {minutes} |"
        )
    head = [
        "| recipe | parameters | score % | minutes |",
        "|---|---|---|---|",
    ]
    return changed + fill(zoo / "README.md", "\n".join(head + rows))


def fill(path, text, mark="results"):
    """Write text between `<!-- mark -->` and `<!-- /mark -->` of a file.

    Returns:
        [path] if the file changed, else [].

    Raises:
        ValueError: if the file lacks the markers.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    if begin not in old or end not in old:
        raise ValueError(f"{path} must contain the lines {begin} and {end}.")
    new = f"{old.split(begin)[0]}{begin}\n{text}\n{end}{old.split(end)[1]}"
    if new == old:
        return []
    path.write_text(new, encoding="utf-8")
    return [path]
