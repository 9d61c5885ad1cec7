"""`kerasseg list` and `kerasseg info`: the names that there are, and one of them."""

# What `kerasseg.datasets` holds beside data sets.
OTHERS = ("Samples", "balance", "check", "convert", "examine", "fold", "repair")
OTHERS += ("split", "with_pseudo_labels")


def add_arguments(command):
    """Add the arguments of `kerasseg info` to its parser."""
    command.add_argument(
        "architecture", help="a name from `kerasseg list`; an encoder too"
    )
    command.add_argument("--encoder", help="a name from `kerasseg list`")
    command.add_argument("--num-classes", type=int, default=21)
    command.add_argument(
        "--size", type=int, default=512, metavar="PX", help="image side for GFLOPs"
    )


def list_names(arguments):
    """List architectures, encoders, losses, data sets, recipes."""
    from kerasseg import recipes
    from kerasseg.names import added, imported

    packages = ("zoo", "encoders", "losses", "metrics", "datasets")
    answer = {package: imported(f"kerasseg.{package}") for package in packages}
    for package in ("zoo", "encoders", "datasets"):  # of installed packages
        others = {point.name for point in added(f"kerasseg.{package}")}
        answer[package] = sorted({*answer[package], *others})
    answer["datasets"] = [name for name in answer["datasets"] if name not in OTHERS]
    answer["recipes"] = sorted(recipes.named())
    if not arguments.json:
        for package, names in answer.items():
            print(f"{package}: {', '.join(names)}")
    return answer


def describe(arguments):
    """Describe an architecture or an encoder: parameters, taps, paper, weights."""
    from kerasseg import profiling

    answer = profiling.describe(
        arguments.architecture,
        arguments.encoder,
        arguments.num_classes,
        arguments.size,
    )
    for key, value in answer.items():
        if isinstance(value, dict):
            value = [f"{name} {number}" for name, number in value.items()]
        if isinstance(value, list):
            value = ", ".join(value)
        if value is not None and not arguments.json:
            print(f"{key}: {value}")
    return answer
