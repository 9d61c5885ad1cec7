"""The samples that a plan is made for: read, and read otherwise where they must be."""

from kerasseg import datasets, recipes
from kerasseg.images import ImageError

# Findings whose mapping of numbers is beyond doubt, see `datasets.examine`.
CERTAIN = ("black and white", "colours")
MOST_CHECKED = 100  # files whose numbers tell the range of values
# Of validation images, where a fifth is too few: the first that gives enough of them.
FRACTIONS = (0.25, 0.3, 0.34, 0.4, 0.5)
LEAST_VAL, LEAST = 4, 8  # validation images there should be, if there are so many


def read(data, root, task=None):
    """Both sides of a data set, and the [data] of a recipe that reads them.

    Args:
        data: [data] of a resolved recipe.
        root: folder; None for synthetic data.
        task: "semantic", "instances" or None.

    Returns:
        ([data], {"train": Samples, "val": Samples}, {key: reason}).

    Raises:
        ImageError, ValueError: as training would, if the data cannot be read.
    """
    data, reasons = dict(data), {}
    try:
        sides = _sides(data, root)
    except ImageError:
        fixed, reasons = _fixed(data, root, task)
        if fixed is None:
            raise
        data, sides = fixed, _sides(fixed, root)
    data, sides, reason = _with_enough(data, sides, root)
    if reason:
        reasons["val_fraction"] = reason
    if (
        sides["train"][0]["image"].dtype != "uint8"
        and sides["train"].value_range is None
    ):
        num = min(len(sides["train"]), MOST_CHECKED)
        found = datasets.check(sides["train"], limit=num)["value_range"]
        sides = {side: samples.with_range(found) for side, samples in sides.items()}
    return data, sides, reasons


def _sides(data, root):
    train = recipes.build_samples({"data": data}, root, "train")
    val = recipes.build_samples({"data": data}, root, "val")
    val = val.with_classes(train.classes)
    if val.value_range is None:
        val = val.with_range(train.value_range)
    return {"train": train, "val": val}


def _fixed(data, root, task):
    """[data] with what `kerasseg check-data` advises; None where that is a question."""
    if data["dataset"] != "folder" or {"values", "colors"} & data.keys():
        return None, {}
    found = datasets.examine({}, root=root, raw=True, errors=["unreadable"])
    for one in found.faults:
        if one.kind == "objects" and task != "semantic":
            known = {key: data[key] for key in ("train", "val", "group") if key in data}
            return {"dataset": "mask_folders", **known}, {"dataset": f"{one.text}"}
        if one.kind in (*CERTAIN, "objects") and one.action:
            (key, table), *_ = one.action.items()
            # As TOML writes keys.
            table = {_key(number): class_id for number, class_id in table.items()}
            return {**data, key: table}, {key: f"{one.text}"}
    return None, {}


def _key(number):
    return ", ".join(map(str, number)) if isinstance(number, tuple) else str(number)


def _with_enough(data, sides, root):
    """The same data with more validation images, where there are few."""
    num, num_val = sum(map(len, sides.values())), len(sides["val"])
    whole = isinstance(data["val"], str)
    if num_val >= LEAST_VAL or num < LEAST or "val_fraction" in data or not whole:
        return data, sides, None
    for fraction in FRACTIONS:
        other = {**data, "val_fraction": fraction}
        try:
            found = _sides(other, root)
        except (recipes.RecipeError, ImageError):  # it has a split of its own
            return data, sides, None
        if len(found["val"]) >= LEAST_VAL or fraction == FRACTIONS[-1]:
            reason = f"{num_val} of {num} images are too few to choose by"
            if len(found["val"]) <= num_val:  # the folder's own split
                return data, sides, None
            return other, found, reason
