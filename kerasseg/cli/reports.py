"""`kerasseg report` and `kerasseg compare`: pages and tables about runs."""

import pathlib


def add_report_arguments(command):
    """Add the arguments of `kerasseg report` to its parser."""
    command.add_argument("run_dir", metavar="RUN", help="run folder")
    command.add_argument("--out", metavar="FILE", help="default: RUN/report.html")


def report(arguments):
    """Write one HTML page about a run: numbers, pictures, what to try next."""
    path = write(arguments.run_dir, arguments.out)
    if not arguments.json:
        print(f"Wrote {path}.")
    return {"path": str(path)}


def write(run, out=None):
    """Write the page of a run; returns its path, `out` or report.html in the run."""
    from kerasseg import report as pages

    path = pathlib.Path(out or pathlib.Path(run, "report.html"))
    path.write_text(pages.page(run), encoding="utf-8")
    return path


def add_compare_arguments(command):
    """Add the arguments of `kerasseg compare` to its parser."""
    command.add_argument(
        "runs", nargs="+", metavar="RUN", help="two run folders or more"
    )
    command.add_argument(
        "--out",
        default="compare.png",
        metavar="FILE",
        help="picture of the differences",
    )


def compare(arguments):
    """Compare runs image by image: which differences are more than noise."""
    from kerasseg import report as pages
    from kerasseg import viz

    found = pages.compare(arguments.runs)
    first, *others = found["runs"]
    name = pathlib.Path(first["run"]).name
    viz.differences(
        [pathlib.Path(row["run"]).name for row in others],
        [row["difference"] for row in others],
        [row["interval"] for row in others],
        arguments.out,
        label=f"difference to {name} in points; grey: no more than noise",
    )
    if not arguments.json:
        print(pages.comparison_table(found))
        print(f"Wrote {arguments.out}.")
    return {**found, "picture": arguments.out}
