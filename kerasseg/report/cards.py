"""Writes the numbers of results.json into cards and the table of the zoo.

A card is a README.md beside a results.json; what stands between `<!-- results -->`
and `<!-- /results -->` is written here, so no number in it is typed by hand.
"""

import json
import pathlib


def card(results):
    """Markdown of one result: scores by class, and what they depend on.

    Args:
        results: dict of a results.json.

    Returns:
        str without the markers.
    """
    lines = _of_objects(results) if "mask_ap" in results else _of_pixels(results)
    facts, about = results["environment"], results["settings"]
    sizes = " to ".join(
        "x".join(map(str, about["image_sizes"][key])) for key in ("min", "max")
    )
    versions = facts["versions"]
    lines += [
        "",
        f"Split `{results['split']}`, {about['num_images']} images of {sizes}, "
        f"{_how(about)}, {about['precision']}; "
        f"seeds {', '.join(map(str, results['seeds']))}; "
        f"{about['num_params']:,} parameters; {results['date'][:10]}; "
        f"{', '.join(facts['devices'])} ({facts['cpu']}, {facts['cpu_count']} cores); "
        f"TensorFlow {versions['tensorflow']}, Keras {versions['keras']}, "
        f"kerasseg {versions['kerasseg']}.",
    ]
    if training := results.get("training"):
        cpu = training.get("cpu_seconds")
        lines.append(
            f"Trained for {training['steps']} steps in {training['seconds'] / 60:.0f} "
            f"minutes{f' ({cpu / 60:.0f} CPU minutes)' if cpu else ''}, "
            f"{training['precision']}."
        )
    return "\n".join(lines)


def _of_pixels(results):
    lines = ["| class | IoU | Dice | recall |", "|---|---|---|---|"]
    for name, scores in results["classes"].items():
        cells = [_percent(scores[key]) for key in ("iou", "dice", "recall")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    mean = [_percent(results[key]) for key in ("mean_iou", "mean_dice")]
    return [*lines, f"| **mean** | **{mean[0]}** | **{mean[1]}** | |"]


def _of_objects(results):
    lines = ["| class | mask AP | box AP | objects |", "|---|---|---|---|"]
    for name, scores in results["classes"].items():
        cells = [_percent(scores[key]) for key in ("mask_ap", "box_ap")]
        lines.append(f"| {name} | {' | '.join(cells)} | {scores['objects']:,} |")
    mean = [_percent(results[key]) for key in ("mask_ap", "box_ap")]
    lines += [f"| **mean** | **{mean[0]}** | **{mean[1]}** | |", ""]
    keys = ("mask_ap50", "mask_ap75", "label_ap", "label_ap50", "f1", "pq", "aji")
    lines.append("| AP50 | AP75 | label AP | label AP50 | F1 | PQ | AJI |")
    lines.append("|---" * len(keys) + "|")
    return [*lines, f"| {' | '.join(_percent(results[key]) for key in keys)} |"]


def _how(settings):
    """How images went through the model."""
    if "fit" in settings:
        zoom = settings.get("zoom", 1)
        how = f"fit {settings['fit']}" + (f", zoom {zoom:g}" if zoom != 1 else "")
        return f"{how}, scores from {settings['score_threshold']}"
    return f"single scale, flips {settings['flips']}"


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
        rows.append(
            f"| [{folder.name}]({folder.name}) | {results['settings']['num_params']:,} "
            f"| {_percent(results.get('mean_iou', results.get('mask_ap')))} "
            f"| {minutes} |"
        )
    head = [
        "| recipe | parameters | mIoU or mask AP % | minutes |",
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


def _percent(value):
    return "-" if value is None else f"{100 * value:.1f}"
