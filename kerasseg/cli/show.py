"""The command `kerasseg show`: a picture of the data, as stored and as trained on."""

import pathlib

from kerasseg.cli import data

MOST = 200  # images of one picture
DRAWS = 5  # of the augmentation, beside each image


def add_arguments(command):
    """Give the parser of `kerasseg show` its own arguments."""
    command.add_argument(
        "--augment",
        action="store_true",
        help="show each image beside what the augmentation makes of it",
    )
    command.add_argument("--split", default="train", help="train (default) or val")
    command.add_argument(
        "--num", type=int, default=0, help="images (default: 24, or 4)"
    )
    command.add_argument("--seed", type=int, default=0, help="choose other images")
    command.add_argument("--out", metavar="FILE", default="show.png", help="picture")


def run(arguments):
    """Draw images with their labels, and with --augment what training makes of them."""
    from kerasseg import images, recipes, viz

    for name, low, high in (("num", 0, MOST), ("seed", 0, 2**31 - 1)):
        if not low <= getattr(arguments, name) <= high:
            raise ValueError(
                f"--{name} must lie in {low}..{high}. "
                f"Received: {getattr(arguments, name)}."
            )
    only_data = not arguments.augment
    _, recipe, form = data.read_recipe(arguments, only_data=only_data)
    samples = recipes.build_samples(recipe, arguments.data, arguments.split)
    if arguments.augment:
        cells = _augmented(recipe, samples, arguments)
    else:
        chosen = _chosen(samples, arguments.num or 24, arguments.seed)
        cells = [_cell(samples.names[i], samples[i]) for i in chosen]
    picture = viz.contact_sheet(
        cells,
        palette=samples.colors,
        class_names=samples.classes,
        ignore_label=samples.ignore_label,
        columns=1 + DRAWS,
    )
    images.write_image(arguments.out, picture)
    if not arguments.json:
        if form:
            print(form["text"])
        print(f"Wrote {arguments.out}: {_caption(arguments, samples)}.")
    return {"picture": str(pathlib.Path(arguments.out)), "num_samples": len(samples)}


def _caption(arguments, samples):
    if arguments.augment:
        return "left each image as stored, beside it as training draws it"
    shown = min(arguments.num or 24, len(samples))
    return f"{shown} of {len(samples)} images, {arguments.split}"


def _chosen(samples, num, seed):
    """Positions of random samples, each once."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(samples))
    return sorted(int(index) for index in order[:num])


def _cell(name, sample):
    import numpy as np

    image, label = (np.asarray(sample[key]) for key in ("image", "label"))
    return {"name": name, "image": image, "label": label, "mark": None}


def _augmented(recipe, samples, arguments):
    """Rows of an image and what the recipe's augmentation makes of it."""
    import numpy as np

    from kerasseg import recipes
    from kerasseg.images import DataRange

    augment, scale = recipes.build_augment(recipe), DataRange(samples.value_range).scale
    generator = np.random.default_rng(arguments.seed)

    def read(index):
        sample = samples[index]
        image = np.asarray(scale(sample["image"]))
        return {"image": image, "label": sample["label"]}

    cells = []
    for index in _chosen(samples, arguments.num or 4, arguments.seed):
        sample = read(index)
        cells.append(_cell(samples.names[index], sample))
        for number in range(DRAWS):
            partners = [
                read(int(other))
                for other in generator.integers(
                    len(samples), size=getattr(augment, "partners", 0)
                )
            ]
            seed = np.int32([arguments.seed, 1000 * index + number])
            more = (partners,) if partners else ()
            cells.append(_cell(f"draw {number + 1}", augment(sample, seed, *more)))
    return cells
