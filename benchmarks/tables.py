"""Markdown tables of results.json, for zoo/README.md."""

import json

from benchmarks import architectures, plans, short_trainings
from benchmarks.record import WITH_ONEDNN


def of_architectures(results):
    """Table of the cost of each architecture, on a common and on its own encoder.

    Args:
        results: dict of benchmarks/results.json.

    Returns:
        Markdown; a sentence where nothing was measured.
    """
    measured = results.get(architectures.NAME)
    if not measured:
        return "Not measured yet."
    lines = [
        "| architecture | encoder | parameters | GFLOPs | images/s | CPU ms | peak MB "
        "|",
        "|---|---|---|---|---|---|---|",
    ]
    rows = measured["rows"]
    for row in sorted(rows, key=lambda row: row["encoder"] != architectures.ENCODER):
        lines.append(
            f"| `{row['architecture']}` | `{row['encoder']}` | {row['parameters']:,} "
            f"| {row['gflops']:.4g} | {row['images_per_second']:.3g} "
            f"| {row['cpu_ms']:.0f} | {row['peak_memory_mb']:.0f} |"
        )
    return "\n".join([*lines, "", _machine(measured)])


def of_short_trainings(results):
    """Table of the scores of each architecture after training on one small budget.

    Args, Returns: as `of_architectures`.
    """
    measured = {
        dataset: results[title]
        for dataset in short_trainings.BUDGETS
        for flag in ("", WITH_ONEDNN)  # oneDNN changes times, not scores
        if (title := short_trainings.title(dataset) + flag) in results
    }
    if not measured:
        return "Not measured yet."
    names = [f"{dataset} mIoU %" for dataset in measured]
    lines = [
        f"| architecture | encoder | parameters | {' | '.join(names)} | CPU min |",
        "|---" * (4 + len(names)) + "|",
    ]
    found = [part["architectures"] for part in measured.values()]
    for name in sorted(set().union(*found)):
        rows = [part.get(name) for part in found]
        first = next(row for row in rows if row)
        scores = [f"{100 * row['mean_iou']:.1f}" if row else "-" for row in rows]
        minutes = sum(row["cpu_seconds"] for row in rows if row) / 60
        lines.append(
            f"| `{name}` | `{first['encoder']}` | {first['parameters']:,} "
            f"| {' | '.join(scores)} | {minutes:.1f} |"
        )
    budgets = "; ".join(
        f"{dataset}: {b['steps']} steps of {b['batch_size']} crops of "
        f"{b['size']}x{b['size']}, seed {part['seed']}"
        for dataset, part in measured.items()
        for b in [part["budget"]]
    )
    machine = _machine(next(iter(measured.values())))
    return "\n".join([*lines, "", f"{budgets}. {machine}"])


SCORES = ("label_ap", "label_ap50", "f1", "pq", "aji", "mask_ap", "mask_ap50")
BASELINES = {
    "classical baseline: nuclei": "a threshold, a watershed ([classical](classical))",
    "trained baseline: nuclei": "U-Net ([unet_efficientnet_lite0_dsb2018]"
    "(unet_efficientnet_lite0_dsb2018)) and `split_instances`",
}


def of_nuclei(results, zoo):
    """Table of instance models and two baselines on dsb2018.

    Args:
        results: as in `of_architectures`.
        zoo: folder of recipes, of which those on dsb2018 are read.

    Returns:
        Markdown.
    """
    rows = [(name, results[key]) for key, name in BASELINES.items() if key in results]
    paths = zoo.glob("*_dsb2018/results.json"), zoo.glob("*_dsb2018/longer.json")
    for path in (*sorted(paths[0]), *paths[1]):
        found = json.loads(path.read_text(encoding="utf-8"))
        if "label_ap" in found:
            name = f"[{path.parent.name}]({path.parent.name})"
            if path.name == "longer.json":
                name = f"the weights `nuclei`: {name}, longer, eight views"
            # Panoptic models average over the background, too, which is easy.
            of_objects = found["classes"].get("nucleus", {}).get("pq", found["pq"])
            rows.append((name, {**found, "pq": of_objects}))
    lines = [
        "| | label AP | label AP50 | F1 | PQ | AJI | mask AP | mask AP50 | CPU min |",
        "|---" * (len(SCORES) + 2) + "|",
    ]
    for name, found in rows:
        cells = [f"{100 * found[key]:.1f}" if key in found else "-" for key in SCORES]
        seconds = found.get("training", {}).get("cpu_seconds")
        minutes = f"{seconds / 60:.0f}" if seconds else "-"
        lines.append(f"| {name} | {' | '.join(cells)} | {minutes} |")
    return "\n".join(lines)


def of_plans(results):
    """Table of plans beside hand-made recipes of the same minutes.

    Args:
        results: as in `of_architectures`.

    Returns:
        Markdown; a sentence where nothing was measured.
    """
    lines = [
        "| data | minutes | planned | score % | as it chose | recipe | score % |",
        "|---" * 7 + "|",
    ]
    measured = [
        (name, row)
        for title, part in sorted(results.items())
        if title.startswith(plans.TITLE)
        for name, row in part["rows"].items()
    ]
    for name, row in measured:
        minutes = f"{row['plan_minutes']:.0f}, {row['recipe_minutes']:.0f}"
        plan, chosen, made = (
            f"{100 * row[key]:.1f}"
            for key in ("plan_score", "plan_as_chosen", "recipe_score")
        )
        lines.append(
            f"| {name} | {minutes} | {row['planned']} | {plan} | {chosen} "
            f"| [{row['recipe']}]({row['recipe']}) | {made} |"
        )
    return "\n".join(lines) if measured else "Not measured yet."


def _machine(measured):
    facts = measured["environment"]
    return (
        f"{measured['date']}; {', '.join(facts['devices'])} ({facts['cpu']}, "
        f"{facts['cpu_count']} cores); TensorFlow {facts['versions']['tensorflow']}, "
        f"Keras {facts['versions']['keras']}."
    )


def of_references(results, zoo):
    """Table of published networks and how far ours are from them.

    Args:
        results: not used.
        zoo: folder with references.json, which scripts/parity.sh writes.
    """
    path = zoo / "references.json"
    measured = json.loads(path.read_text()) if path.is_file() else {}
    from kerasseg import encoders
    from kerasseg.zoo import REFERENCES

    rows = {name: [] for name in [*REFERENCES, *encoders.names()]}
    for case in measured.values():
        rows[case["reference"]].append(case)
    lines = ["| network | measured on | largest error | same class |", "|---" * 4 + "|"]
    for name, cases in rows.items():
        if not cases and name not in REFERENCES:
            continue
        on = [
            f"{c['encoder'] or ''} {c['size'][0]}x{c['size'][1]}".strip() for c in cases
        ]
        error = max((case["error"] for case in cases), default=None)
        same = min((case["same_class"] for case in cases), default=None)
        error = "not measured" if error is None else f"{error:.1e}"
        same = "-" if same is None else f"{100 * same:.2f} %"
        lines.append(f"| `{name}` | {', '.join(on)} | {error} | {same} |")
    return "\n".join(lines)
