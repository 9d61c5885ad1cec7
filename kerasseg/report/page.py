"""One self-contained HTML page about a run: numbers, pictures, what to try next."""

import base64
import html
import json
import pathlib

from kerasseg import tasks
from kerasseg.report import charts
from kerasseg.report.advice import advice
from kerasseg.tasks import outlines
from kerasseg.tasks.task import percent

# One file without addresses: it opens offline, from a mail or a stick.
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem;
       margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem } h2 { font-size: 1.2rem; margin-top: 2rem }
.big { font-size: 2.4rem; font-weight: 600 } .note { color: #666 }
.scroll { overflow-x: auto } img { max-width: 100%; height: auto }
table { border-collapse: collapse } td, th { padding: .2rem .8rem .2rem 0;
        text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
td:first-child, th:first-child { text-align: left }
.bar { display: inline-block; position: relative; width: 9rem; height: .7rem;
       background: #eee; vertical-align: middle }
.bar i { position: absolute; height: 100%; background: #0072b255 }
.bar b { position: absolute; width: 2px; height: 100%; background: #0072b2 }
pre { background: #f6f6f6; padding: .8rem; overflow-x: auto; font-size: .85rem }
li { margin: .4rem 0 }
@media (prefers-color-scheme: dark) {
  body { background: #1b1b1d; color: #ddd } td, th { border-color: #444 }
  pre, .bar { background: #2a2a2d } img { background: #fff } }
"""
# Those that `runs.evaluate` writes; a file that is missing is left out.
PICTURES = (
    ("Curves", "curves.png", "loss, scores and learning rate over the steps"),
    ("Worst and best images", "samples.png", "image, truth, prediction, errors"),
    ("Confusion", "confusion.png", "rows are labels, columns are predictions"),
)


def page(run):
    """HTML of a run, with all pictures inside.

    Args:
        run: run folder, or a folder that `kerasseg evaluate` wrote.

    Returns:
        str.

    Raises:
        ValueError: if the folder holds no results.json.
    """
    run = pathlib.Path(run)
    results = _json(run / "results.json")
    if results is None:
        raise ValueError(
            f"{run} must hold results.json. Train, or: kerasseg evaluate --run {run}."
        )
    facts = _json(run / "run.json") or {}
    name = facts.get("name") or run.resolve().name
    parts = [
        _head(name, results),
        _advice(results, _rows(run / "history.jsonl")),
        _classes(results),
        _detection(results),
        _sizes(results),
        _outlines(results),
        _calibration(results),
        _ranking(results),
        *(_picture(title, run / file, note) for title, file, note in PICTURES),
        _images(results),
        _about(results, facts),
        _recipe(run / "recipe.toml"),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(name)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _head(name, results):
    monitor = tasks.of_results(results).monitor
    interval = (results.get("intervals") or {}).get(monitor)
    about, settings = "", results["settings"]
    if interval and None not in interval:
        about = " to ".join(percent(x) for x in interval)
        about = f' <span class="note">95 % interval {about}</span>'
    elif interval:
        about = ' <span class="note">one image alone has no interval</span>'
    score = f"<span class='big'>{percent(results[monitor])}</span>"
    return (
        f"<h1>{html.escape(name)}</h1>\n"
        f"<div>{score} {monitor.replace('_', ' ')}, %{about}</div>"
        f"\n<p class='note'>Split {html.escape(str(results['split']))}, "
        f"{settings['num_images']} images, {settings['num_params']:,} parameters, "
        f"{results['date'][:10]}.</p>"
    )


def _advice(results, rows):
    found = [*results.get("doubts", ()), *advice(results, rows)]
    if not found:
        found = ["Nothing stands out: look at the worst images below."]
    items = "\n".join(f"<li>{html.escape(text)}</li>" for text in found)
    return f"<h2>What to try next</h2>\n<ul>\n{items}\n</ul>"


def _classes(results):
    """Scores by class; IoU with its interval as a bar."""
    classes = results["classes"]
    keys = list(dict.fromkeys(key for x in classes.values() for key in x))
    # Results of versions before intervals are shown, too.
    intervals = (results.get("intervals") or {}).get("classes", {})
    heads = ["class", *keys, *(["95 % interval"] if intervals else [])]
    rows = []
    for name, x in classes.items():
        cells = [html.escape(name), *(_cell(x.get(key)) for key in keys)]
        if intervals:
            cells.append(_bar(x.get("iou"), intervals.get(name)))
        rows.append(cells)
    return f"<h2>Classes</h2>\n{_table(heads, rows)}"


def _bar(value, interval):
    # Classes that are absent in some replicates have no interval.
    if value is None or not interval or None in interval:
        return "-"
    low, high = interval
    return (
        f"{percent(low)} to {percent(high)} <span class='bar'>"
        f"<i style='left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%'></i>"
        f"<b style='left:{100 * value:.1f}%'></b></span>"
    )


def _detection(results):
    found = results.get("detection")
    if not found:
        return ""
    total, rows = len(results["samples"]), []
    for name, x in found.items():
        without = total - x["images"]
        rows.append(
            [
                html.escape(name),
                f"{x['detected']} of {x['images']}",
                f"{x['false_alarms']} of {without}",
            ]
        )
    heads = ["", "found in images with it", "found in images without it"]
    return f"<h2>Detection by image</h2>\n{_table(heads, rows)}"


def _calibration(results):
    """Reliability diagram: accuracy of the pixels by their confidence."""
    found = results.get("calibration")
    if not found or not found["bins"]:
        return ""
    return (
        f"<h2>Calibration</h2>\n<p class='note'>Expected calibration error "
        f"{percent(found['error'])} %, of {found['num_images']} images. On the line, "
        "pixels are right as often as the model is sure; below it, it is too sure. "
        f"Larger dots are of more pixels.</p>\n{charts.reliability(found['bins'])}"
    )


def _ranking(results):
    """Curves of how well probabilities tell the pixels of two classes apart."""
    if not (found := results.get("ranking")):
        return ""
    roc = charts.curve(found["roc"], "false alarms, %", "found, %", diagonal=True)
    words = "recall, %", "precision, %"
    pr = charts.curve(found["precision_recall"], *words)
    name = html.escape(list(results["classes"])[-1])
    return (
        f"<h2>Thresholds</h2>\n<p class='note'>Pixels of {name} at every threshold of "
        f"their probability, of {found['num_images']} images: area below the ROC curve "
        f"{percent(found['roc_auc'])} %, average precision "
        f"{percent(found['average_precision'])} %.</p>\n{roc}{pr}"
    )


def _sizes(results):
    """Objects that are found, by a third of their sizes each."""
    if not (found := results.get("by_size")):
        return ""
    rows = [
        [
            one["size"],
            f"{one['from_px']:,} to {one['to_px']:,}",
            f"{one['detected']} of {one['objects']}",
            percent(one["detected"] / one["objects"]),
        ]
        for one in found
    ]
    heads = ["objects", "px", "found at IoU 0.5", "%"]
    return f"<h2>Detection by size</h2>\n{_table(heads, rows)}"


def _outlines(results):
    """Boundaries, centre lines and distances, by class."""
    found = results.get("outlines")
    if not found or not found["classes"]:
        return ""
    heads = ["class", *outlines.HEADS, "images", "in one map only"]
    rows = [
        [html.escape(name), *outlines.cells(x), str(x["images"]), str(x["in_one_map"])]
        for name, x in found["classes"].items()
    ]
    return (
        f"<h2>Outlines</h2>\n<p class='note'>Of {found['num_images']} images. Shares "
        "in %; distances in px, means over images with the class in both maps. Surface "
        f"Dice counts outlines within {found['tolerance_px']:g} px; what is thicker "
        f"than {outlines.THICKEST_PX} px has no centre line.</p>\n{_table(heads, rows)}"
    )


def _images(results, most=8):
    """The images with the lowest scores, and how scores are spread."""
    key = tasks.of_results(results).row_score
    rows = [row for row in results["samples"] if row.get(key) is not None]
    rows.sort(key=lambda row: row[key])
    if not rows:
        return ""
    chart = charts.histogram([row[key] for row in rows])
    worst = [[html.escape(row["name"]), percent(row[key])] for row in rows[:most]]
    name = key.replace("_", " ")
    return f"<h2>Images</h2>\n{chart}\n{_table(['lowest', f'{name}, %'], worst)}"


def _about(results, facts):
    settings, environment = results["settings"], results["environment"]
    training = results.get("training") or {}
    lines = {
        "seconds per image": settings["seconds_per_image"],
        "image sizes": " to ".join(
            "x".join(map(str, settings["image_sizes"][key])) for key in ("min", "max")
        ),
        "data": facts.get("root"),
        "training data": facts.get("samples"),
        "training": training
        and f"{training['steps']} steps, {training['seconds'] / 60:.1f} minutes, "
        f"{training['precision']}",
        "seeds": ", ".join(map(str, results["seeds"])),
        "device": ", ".join(environment["devices"]),
        "processor": f"{environment['cpu']}, {environment['cpu_count']} cores",
        "versions": ", ".join(f"{k} {v}" for k, v in environment["versions"].items()),
    }
    rows = [[key, html.escape(str(value))] for key, value in lines.items() if value]
    return f"<h2>About these numbers</h2>\n{_table(None, rows)}"


def _recipe(path):
    if not path.is_file():
        return ""
    text = html.escape(path.read_text(encoding="utf-8"))
    return f"<h2>Recipe</h2>\n<pre>{text}</pre>"


def _picture(title, path, text):
    if not path.is_file():
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    image = f'<img alt="{text}" src="data:image/png;base64,{data}">'
    return f'<h2>{title}</h2>\n<p class="note">{text}</p>\n{image}'


def _table(heads, rows):
    lines = [] if heads is None else [f"<tr>{_cells(heads, 'th')}</tr>"]
    lines += [f"<tr>{_cells(row, 'td')}</tr>" for row in rows]
    return f'<div class="scroll"><table>\n{chr(10).join(lines)}\n</table></div>'


def _cells(values, tag):
    return "".join(f"<{tag}>{value}</{tag}>" for value in values)


def _cell(value):
    if isinstance(value, float):
        return percent(value)
    return "-" if value is None else f"{value:,}"


def _json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _rows(path):
    """Rows of a history; a line that a killed run left half is passed over."""
    rows = []
    # A killed run may have left half a line at the end.
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows
