"""The contact sheet of `kerasseg check-data`."""

CELLS = 24


def write(path, found, sides):
    """Write a contact sheet: the worst suspects first, then samples evenly spread.

    Args:
        path: of the picture.
        found: `datasets.Examination`.
        sides: {"train": Samples, "val": Samples}; one may be missing.
    """
    import numpy as np

    from kerasseg import images, viz

    marks = {}
    for one in found.findings:
        if one.severity != "note":
            for name in one.names:
                for part in str(name).split(" = "):
                    marks.setdefault(part, one.kind)
    facts = [(one, _mark(one, marks)) for one in found.facts]
    suspects = [pair for pair in facts if pair[1]]
    # Of each kind of trouble some, not only of the most frequent one.
    seen = {}
    ranked = []
    for pair in suspects:
        seen[pair[1]] = seen.get(pair[1], 0) + 1
        ranked.append((seen[pair[1]], pair))
    chosen = [pair for _, pair in sorted(ranked, key=lambda one: one[0])]
    chosen = chosen[: CELLS * 2 // 3]
    rest = [pair for pair in facts if not pair[1]]
    room = CELLS - len(chosen)
    chosen += (
        [rest[i * len(rest) // room] for i in range(room)] if len(rest) > room else rest
    )
    cells, table = [], _table(found)
    for one, mark in chosen:
        image, label = _pictures(one, sides, table)
        cells.append({"name": one.name, "image": image, "label": label, "mark": mark})
    first = next(iter(sides.values()), None)
    colors = None if first is None or first.colors is None else np.array(first.colors)
    if table and sorted(table.values()) == list(range(len(table))):
        colors = np.array(sorted(table, key=table.get))
    sheet = viz.contact_sheet(
        cells,
        palette=None if colors is None else colors.astype("uint8"),
        class_names=found.classes or None,
        ignore_label=found.ignore_label,
    )
    images.write_image(path, sheet)


def _mark(facts, marks):
    names = [facts.name] + [p.name for p in (facts.image, facts.mask) if p is not None]
    return next((marks[name] for name in names if name in marks), None)


def _table(found):
    """{(r, g, b): class id} that a finding proposes for masks in colour, or None."""
    actions = (one.action or {} for one in found.findings if "colours" in one.kind)
    return next((action["colors"] for action in actions if "colors" in action), None)


def _pictures(facts, sides, table):
    """Image in 0..255 and label of a sample, None for what cannot be read."""
    import numpy as np

    from kerasseg import images
    from kerasseg.images.blurred_colors import ids_around
    from kerasseg.images.decode import decode

    image = label = None
    try:
        sample = sides[facts.side][sides[facts.side].names.index(facts.name)]
        image, label = sample["image"], sample["label"]
    except Exception:  # whatever it is, it is listed already
        try:
            image = images.read_image(facts.image, channels=None)
            if table and facts.colors:
                label = ids_around(decode(facts.mask)[0], table)
            else:
                label = images.read_mask(facts.mask)
        except Exception:
            label = None
    if image is None:
        return None, None
    if image.dtype != np.uint8:
        low, high = float(image.min()), float(image.max())
        image = images.scale(image, (low, high)) if high > low else image * 0.0
    ids = label if label is not None and label.max(initial=0) < 256 else None
    return image, ids
